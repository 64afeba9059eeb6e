"""The data sheet of a chip: which bits to apply for a row of features, and how to interpret the output.

:func:`build.data_sheet` collects the facts in a :class:`value.DataSheet`, :func:`document.page` turns them
into a document, and :mod:`render` writes the document as Markdown or HTML.
"""
