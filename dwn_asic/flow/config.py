"""What a flow file (``flows/*.yaml``) can say: one experiment, key by key; unknown keys are errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializeAsAny,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticKnownError

from dwn_asic.configuration import Chosen, Strict
from dwn_asic.data.config import DataConfig
from dwn_asic.encode.config import EncoderConfig
from dwn_asic.exchange.config import ImportConfig
from dwn_asic.methods.base import MethodConfig
from dwn_asic.methods.dwn import METHOD as OWN
from dwn_asic.methods.dwn.config import ModelConfig, TrainingConfig
from dwn_asic.methods.registry import methods
from dwn_asic.optimize.exact.config import MinimizeConfig
from dwn_asic.optimize.lossy.config import ShrinkConfig
from dwn_asic.targets.registry import target_kind, target_kinds
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


def _trained_or_not(value: object, _handler: ValidatorFunctionWrapHandler) -> ModelConfig | ImportConfig:
    """What to train, or with ``file`` what was trained elsewhere."""
    if isinstance(value, ModelConfig | ImportConfig):
        return value
    trained = isinstance(value, Mapping) and "file" in value
    return ImportConfig.model_validate(value) if trained else ModelConfig.model_validate(value)


def _known_target(value: str) -> str:
    if value not in target_kinds():
        context = {"expected": ", ".join(map(repr, target_kinds()))}
        raise PydanticKnownError("literal_error", context)
    return value


def _target_options(flow: Mapping[str, object]) -> type[Strict]:
    """Model of the options of the target that a flow's content names."""
    config: type[Strict] = target_kind(str(flow.get("target", "asic"))).config
    return config


def _of_target(value: object, _handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Strict:
    """The options of the target that the flow names; those of an unknown target are an error of its own."""
    if isinstance(value, Strict) or "target" not in info.data:
        return value if isinstance(value, Strict) else Strict()
    return target_kind(info.data["target"]).config.model_validate(value)


class FlowConfig(Strict):
    """One experiment."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
    seed: Annotated[int, Field(ge=0)] = 0
    data: DataConfig | None = None
    """May be missing only beside a trained model."""
    encoder: EncoderConfig = EncoderConfig()
    model: Annotated[ModelConfig | ImportConfig, WrapValidator(_trained_or_not)]
    training: TrainingConfig = TrainingConfig()
    shrink: ShrinkConfig | None = None
    """Without it only the exact circuit is made."""
    minimize: MinimizeConfig = MinimizeConfig()
    hardware: HardwareConfig = HardwareConfig()
    target: Annotated[str, AfterValidator(_known_target)] = "asic"
    """What circuits are built for: ``asic``, or a target that another package adds."""
    synthesis: Annotated[SerializeAsAny[Strict], WrapValidator(_of_target), Chosen(_target_options)] = Field(
        default={}, validate_default=True
    )
    """Options of the target."""
    baselines: tuple[BaselineConfig, ...] = Field(default=(), strict=False)
    match: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Baselines by name. For each, the smallest circuit of the shrunk front that has its validation accuracy
    goes to a proved netlist too, as the chosen one does. Takes some seconds each."""
