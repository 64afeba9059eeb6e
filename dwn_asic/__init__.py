"""Turn a table of labelled data into the smallest verified classifier chip."""

__version__ = "0.2.0"
