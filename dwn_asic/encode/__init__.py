"""From feature values to bits: the quantizer (value -> integer code) and the thermometer (code >= c)."""
