"""The step that writes the data sheet of a verified circuit."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from dwn_asic.flow.artifacts import (
    CORE,
    DATASET,
    ENCODER,
    FITTED,
    GRAPH,
    IMPLEMENTATION,
    MINIMIZED,
    NETWORK,
    PREDICTIONS,
    PROOF,
    text_artifact,
)
from dwn_asic.flow.step import Artifact, Step, Workspace
from dwn_asic.flow.steps.shared import SHRUNK, TargetSettings, versions
from dwn_asic.targets.registry import target_kind

if TYPE_CHECKING:
    from dwn_asic.report.datasheet.value import DataSheet

__all__ = ["DatasheetSettings", "circuit_label", "datasheet_of", "datasheet_step"]

Value = TypeVar("Value")
PAGES = MARKDOWN, HTML = text_artifact("datasheet.md"), text_artifact("datasheet.html")


class Read(Protocol):
    """A function that reads a file of the run, or of the circuit's folder."""

    def __call__(self, artifact: Artifact[Value], /) -> Value:
        """Return the value of the file; raises DataError if it is missing or damaged."""


@dataclass(frozen=True)
class DatasheetSettings:
    """The settings of the data sheet: facts that no file of the run contains.

    Attributes
    ----------
    name, file, seed
        Name of the flow, path of its file, and seed.
    source
        Names of all sources of rows; empty if there are none.
    start
        Folder of the exact circuit inside the run's folder.
    shrunk
        Whether the sheet describes the shrunk circuit instead of the exact one.
    network
        Whether the model is a LUT network, whose file describes its head.
    imported
        Whether the model was trained elsewhere.
    other
        Whether the exact and the shrunk circuit both exist and have a data sheet each.
    target
        Target that the circuit is built for.
    """

    name: str
    file: str
    seed: int
    source: str
    start: str
    shrunk: bool
    network: bool
    imported: bool
    other: bool
    target: TargetSettings

    @property
    def place(self) -> str:
        """Folder of the circuit inside the run's folder."""
        return "/".join(part for part in (self.start, SHRUNK if self.shrunk else "") if part)


def datasheet_of(settings: DatasheetSettings, read: Read) -> DataSheet:
    """Return the data sheet of a verified circuit, whose files ``read`` reads."""
    from dwn_asic.boolean.compose import Circuit
    from dwn_asic.equivalence.check import Check
    from dwn_asic.report.datasheet.build import Chosen, data_sheet, provenance
    from dwn_asic.targets.base import Implementation, Proof

    dataset, built, target = read(DATASET), read(IMPLEMENTATION), settings.target
    fitted, exact = read(FITTED.at(settings.start)), not settings.shrunk
    chosen = Chosen(
        label=circuit_label(fitted.label, shrunk=settings.shrunk, merged=read(MINIMIZED).merged),
        kind="exact" if exact else "shrunk",
        folder=f"{settings.name}/{settings.place}".rstrip("/"),
        other=(f"{SHRUNK}/datasheet" if exact else "../datasheet") if settings.other else "",
        imported=settings.imported,
        head=read(NETWORK.at(settings.start)).head if exact and settings.network else None,
    )
    kind = target_kind(target.kind)
    files = dict.fromkeys((*kind.files, *kind.binaries), "")
    return data_sheet(
        chosen,
        read(GRAPH),
        Circuit(read(ENCODER), read(CORE)),
        Implementation(
            built.name,
            files,
            built.metrics,
            built.summary,
            registers=target.hardware.registers,
            pipeline=target.hardware.pipeline,
        ),
        Proof(tuple(Check(**asdict(check)) for check in read(PROOF))),
        target.open().technology,
        dataset,
        read(PREDICTIONS),
        provenance(
            dataset,
            source=settings.source,
            flow_file=settings.file,
            command=f"dwn-asic run {shlex.quote(settings.file)} --seed {settings.seed}",
            seed=settings.seed,
        ),
    )


def circuit_label(label: str, *, shrunk: bool, merged: bool) -> str:
    """Return the label of a circuit in tables and data sheets, given the label of its model."""
    return f"{label}{f', {SHRUNK}' if shrunk else ''}{', core with encoder' if merged else ''}"


def _datasheet(settings: DatasheetSettings, space: Workspace) -> None:
    sheet = datasheet_of(settings, space.get)
    space.put(MARKDOWN, sheet.markdown())
    space.put(HTML, sheet.html())


def datasheet_step(settings: DatasheetSettings) -> Step[DatasheetSettings]:
    """Return the step that writes the data sheet of a circuit as Markdown and HTML."""
    circuit = (GRAPH, CORE, ENCODER, MINIMIZED, PREDICTIONS, IMPLEMENTATION, PROOF)
    head = (NETWORK.at(settings.start),) if settings.network and not settings.shrunk else ()
    return Step(
        "datasheet",
        settings.place,
        settings,
        _datasheet,
        (DATASET, FITTED.at(settings.start), *head, *circuit),
        PAGES,
        environment=_environment,
    )


def _environment(settings: DatasheetSettings) -> Mapping[str, str]:
    return {**versions("jinja2"), **settings.target.environment}
