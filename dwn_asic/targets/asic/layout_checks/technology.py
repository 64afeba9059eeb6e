"""The description of a process for checks of layouts: layers, rules, connections and devices, from YAML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from dwn_asic.configuration import Positive, Strict
from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.pdk import config_path
from dwn_asic.yaml_file import load_yaml, validate

__all__ = [
    "CHECKS",
    "EXTENT",
    "Decks",
    "Devices",
    "LayerNumber",
    "Resistor",
    "Rule",
    "SpiceFiles",
    "Technology",
    "Transistor",
    "load_technology",
]

Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], Field(strict=False, min_length=1)]
LayerNumber = Annotated[tuple[int, int], Field(strict=False)]
"""Layer and purpose of a GDS file."""
Kind = Literal[
    "width",
    "space",
    "wide space",
    "wide space along a run",
    "separation",
    "separation beside crossings",
    "enclosure",
    "extension",
    "adjacent sides",
    "one direction",
    "inside",
    "overlap",
    "holds",
    "reach",
    "size",
    "area",
    "hole",
    "grid",
    "right angles",
    "half right angles",
]
EXTENT = "extent"
"""The layer that is the rectangle around everything drawn."""
CHECKS: Mapping[str, str] = {
    "width": "{layer} is narrower than {um} um",
    "space": "{layer} is closer than {um} um to itself",
    "wide space": "{layer} wider than {wide} um is closer than {um} um to other {layer}",
    "wide space along a run": (
        "{layer} wider than {wide} um is closer than {um} um to {layer} along more than {run} um"
    ),
    "separation": "{layer} is closer than {um} um to {other}",
    "separation beside crossings": "{layer} is closer than {um} um to {other}, which it does not cross",
    "enclosure": "{other} encloses {layer} by less than {um} um",
    "extension": "{layer} extends over {other} by less than {um} um",
    "adjacent sides": "{other} encloses {layer} by less than {um} um on two adjacent sides",
    "one direction": "{other} encloses {layer} by less than {um} um both in x and in y",
    "inside": "{layer} is not inside {other}",
    "overlap": "{layer} overlaps {other}",
    "holds": "{layer} does not contain {other}",
    "reach": "{layer} is farther than {um} um from {other} in its {within}",
    "size": "{layer} is not a square of {um} um",
    "area": "{layer} is smaller than {um} um2",
    "hole": "a hole in {layer} is smaller than {um} um2",
    "grid": "a corner is not on the grid of {um} um",
    "right angles": "an edge is neither horizontal nor vertical",
    "half right angles": "an edge is not at a multiple of 45 degrees",
}
"""Kind of rule -> the problem where it is violated."""
_FIGURES = {"um", "other", "wide", "run", "within"}


class Rule(Strict):
    """One design rule."""

    rule: Text
    """Name in the foundry's documentation."""
    check: Kind
    """Kind of the rule."""
    layer: Text | None = None
    """Layer that the rule is about; rules of grid and angles have none, but ``layers``."""
    layers: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """Layers of a rule of grid or angles; by default all."""
    other: Text | None = None
    """Second layer, for example the one that encloses."""
    within: Text | None = None
    """Layer whose polygons a distance may not leave."""
    um: Positive | None = None
    """The figure in um, or in um2 for areas."""
    wide: Positive | None = None
    """Width in um from which the spacing of wide shapes applies."""
    run: Positive | None = None
    """Length in um that edges face each other for, above which a spacing applies."""

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Rule:
        needed = {name for name in _FIGURES if f"{{{name}}}" in CHECKS[self.check]}
        if "{layer}" in CHECKS[self.check]:
            needed.add("layer")
        given = {name for name in (*_FIGURES, "layer") if getattr(self, name) is not None}
        if needed != given:
            raise ValueError(f"rule {self.rule}: the keys {', '.join(sorted(needed))}")
        return self

    @property
    def problem(self) -> str:
        """The problem where the rule is violated."""
        return CHECKS[self.check].format(**self.model_dump())


class Transistor(Strict):
    """The recognition of one kind of transistor."""

    models: Texts
    """Models of SPICE files, all of which mean this transistor."""
    type: Literal["nmos", "pmos"]
    """Kind of its channel."""
    gate: Text
    """Layer of the channel, with its gate above."""
    source_drain: Text
    """Layer of source and drain."""
    bulk: Text
    """Layer of the well, or the name of the substrate's net."""


