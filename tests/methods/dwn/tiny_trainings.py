"""Train three tiny networks that use all operations: `tiny_trainings.py FOLDER THREADS`."""

import sys
from pathlib import Path

import numpy as np
from learn_builders import dataset, model_config

from dwn_asic.encode.config import EncoderConfig
from dwn_asic.methods.dwn import kernels
from dwn_asic.methods.dwn.config import EfdConfig, ModelConfig, SpectralConfig, TrainingConfig
from dwn_asic.methods.dwn.fit import train

CASES = {
    "pyramid": (
        2,
        ModelConfig(pyramid=(4, 3)),
        {"restarts": 4, "halvings": 1, "spectral": SpectralConfig(kind="l2", weight=0.01)},
    ),
    "candidates": (
        3,
        model_config([(40, (3, 4)), (20, 4), (2, 6)], candidates=9, reads="all"),
        {
            "restarts": 2,
            "schedule": "step",
            "efd": EfdConfig(decay="harmonic"),
            "label_smoothing": 0.1,
            "class_weights": "balanced",
            "input_noise": 0.01,
            "spectral": SpectralConfig(kind="influence", weight=0.01),
        },
    ),
    "popcount": (
        5,
        model_config([(60, 4), (50, 3)], head="popcount", temperature=2.0, mapping_temperature=0.1),
        {"restarts": 2, "spectral": SpectralConfig(kind="l1", weight=0.001)},
    ),
}
"""Number of classes, model and training of each network."""


def main() -> None:
    folder, threads = Path(sys.argv[1]), int(sys.argv[2])
    kernels._ALONE = 1  # so that threads share even tiny work
    rng = np.random.default_rng(0)
    values = rng.random((600, 12))
    sums = values[:, :6] @ rng.normal(size=6) + 0.2 * rng.normal(size=600)
    for name, (n_classes, model, more) in CASES.items():
        labels = np.digitize(sums, np.quantile(sums, np.arange(1, n_classes) / n_classes))
        bits = 3 if name == "popcount" else 9  # few and many per feature
        training = TrainingConfig(epochs=8, batch_size=100, threads=threads, **more)
        result = train(dataset(values, labels), EncoderConfig(bits=bits), model, training, seed=0)
        result.network.save(folder / f"{name}.npz")
        lines = (f"{r.restart} {r.epoch} {r.train_loss!r} {r.val_loss!r}\n" for r in result.history)
        (folder / f"{name}.txt").write_text("".join(lines))


if __name__ == "__main__":
    main()
