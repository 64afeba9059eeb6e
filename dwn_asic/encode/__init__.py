"""Encoding of values as bits: the quantizer (value -> integer code) and the thermometer (code >= c)."""