class Resistor(Strict):
    """The recognition of one kind of resistor; its resistance is not compared."""

    models: Texts
    """Models of SPICE files, all of which mean this resistor."""
    body: Text
    """Layer of the resistor."""
    ends: Text
    """Layer of both ends."""


class Devices(Strict):
    """The layers of devices and nets."""

    poly: Text
    """Layer that connects gates."""
    bulk: Text
    """Name of the substrate's net."""
    substrate_contact: Text
    """Layer that is connected to the substrate."""
    connections: Annotated[tuple[Annotated[tuple[Text, Text], Field(strict=False)], ...], Field(strict=False)]
    """Pairs of layers that are connected where they touch."""
    transistors: Annotated[tuple[Transistor, ...], Field(strict=False, min_length=1)]
    """All kinds of transistors."""
    resistors: Annotated[tuple[Resistor, ...], Field(strict=False)] = ()
    """All kinds of resistors."""
    unit: Literal["um", "m"] = "um"
    """Unit of the widths and lengths in SPICE files."""
    ignored: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """Models of other devices in SPICE files, for example diodes, which are not compared."""


class SpiceFiles(Strict):
    """Places of the cells' SPICE netlists: ``*.spice`` files in a folder and all below it."""

    folders: Texts
    """Glob patterns of folders below a PDK root."""
    package: Text | None = None
    """Python package that has them too, if there is one."""
    package_folder: Text | None = None
    """Folder inside this package."""

    @model_validator(mode="after")
    def _has_both_or_none(self) -> SpiceFiles:
        if (self.package is None) != (self.package_folder is None):
            raise ValueError("package and package_folder: both, or none of them")
        return self


class Decks(Strict):
    """Official rule decks of tools that the user may have."""

    klayout: Texts
    """Glob patterns of KLayout's deck below a PDK root."""
    klayout_requires: Text | None = None
    """The least version of KLayout that can run its deck, if not every one can."""
    klayout_options: dict[Text, Text]
    """Variables that KLayout's deck is run with."""
    magic: Texts
    """Glob patterns of Magic's start file (``.magicrc``) below a PDK root."""


class Technology(Strict):
    """The content of a file ``pdk_configs/NAME.checks.yaml``."""

    description: Text
    """One line about the process."""
    layers: dict[Text, LayerNumber]
    """Name of each drawn layer, and its numbers in the GDS file."""
    labels: dict[Text, LayerNumber]
    """Layer -> numbers of the texts that name its nets."""
    derived: dict[Text, Text]
    """Name of each derived layer -> two layers joined by ``and``, ``or`` or ``not``."""
    rules: Annotated[tuple[Rule, ...], Field(strict=False)]
    """The design rules, each with a name of its own."""
    supplies: dict[Text, Texts]
    """Net of each supply, the positive one first -> pins of cells at it."""
    devices: Devices
    """Devices and connections."""
    spice: SpiceFiles
    """SPICE netlists of the cells."""
    decks: Decks
    """The foundry's own decks."""

    @model_validator(mode="after")
    def _names_known_layers(self) -> Technology:
        known = {*self.layers, EXTENT}
        for name, text in self.derived.items():
            words = text.split()
            if len(words) != 3 or words[1] not in {"and", "or", "not"} or not {words[0], words[2]} <= known:
                raise ValueError(f"derived.{name}: `A and B`, `A or B` or `A not B` of layers before it")
            known.add(name)
        for rule in self.rules:
            used = {rule.layer, rule.other, rule.within, *rule.layers} - {None}
            if unknown := sorted(map(str, used - known)):
                raise ValueError(f"rule {rule.rule}: layers that are declared, not {unknown[0]}")
        names = [rule.rule for rule in self.rules]
        if repeated := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"rule {repeated[0]}: each name once")
        return self


def load_technology(pdk: str | Path) -> Technology:
    """Load the checks of a PDK, given its name or its YAML file: ``NAME.checks.yaml`` beside that file.

    Raises
    ------
    PdkError
        There is no such PDK, or there are no checks for it.
    ConfigError
        The file is wrong.
    """
    config = config_path(pdk)
    path = config.with_name(f"{config.stem}.checks.yaml")
    if not path.is_file():
        known = ", ".join(sorted(each.name.split(".")[0] for each in config.parent.glob("*.checks.yaml")))
        raise PdkError(
            f"{path}: not found, so layouts cannot be checked (PDKs with checks: {known or 'none'})"
        )
    return validate(Technology, load_yaml(path), path)
