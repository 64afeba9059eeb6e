"""The method ``dwn``: a network of learned lookup tables, as a flow's own sections describe it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dwn_asic.encode.config import EncoderConfig
from dwn_asic.methods.base import Fitted, Look, Method, Plan, Progress
from dwn_asic.methods.dwn.config import DwnConfig, LayerConfig, ModelConfig, TrainingConfig

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset
    from dwn_asic.methods.dwn.fit import EpochReport

__all__ = ["METHOD", "Dwn", "network_label"]


@dataclass(frozen=True)
class Dwn:
    """Layers of lookup tables and their wiring, learned by gradient descent.

    Attributes
    ----------
    encoder
        The encoder section, of which only the thermometer is used; features have the codes of the data set.
    model, training
        The sections of a flow file.

    References
    ----------
    Bacellar, Susskind et al., Differentiable Weightless Neural Networks, ICML 2024, arXiv:2410.11112.
    """

    encoder: EncoderConfig
    model: ModelConfig
    training: TrainingConfig

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Train a network; raises the errors of :func:`dwn_asic.methods.dwn.fit.train`."""
        from dwn_asic.boolean.convert import to_graph
        from dwn_asic.methods.dwn.fit import train

        def tell(report: EpochReport) -> None:
            progress(
                f"epoch {report.epoch + 1} of {self.training.epochs}: loss {report.train_loss:.3f}, "
                f"validation {dataset.objective.name} {report.val_score:.3f}"
            )

        result = train(dataset, self.encoder, self.model, self.training, seed, tell)
        network = result.network
        progress(f"best epoch {result.best_epoch + 1} of start {result.restart + 1}")
        return Fitted(
            to_graph(network),
            network.predict(dataset.codes),
            {"head": self.model.head, "luts": sum(layer.n_luts for layer in network.layers)},
            network,
            network_label(self.model, dataset.table.n_classes),
        )


def network_label(model: ModelConfig, n_classes: int) -> str:
    """Return a label with the sizes and fan-ins of the layers: ``DWN 24-4-1 (6,6,4-input LUTs)``."""
    from dwn_asic.methods.dwn.heads import network_head

    return _label(model.layers_for(network_head(model, n_classes).direct_outputs))


def _label(layers: tuple[LayerConfig, ...]) -> str:
    sizes = "-".join(str(layer.luts) for layer in layers)
    fan_ins = ",".join("+".join(map(str, layer.inputs)) for layer in layers)
    return f"DWN {sizes} ({fan_ins}-input LUTs)"


def _plans(config: DwnConfig) -> Iterator[Plan]:
    """Yield the single plan.

    The sizes of a pyramid depend on the number of classes, so its label is that of a single output until it
    is fitted.
    """
    fitter = Dwn(config.encoder, config.model, config.training)
    yield Plan("dwn", _label(config.model.layers_for(1)), config.kind, fitter)


METHOD = Method(
    "dwn",
    DwnConfig,
    _plans,
    Look("DWN", "#D55E00", "o"),
    "Bacellar, Susskind et al., Differentiable Weightless Neural Networks, ICML 2024, arXiv:2410.11112",
    rank=0,
    objective="fit",
    packages=("torch", "numpy", "numba", "scikit-learn"),
)
