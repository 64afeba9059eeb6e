"""Encoding of feature values: quantizer (value to integer code) and thermometer (code >= constant)."""
