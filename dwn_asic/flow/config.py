"""The keys of a flow file (``flows/*.yaml``), which describes one experiment; unknown keys are errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    SerializeAsAny,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticKnownError

from dwn_asic.configuration import Chosen, Growing, Strict
from dwn_asic.data.config import DataConfig, ObjectiveConfig
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
    """Return the configuration of the method that ``kind`` names.

    Every method is allowed except ``dwn``, which sections of the flow file configure.
    """
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
"""An entry of ``baselines``: the configuration of a registered method, whose name is its key ``kind``."""


def _trained_or_not(value: object, _handler: ValidatorFunctionWrapHandler) -> ModelConfig | ImportConfig:
    """Return the section of a network to train or, if it has the key ``file``, of a trained network."""
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
    """Return the model of the options of the target that a flow file names."""
    config: type[Strict] = target_kind(str(flow.get("target", "asic"))).config
    return config


def _of_target(value: object, _handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Strict:
    """Return the options of the flow's target; an unknown target is reported for the key ``target``."""
    if isinstance(value, Strict) or "target" not in info.data:
        return value if isinstance(value, Strict) else Strict()
    return target_kind(info.data["target"]).config.model_validate(value)


class FlowConfig(Growing):
    """The content of a flow file, which describes one experiment from data to netlists and comparison."""

    later: ClassVar = ("search",)

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
    """Name of the flow, its build folder and its Verilog modules: a letter, then letters, digits and
    underscores. It defaults to the name of the flow file without ``.yaml``."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of every random choice (split, training, shrinking, baselines), at least 0. A flow with the same
    seed has the same results; run several seeds to see the spread."""
    data: DataConfig | None = None
    """Table of labelled rows, and its split into training, validation and test rows. The section is required,
    except with ``model.file``: without data a trained network is only converted to an exact circuit."""
    objective: ObjectiveConfig = ObjectiveConfig()
    """Score that networks, circuits and baselines are optimized for, chosen by and compared by: accuracy by
    default, or one that counts every class. It needs ``data``."""
    encoder: EncoderConfig = EncoderConfig()
    """Encoding of features as integer codes and thermometer bits. It is not allowed with ``model.file``,
    since a trained network has its own encoding."""
    model: Annotated[ModelConfig | ImportConfig, WrapValidator(_trained_or_not)]
    """Architecture of the network to train or, with the key ``file``, a trained network to read."""
    training: TrainingConfig = TrainingConfig()
    """Options of training. The section is not allowed with ``model.file``."""
    shrink: ShrinkConfig | None = None
    """Options of shrinking, which searches for smaller circuits of about the same accuracy; ``{}`` uses the
    default options. Without this section only the exact circuit is built. It needs ``data``."""
    minimize: MinimizeConfig = MinimizeConfig()
    """Options of exact minimization, which every circuit undergoes."""
    hardware: HardwareConfig = HardwareConfig()
    """Options of the generated hardware."""
    target: Annotated[str, AfterValidator(_known_target)] = "asic"
    """Target that circuits are built for: ``asic`` (standard cells), ``aig`` (and-inverter graphs, counted in
    AND nodes as in logic contests), or one that another package adds."""
    synthesis: Annotated[SerializeAsAny[Strict], WrapValidator(_of_target), Chosen(_target_options)] = Field(
        default={}, validate_default=True
    )
    """Options of the target, for example the PDK of ``asic``."""
    baselines: tuple[BaselineConfig, ...] = Field(default=(), strict=False)
    """Methods to compare with, as a list. The key ``kind`` of each entry names the method; its other keys are
    the method's options, where a list of values (``leaves: [8, 16]``) means one baseline for each. By default
    there are none. Baselines need ``data``."""
    match: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Names of baselines to match, as a list. For each, the smallest circuit of the shrunk front that reaches
    the baseline's validation accuracy is implemented and proved too, which takes some seconds. This needs
    ``shrink``. By default only the chosen circuit of the front is implemented."""
    search: dict[str, JsonValue] | None = None
    """Space of ``dwn-asic search``: for each key of a flow file, such as ``encoder.bits``, the values to try.
    A list of two numbers is a range, ``log[0.001, 0.1]`` one by orders of magnitude; a longer list, or
    ``one_of[8, 16]``, holds values to choose from. By default a space that suits the number of classes is
    searched. A run of the flow does not use this section."""
