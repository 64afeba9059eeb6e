"""What a flow file (``flows/*.yaml``) can say: one experiment, key by key; unknown keys are errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field, SerializeAsAny
from pydantic_core import PydanticKnownError

from dwn_asic.configuration import Strict
from dwn_asic.data.config import DataConfig
from dwn_asic.encode.config import EncoderConfig
from dwn_asic.methods.base import MethodConfig
from dwn_asic.methods.dwn import METHOD as OWN
from dwn_asic.methods.dwn.config import ModelConfig, TrainingConfig
from dwn_asic.methods.registry import methods
from dwn_asic.optimize.exact.config import MinimizeConfig
from dwn_asic.optimize.lossy.config import ShrinkConfig
from dwn_asic.targets.asic.config import SynthesisConfig
from dwn_asic.verilog.config import HardwareConfig

__all__ = ["BaselineConfig", "FlowConfig"]


def _by_kind(value: object) -> MethodConfig:
    """The configuration of the method that ``kind`` names: any but the flow's own, which has its sections."""
    if isinstance(value, MethodConfig):
        return value
    if not isinstance(value, Mapping):
        raise PydanticKnownError("dict_type")
    known = {kind: found.config for kind, found in methods().items() if kind != OWN.kind}
    kind = value.get("kind")
    if not isinstance(kind, str) or kind not in known:
        context = {"discriminator": "'kind'", "tag": str(kind), "expected_tags": ", ".join(map(repr, known))}
        raise PydanticKnownError("union_tag_invalid", context)
    return known[kind].model_validate(value)


BaselineConfig = Annotated[SerializeAsAny[MethodConfig], BeforeValidator(_by_kind)]
"""An entry of ``baselines``: the configuration of any registered method, told apart by ``kind``."""


class FlowConfig(Strict):
    """One experiment."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
    seed: Annotated[int, Field(ge=0)] = 0
    data: DataConfig
    encoder: EncoderConfig = EncoderConfig()
    model: ModelConfig
    training: TrainingConfig = TrainingConfig()
    shrink: ShrinkConfig | None = None
    """Without it only the exact circuit is made."""
    minimize: MinimizeConfig = MinimizeConfig()
    hardware: HardwareConfig = HardwareConfig()
    synthesis: SynthesisConfig = SynthesisConfig()
    baselines: tuple[BaselineConfig, ...] = Field(default=(), strict=False)
    match: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Baselines by name. For each, the smallest circuit of the shrunk front that has its validation accuracy
    goes to a proved netlist too, as the chosen one does. Takes some seconds each."""
