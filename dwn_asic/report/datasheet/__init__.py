"""The data sheet of a chip: which bits to apply for a row of features, and what the answer means.

:func:`build.data_sheet` collects the facts in a :class:`value.DataSheet`, :func:`document.page` puts them in
words, and :mod:`render` writes the document as Markdown or HTML.
"""
