"""Topic ``compare``: the rivals."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures.table import Row, row
from dwn_asic.baselines.tiny_classifier import Inputs, TinyClassifier
from dwn_asic.config import load_flow
from dwn_asic.data.dataset import prepare

ENCODINGS = (
    Inputs(4),
    Inputs(4, "quantile", "binary"),
    Inputs(4, "equal_width", "gray"),
    Inputs(4, "quantile", "onehot"),
)
GENERATIONS = 8_000


def tiny_seconds() -> Iterator[Row]:
    """The slowest of several encodings, compiled kernels at hand."""
    config = load_flow(Path("flows/phoneme.yaml"))
    dataset = prepare(config.data, config.encoder, config.seed, Path("flows"))
    TinyClassifier(ENCODINGS[:1], 300, 1, 1)(dataset, 0, lambda _: None)
    longest = 0.0
    for inputs in ENCODINGS:
        start = time.perf_counter()
        TinyClassifier((inputs,), 300, GENERATIONS, GENERATIONS)(dataset, 0, lambda _: None)
        longest = max(longest, time.perf_counter() - start)
    what = f"Tiny Classifier, phoneme, 300 gates, {GENERATIONS} generations"
    what += f": slowest of {len(ENCODINGS)} encodings"
    yield row("compare.tiny_seconds", what, longest, "s", "< 2")


MEASUREMENTS = {"compare.tiny_seconds": tiny_seconds}
