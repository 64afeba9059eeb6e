"""Cell libraries, PDKs, external tools, Yosys runs, and the metrics that come of them."""
