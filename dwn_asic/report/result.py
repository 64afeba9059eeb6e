"""``build/NAME/result.json``: the measurements of one flow, for its network and each of its baselines."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    JsonValue,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticKnownError

from dwn_asic.errors import DataError, DwnAsicError
from dwn_asic.methods.registry import methods
from dwn_asic.metrics import ScoreKey, Size
from dwn_asic.report.metrics import check_metrics, metrics, size_of
from dwn_asic.targets.registry import target_kinds

__all__ = [
    "NO_CIRCUIT",
    "Kind",
    "MethodResult",
    "Netlist",
    "PdkResult",
    "Result",
    "SplitSizes",
    "write_atomically",
]

Kind = Literal["exact", "shrunk", "software"]
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=0)]
NO_CIRCUIT = " (no circuit in time)"
"""End of a baseline's label on a run that made no circuit of it."""


def _known(kind: str) -> str:
    """Return the kind if there is a method of it; else raise the error that pydantic has for a literal."""
    known = [repr(each) for each in methods()]
    if repr(kind) not in known:
        raise PydanticKnownError(
            "literal_error", {"expected": " or ".join([", ".join(known[:-1]), known[-1]])}
        )
    return kind


def _checked(found: object) -> object:
    """Return metrics in the order of their registry; raises DwnAsicError for a wrong name or value."""
    if not isinstance(found, Mapping):
        return found
    check_metrics(found)
    for name, value in found.items():
        if not math.isfinite(value):
            raise DwnAsicError(f"metric {name!r} is {value}, not a finite number")
    return {name: found[name] for name in metrics() if name in found}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SplitSizes(_Strict):
    """Numbers of rows of each part."""

    train: Count
    val: Count
    test: Count


class PdkResult(_Strict):
    """The technology that the circuits were built for, for cells their library."""

    name: Text
    library: Text
    corner: str
    """Empty for a target without corners."""
    origin: Text
    """``embedded table FILE`` or the Liberty files."""

    @property
    def names(self) -> str:
        """Name, library and, if there is one, corner, with commas between them."""
        return ", ".join(filter(None, (self.name, self.library, self.corner)))


class Netlist(_Strict):
    """Netlist of a front's circuit, proved equal to it; areas in units of the target."""

    folder: Text
    """Folder of its files, below the run's."""
    core: FiniteFloat
    total: FiniteFloat
    metrics: Mapping[str, int | float] = {}
    """All that the target measures of it, as in a row of the comparison; empty in older results."""

    @field_validator("metrics", mode="before")
    @classmethod
    def _registered(cls, found: object) -> object:
        return _checked(found)


class FrontPoint(_Strict):
    """A circuit that shrink found; areas in units of the target, as it is or minimized."""

    core: FiniteFloat
    total: FiniteFloat
    train: FiniteFloat
    val: FiniteFloat
    expected: FiniteFloat
    """Validation score corrected for selection bias: see :class:`dwn_asic.optimize.lossy.front.Point`."""
    test: FiniteFloat
    accuracy: FiniteFloat
    """Accuracy on test rows; ``train``, ``val``, ``expected`` and ``test`` are scores by the objective."""
    levels: Count | None = None
    """Length of the longest path of the and-inverter graph in AND nodes; None in older results."""
    start: str = ""
    """Name of the start of the annealing that led to the circuit; empty if there is only one start, or if the
    circuit was enumerated."""
    netlist: Netlist | None = None
    """Netlist of a circuit that matches a baseline which the flow names; None for others."""

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_versions(cls, content: object) -> object:
        """Read results of earlier versions, whose scores are all accuracies."""
        if not isinstance(content, Mapping) or "accuracy_val" not in content:
            return content
        renamed = {key.removeprefix("accuracy_"): value for key, value in content.items()}
        return {**renamed, "accuracy": content["accuracy_test"]}


