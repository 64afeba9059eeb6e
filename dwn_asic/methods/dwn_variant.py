"""Another DWN on the same data: what a part of the method is worth shows when it is left out."""

from __future__ import annotations

from dataclasses import dataclass

from dwn_asic.data.dataset import Dataset
from dwn_asic.encode.config import EncoderConfig
from dwn_asic.encode.thermometer import Thermometer
from dwn_asic.methods.base import Fitting, Progress, interface_of, most_frequent
from dwn_asic.methods.dwn.config import ModelConfig, TrainingConfig

__all__ = ["DwnVariant"]


@dataclass(frozen=True)
class DwnVariant:
    """A network of its own ``encoder``, ``model`` and ``training``, for example with fixed random wiring.

    Only the encoder's thermometer is taken; features have the data set's codes.
    """

    encoder: EncoderConfig
    model: ModelConfig
    training: TrainingConfig

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitting:
        """Train; as :func:`dwn_asic.methods.dwn.fit.train`."""
        from dwn_asic.boolean.convert import to_graph
        from dwn_asic.methods.dwn.fit import train

        encoder, codes = self.encoder, dataset.part("train")[0]
        if not len(
            Thermometer.fit(codes, dataset.quantizer.bits, kind=encoder.thermometer, bits=encoder.bits)
        ):
            return most_frequent(dataset, interface_of(dataset))
        result = train(dataset, encoder, self.model, self.training, seed)
        progress(f"best epoch {result.best_epoch + 1} of start {result.restart + 1}")
        luts = sum(layer.n_luts for layer in result.network.layers)
        return Fitting(to_graph(result.network), result.network.predict(dataset.codes), {"luts": luts})
