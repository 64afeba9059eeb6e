"""The network before training: random tables and random wiring, a start for the annealing of circuits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dwn_asic.encode.config import EncoderConfig
from dwn_asic.methods.base import Fitted, Plan, Progress
from dwn_asic.methods.dwn.config import DwnConfig, ModelConfig, TrainingConfig
from dwn_asic.methods.dwn.method import METHOD

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset

__all__ = ["Untrained", "untrained_plan"]


@dataclass(frozen=True)
class Untrained:
    """A network of the architecture of a flow, as it is before the first epoch of training.

    Attributes
    ----------
    encoder, model
        As in :class:`dwn_asic.methods.dwn.method.Dwn`.
    """

    encoder: EncoderConfig
    model: ModelConfig

    def __call__(self, dataset: Dataset, seed: int, progress: Progress) -> Fitted:
        """Draw a network; raises the errors of :func:`dwn_asic.methods.dwn.fit.initial`."""
        import torch

        from dwn_asic.boolean.convert import to_graph
        from dwn_asic.methods.dwn.fit import initial

        table, generator = dataset.table, torch.Generator().manual_seed(seed)
        model = initial(dataset, self.encoder, self.model, TrainingConfig(restarts=1), generator)
        network = model.to_lut_network(0, table.feature_names, table.class_names)
        progress("random tables and wiring")
        return Fitted(to_graph(network), network.predict(dataset.codes), {}, network)


def untrained_plan(config: DwnConfig) -> Plan:
    """Return the plan of the network of these sections before training."""
    return Plan("untrained", "network before training", METHOD.kind, Untrained(config.encoder, config.model))
