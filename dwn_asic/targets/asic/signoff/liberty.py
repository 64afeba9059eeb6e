"""Reading of the timing and power in Liberty files."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from dwn_asic.boolean.expression import truth_table
from dwn_asic.errors import PdkError
from dwn_asic.targets.asic.liberty_file import (
    Group,
    LibertyFile,
    argument,
    attribute,
    groups,
    parse_group,
    read_file,
    unquote,
)
from dwn_asic.targets.asic.signoff.library import (
    NO_TABLE,
    Arc,
    Conditions,
    Constraint,
    InternalPower,
    Leakage,
    Pin,
    TableStore,
    Thresholds,
    TimedCell,
    TimingLibrary,
    WireLoad,
)

__all__ = ["read_timing"]

_PREFIX = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}
_FIRST = {"input_net_transition", "input_transition_time", "related_pin_transition"}
_SECOND = {"total_output_net_capacitance", "constrained_pin_transition"}
_TRIGGERS = {
    "": "any",
    "combinational": "any",
    "combinational_rise": "any",
    "combinational_fall": "any",
    "rising_edge": "rising",
    "falling_edge": "falling",
}
_CHECKS = {f"{kind}_{edge}": (kind, edge) for kind in ("setup", "hold") for edge in ("rising", "falling")}
_SENSES = {"positive_unate": "positive", "negative_unate": "negative", "non_unate": "both"}


def read_timing(paths: Sequence[Path]) -> TimingLibrary:
    """Read the Liberty files (``.lib`` or ``.lib.gz``) that together are one library at one corner.

    A cell, an arc or a table that cannot be interpreted is left out with a note.

    Raises
    ------
    PdkError
        A file is unreadable or not Liberty, its units are missing, or it has no cells with timing.
    """
    if not paths:
        raise PdkError("timing needs Liberty files, and none is given")
    store, notes = TableStore(), list[str]()
    cells: dict[str, TimedCell] = {}
    wire_loads: dict[str, WireLoad] = {}
    grounds: set[str] = set()
    conditions: Conditions | None = None
    thresholds: Thresholds | None = None
    first = default_wire_load = ""
    for path in paths:
        file = read_file(path)
        reader = _FileReader(file, store)
        first, conditions = first or file.name, conditions or reader.conditions()
        thresholds = thresholds or reader.thresholds()
        wire_loads.update(reader.wire_loads())
        default_wire_load = default_wire_load or attribute(file.header, "default_wire_load")
        for text in file.cells:
            try:
                cell = reader.cell(parse_group(text))
            except ValueError as error:
                notes.append(f"{path.name}: cell {text.name or '()'} has no timing: {error}")
                continue
            cells[cell.name] = cell
        grounds |= reader.grounds
        notes += [*file.notes, *(f"{path.name}: {note}" for note in reader.notes)]
    if not any(cell.arcs for cell in cells.values()):
        raise PdkError(f"{', '.join(map(str, paths))}: no cell has timing")
    assert conditions is not None
    assert thresholds is not None
    return TimingLibrary(
        first,
        conditions,
        cells,
        store.tables(),
        thresholds,
        frozenset(grounds),
        wire_loads,
        default_wire_load if default_wire_load in wire_loads else "",
        tuple(notes),
    )


class _FileReader:
    """The units, templates and conditions of one file, and the reading of its cells."""

    def __init__(self, file: LibertyFile, store: TableStore) -> None:
        self.file, self._store, self.notes = file, store, list[str]()
        header = file.header
        self._time = self._unit(r"([\d.]*)\s*([munpf]?)s", "time_unit", 1e9)
        self._power = self._unit(r"([\d.]*)\s*([munpf]?)W", "leakage_power_unit", 1e9)
        volt = self._unit(r"([\d.]*)\s*([munpf]?)V", "voltage_unit", 1.0)
        load: list[str] = next((g.get("args", []) for g in groups(header, "capacitive_load_unit")), [])
        unit = re.fullmatch(r"([munpf]?)f", unquote(load[1]).lower()) if len(load) == 2 else None
        if unit is None:
            raise PdkError(f"{file.path}: no usable capacitive_load_unit")
        self._load = float(unquote(load[0])) * _PREFIX[unit[1]] * 1e12
        self._energy = self._load * volt * volt
        self._volt = volt
        # Only wire-load models need it.
        ohm = re.fullmatch(r"([\d.]*)\s*(k?)ohm", attribute(header, "pulling_resistance_unit"))
        self._resistance = float(ohm[1] or 1) * (1.0 if ohm[2] else 1e-3) if ohm else 1.0
        self.grounds = {
            unquote(g["args"][0])
            for g in groups(header, "voltage_map")
            if len(g.get("args", [])) == 2 and float(unquote(g["args"][1])) == 0.0
        }
        self._templates: dict[str, Group] = {}
        for text in file.others:
            if text.kind in {"lu_table_template", "power_lut_template"}:
                try:
                    self._templates[text.name] = parse_group(text)
                except ValueError as error:
                    self.notes.append(f"template {text.name} is skipped: {error}")

    def _unit(self, pattern: str, name: str, factor: float) -> float:
        text = attribute(self.file.header, name)
        found = re.fullmatch(pattern, text)
        if found is None:
            raise PdkError(f"{self.file.path}: {name} is {text!r}, which is not usable")
        return float(found[1] or 1) * _PREFIX[found[2]] * factor

    def conditions(self) -> Conditions:
        """Return the default operating conditions, or the nominal ones if the file names no default."""
        header = self.file.header
        wanted = attribute(header, "default_operating_conditions")
        known = [text for text in self.file.others if text.kind == "operating_conditions"]
        for text in known:
            if text.name == wanted or (not wanted and len(known) == 1):
                group = parse_group(text)
                return Conditions(
                    text.name,
                    self._number(group, "voltage", self._volt),
                    self._number(group, "temperature", 1.0),
                )
        return Conditions(
            self.file.name,
            self._number(header, "nom_voltage", self._volt),
            self._number(header, "nom_temperature", 1.0),
        )

    def _number(self, group: Group, name: str, factor: float) -> float:
        text = attribute(group, name)
        try:
            return float(text) * factor
        except ValueError:
            raise PdkError(f"{self.file.path}: {name} is {text!r}, which is not a number") from None

    def thresholds(self) -> Thresholds:
        """Return where the file measures delays and transitions, by default 20, 50 and 80% of the supply."""
        names = {
            "low": ("slew_lower_threshold_pct_rise", 20.0),
            "high": ("slew_upper_threshold_pct_rise", 80.0),
            "middle": ("output_threshold_pct_rise", 50.0),
        }
        header = self.file.header
        percent = {
            name: self._number(header, key, 1.0) if attribute(header, key) else default
            for name, (key, default) in names.items()
        }
        derate = attribute(header, "slew_derate_from_library")
        return Thresholds(
            **{name: value / 100.0 for name, value in percent.items()},
            derate=self._number(header, "slew_derate_from_library", 1.0) if derate else 1.0,
        )

    def wire_loads(self) -> dict[str, WireLoad]:
        """Return the wire-load models."""
        found = {}
        for text in self.file.others:
            if text.kind != "wire_load":
                continue
            try:
                group = parse_group(text)
                lengths = [
                    (int(float(unquote(g["args"][0]))), float(unquote(g["args"][1])))
                    for g in groups(group, "fanout_length")
                ]
                capacitance = float(attribute(group, "capacitance") or 0) * self._load
                resistance = float(attribute(group, "resistance") or 0) * self._resistance
                slope = float(attribute(group, "slope") or 0)
            except (ValueError, IndexError) as error:
                self.notes.append(f"wire load {text.name} is skipped: {error}")
                continue
            found[text.name] = WireLoad(text.name, capacitance, resistance, tuple(lengths), slope)
        return found

    # ---- cells ---------------------------------------------------------------------------------------------
    def cell(self, group: Group) -> TimedCell:
        """Return a cell; raises ValueError if it cannot be interpreted."""
        for supply in groups(group, "pg_pin"):
            if attribute(supply, "pg_type").endswith("ground"):
                self.grounds.add(argument(supply))
        pins: dict[str, Pin] = {}
        arcs: list[Arc] = []
        constraints: list[Constraint] = []
        internal = list(self._internal("", group))
        for pin_group in groups(group, "pin"):
            for name in map(unquote, pin_group.get("args", [])):
                pins[name] = self._pin(name, pin_group)
                internal += self._internal(name, pin_group)
        for pin_group in groups(group, "pin"):
            for name in map(unquote, pin_group.get("args", [])):
                for timing in groups(pin_group, "timing"):
                    found = self._timing(name, timing, pins)
                    arcs += [each for each in found if isinstance(each, Arc)]
                    constraints += [each for each in found if isinstance(each, Constraint)]
        states, remaining = self._leakages(group)
        stored = next((tuple(map(unquote, g.get("args", []))) for g in groups(group, "ff")), ())
        return TimedCell(
            argument(group),
            float(attribute(group, "area") or 0.0),
            pins,
            tuple(arcs),
            tuple(constraints),
            tuple(internal),
            states,
            remaining,
            stored,
        )

    def _pin(self, name: str, group: Group) -> Pin:
        direction = attribute(group, "direction")
        default = attribute(self.file.header, f"default_{direction}_pin_cap")
        both = attribute(group, "capacitance") or default or "0"
        rise, fall = (
            max(_numbers(groups(group, f"{edge}_capacitance_range")), default=None)
            or float(attribute(group, f"{edge}_capacitance") or both)
            for edge in ("rise", "fall")
        )
        return Pin(
            name,
            direction,
            attribute(group, "function"),
            attribute(group, "clock") == "true",
            (rise * self._load, fall * self._load),
            self._optional(attribute(group, "max_capacitance"), self._load),
            self._optional(attribute(group, "max_transition"), self._time),
        )

    @staticmethod
    def _optional(text: str, factor: float) -> float | None:
        return float(text) * factor if text else None

    def _timing(self, name: str, group: Group, pins: Mapping[str, Pin]) -> list[Arc | Constraint]:
        """Return the arcs or constraints of a group ``timing`` of the pin ``name``."""
        kind = attribute(group, "timing_type")
        related = [pin for pin in attribute(group, "related_pin").split() if pin in pins]
        if kind in _CHECKS:
            check, edge = _CHECKS[kind]
            tables = self._pair(group, ("rise_constraint", "fall_constraint"), self._time, self._time)
            return [Constraint(name, pin, check, edge, tables) for pin in related]  # type: ignore[arg-type]
        trigger = _TRIGGERS.get(kind)
        if trigger is None:
            return []
        delay = self._pair(group, ("cell_rise", "cell_fall"), self._load, self._time)
        transition = self._pair(group, ("rise_transition", "fall_transition"), self._load, self._time)
        if kind == "combinational_rise":
            delay, transition = (delay[0], NO_TABLE), (transition[0], NO_TABLE)
        if kind == "combinational_fall":
            delay, transition = (NO_TABLE, delay[1]), (NO_TABLE, transition[1])
        given = _SENSES.get(attribute(group, "timing_sense"))
        return [
            Arc(
                pin,
                name,
                given or _sense(pins[name].function, pin, pins),  # type: ignore[arg-type]
                trigger,  # type: ignore[arg-type]
                attribute(group, "when"),
                delay,
                transition,
            )
            for pin in related
        ]

    def _internal(self, name: str, group: Group) -> Iterator[InternalPower]:
        for power in groups(group, "internal_power"):
            if groups(power, "power"):  # one table for both edges
                pair = self._pair(power, ("power", "power"), self._load, self._energy)
            else:
                pair = self._pair(power, ("rise_power", "fall_power"), self._load, self._energy)
            for related in attribute(power, "related_pin").split() or [""]:
                yield InternalPower(
                    name, related, attribute(power, "when"), attribute(power, "related_pg_pin"), pair
                )

    def _leakages(self, group: Group) -> tuple[tuple[Leakage, ...], float | None]:
        """Return the leakage of each state, and that of all others (None if unknown)."""
        by_state: dict[str, float] = defaultdict(float)
        for state in groups(group, "leakage_power"):
            if attribute(state, "related_pg_pin") not in self.grounds:
                by_state[attribute(state, "when")] += float(attribute(state, "value") or 0.0) * self._power
        text = attribute(group, "cell_leakage_power")
        default = attribute(self.file.header, "default_cell_leakage_power")
        rest = float(text) * self._power if text else by_state.get("")
        if rest is None and default:
            rest = float(default) * self._power
        return tuple(Leakage(when, power) for when, power in by_state.items() if when), rest

    # ---- tables --------------------------------------------------------------------------------------------
    def _pair(
        self, group: Group, kinds: tuple[str, str], second_factor: float, factor: float
    ) -> tuple[int, int]:
        rise, fall = (
            next((self._table(table, second_factor, factor) for table in groups(group, kind)), NO_TABLE)
            for kind in kinds
        )
        return rise, fall

    def _table(self, group: Group, second_factor: float, factor: float) -> int:
        """Keep a table with its transition axis first; raises ValueError if its axes are not known."""
        template = self._templates.get(argument(group), {})
        names = [attribute(template, f"variable_{i}") for i in (1, 2)]
        axes = [
            _numbers(groups(group, f"index_{i}") or groups(template, f"index_{i}")) if names[i - 1] else [0.0]
            for i in (1, 2)
        ]
        values = _numbers(groups(group, "values"))
        unknown = [name for name in names if name and name not in _FIRST | _SECOND]
        if unknown or attribute(template, "variable_3"):
            raise ValueError(f"a table has the variable {attribute(template, 'variable_3') or unknown[0]}")
        if len(values) != len(axes[0]) * len(axes[1]):
            raise ValueError(f"a table of {len(axes[0])} x {len(axes[1])} has {len(values)} values")
        scaled = [value * factor for value in values]
        if names[0] in _SECOND or names[1] in _FIRST:
            rows, columns = len(axes[0]), len(axes[1])
            scaled = [scaled[i * columns + j] for j in range(columns) for i in range(rows)]
            axes.reverse()
        first, second = axes
        return self._store.add([x * self._time for x in first], [x * second_factor for x in second], scaled)


def _numbers(found: Iterable[Group]) -> list[float]:
    return [
        float(number)
        for group in found
        for text in group.get("args", [])
        for number in unquote(text).replace(",", " ").replace("\\", " ").split()
    ]


def _sense(function: str, pin: str, pins: Mapping[str, Pin]) -> str:
    """Return the unateness of a function in a pin; ``both`` if it does not follow from the function."""
    inputs = [name for name, each in pins.items() if each.direction == "input"]
    try:
        table = truth_table(function, inputs)
    except ValueError:
        return "both"
    if not function or pin not in inputs:
        return "both"
    bit = 1 << inputs.index(pin)
    changes = {
        (table >> (address | bit) & 1) - (table >> address & 1)
        for address in range(1 << len(inputs))
        if not address & bit
    } - {0}
    return "positive" if changes == {1} else "negative" if changes == {-1} else "both"
