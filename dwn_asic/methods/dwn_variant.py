"""Variants of the DWN on the same data, which show what a part of the method contributes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from dwn_asic.encode.config import EncoderConfig, ThermometerOnly
from dwn_asic.methods.base import Fitted, Look, Method, MethodConfig, Plan, Progress
from dwn_asic.methods.dwn import METHOD as DWN
from dwn_asic.methods.dwn.config import ModelConfig, TrainingConfig

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset

__all__ = ["METHOD", "DwnVariant", "DwnVariantConfig"]


class DwnVariantConfig(MethodConfig):
    """A DWN with an encoder, model or training of its own."""

    kind: Literal["dwn_variant"] = "dwn_variant"
    """Kind of the method; selects these keys."""
    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    """Name of the variant, lower-case words joined by hyphens, for example ``fixed-mapping``. It appears in
    labels and file names."""
    encoder: ThermometerOnly = EncoderConfig()
    """Encoder of the variant, with the keys of the section ``encoder``. Only its thermometer is used;
    features keep the codes of the data set."""
    model: ModelConfig
    """Layers and head of the variant, with the keys of the section ``model``."""
    training: TrainingConfig = TrainingConfig()
    """Training of the variant, with the keys of the section ``training``."""


@dataclass(frozen=True)
class DwnVariant:
    """A network with its own ``encoder``, ``model`` and ``training``, for example with fixed random wiring.

    Only the encoder's thermometer is used; features keep the codes of the data set. As for every baseline,
    shrinking starts from the graph alone.
    """

    encoder: EncoderConfig
    model: ModelConfig
    training: TrainingConfig

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Train a network, as :func:`dwn_asic.methods.dwn.fit.train` does."""
        from dwn_asic.boolean.convert import to_graph
        from dwn_asic.encode.thermometer import Thermometer
        from dwn_asic.methods.dwn.fit import train
        from dwn_asic.methods.parts.fitting_steps import most_frequent

        encoder, codes = self.encoder, dataset.part("train")[0]
        if not len(
            Thermometer.fit(codes, dataset.quantizer.bits, kind=encoder.thermometer, bits=encoder.bits)
        ):
            return most_frequent(dataset)
        result = train(dataset, encoder, self.model, self.training, seed)
        progress(f"best epoch {result.best_epoch + 1} of start {result.restart + 1}")
        luts = sum(layer.n_luts for layer in result.network.layers)
        return Fitted(to_graph(result.network), result.network.predict(dataset.codes), {"luts": luts})


def _plans(config: DwnVariantConfig) -> Iterator[Plan]:
    label = f"DWN, {config.name.replace('-', ' ')}"
    fitter = DwnVariant(config.encoder, config.model, config.training)
    yield Plan(f"dwn-{config.name}", label, config.kind, fitter)


METHOD = Method(
    "dwn_variant",
    DwnVariantConfig,
    _plans,
    Look("DWN variant", "#D58A5E", "h"),
    DWN.reference,
    rank=80,
    objective="fit",
    packages=DWN.packages,
)