class MethodResult(_Strict):
    """One row of the comparison: a circuit, or a classifier that stays software.

    Raises
    ------
    DwnAsicError
        A metric isn't registered, isn't a finite number, or is an area or a cell count of ``software``.
    """

    name: Text
    """Short and unique within the flow, for example ``tree-16``: the label in the figure."""
    label: Text
    """The label in tables, for example ``decision tree, 16 leaves``."""
    method: Annotated[str, AfterValidator(_known)]
    """Kind of the method: ``decision_tree``."""
    kind: Kind
    """``exact``: computes what the trained model computes; ``shrunk``: guarded by data instead."""
    proof: Text = "-"
    """``proved``, or what was shown instead; ``-`` if nothing was."""
    metric: ScoreKey = "accuracy"
    """Score that the flow's objective maximizes: the first part of the names of its metrics."""
    metrics: Mapping[str, int | float]
    """Values by the names of :func:`dwn_asic.report.metrics.metrics`, in their units."""
    front: tuple[FrontPoint, ...] = ()
    """Circuits of all sizes that a shrunk circuit was chosen from, ascending by area."""
    details: Mapping[str, JsonValue] = {}
    """Other values worth keeping, which no report's comparison shows."""

    @field_validator("metrics", mode="before")
    @classmethod
    def _registered(cls, found: object) -> object:
        return _checked(found)

    @property
    def train(self) -> float:
        """Score by the objective on training rows."""
        return float(self.metrics[f"{self.metric}__train"])

    @property
    def val(self) -> float:
        """Score by the objective on validation rows."""
        return float(self.metrics[f"{self.metric}__val"])

    @property
    def test(self) -> float:
        """Score by the objective on test rows."""
        return float(self.metrics[f"{self.metric}__test"])

    @property
    def size(self) -> Size | None:
        """Unit and metrics of the circuit's size; None for software."""
        return size_of(self.metrics)

    @property
    def core(self) -> float | None:
        """Size of the core in units of the target; None for software."""
        return None if self.size is None else self.metrics[self.size.core]

    @property
    def encoder(self) -> float | None:
        """Size of the encoder in units of the target; None for software."""
        return None if self.size is None else self.metrics[self.size.encoder]

    @property
    def total(self) -> float | None:
        """Size of the whole circuit in units of the target; None for software."""
        return None if self.size is None else self.metrics[self.size.total]

    @model_validator(mode="after")
    def _software_has_no_area(self) -> MethodResult:
        hardware = [name for name in self.metrics if name.startswith(("area__", "design__"))]
        if self.size is not None:
            hardware.append(self.size.total)
        if self.kind == "software" and hardware:
            raise DwnAsicError(f"method {self.name!r} is software and has {hardware[0]}")
        return self


class Result(_Strict):
    """The outcome of one flow; construct it by keyword, nested mappings are accepted."""

    format: Literal[1] = 1
    flow: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
    """Name of the flow and of its folders."""
    flow_file: str = ""
    """Path of the flow file as it was given."""
    source: Text
    """The data, as the flow file names it: ``bundled:phoneme``."""
    seed: Count
    split: SplitSizes
    n_features: Annotated[int, Field(ge=1)]
    n_classes: Annotated[int, Field(ge=1)]
    class_names: tuple[str, ...]
    input_bits: Annotated[int, Field(ge=1)]
    """Largest number of bits of a feature code."""
    pdk: PdkResult
    tools: Mapping[str, str]
    """Version of each tool."""
    config: Mapping[str, JsonValue] = {}
    """The whole flow file, with its defaults and what it extends."""
    methods: tuple[MethodResult, ...]
    run: Mapping[str, str | FiniteFloat] = {}
    """Timestamps and seconds; no report shows them, so that equal runs give equal reports."""

    @property
    def size(self) -> Size | None:
        """Unit and metrics of sizes on the flow's target; None if it counts none."""
        target = target_kinds().get(str(self.config.get("target", "asic")))
        return None if target is None else target.size

    @model_validator(mode="after")
    def _fits_together(self) -> Result:
        if len(self.class_names) != self.n_classes:
            raise ValueError(f"{len(self.class_names)} class names for {self.n_classes} classes")
        names = [method.name for method in self.methods]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"methods of the same name: {', '.join(twice)}")
        scores = sorted({method.metric for method in self.methods})
        if len(scores) > 1:
            raise ValueError(f"methods of different objectives: {', '.join(scores)}")
        return self

    @property
    def metric(self) -> ScoreKey:
        """Score that the flow's objective maximizes."""
        return self.methods[0].metric if self.methods else "accuracy"

    def save(self, path: Path) -> None:
        """Write JSON, whole or not at all; equal results write equal bytes."""
        content = self.model_dump()
        content["tools"] = dict(sorted(self.tools.items()))
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        write_atomically(path, f"{text}\n".encode())

    @classmethod
    def load(cls, path: Path) -> Result:
        """Read what :meth:`save` wrote; raise DataError if it is missing, damaged or of another kind."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise DataError(path, f"cannot be read: {error.strerror or error}") from error
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            problem = f"{where}: {first['msg']}" if where else first["msg"]
            raise DataError(path, f"not a result file: {problem}") from error
        except DwnAsicError as error:
            raise DataError(path, f"not a result file: {error}") from error


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file under a temporary name beside it, then rename it; make its folder if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
