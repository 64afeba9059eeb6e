"""The target ``aig``: an AIGER file and structural Verilog, proved equal to the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dwn_asic.errors import ConfigError, VerificationError
from dwn_asic.metrics import Shown, Size, lower
from dwn_asic.targets.aig.config import AigConfig
from dwn_asic.targets.base import Implementation, Proof, Specification, TargetKind, Technology, Vectors

if TYPE_CHECKING:
    from dwn_asic.boolean.compose import Circuit
    from dwn_asic.boolean.flat_aig import FlatAig
    from dwn_asic.boolean.graph import BooleanGraph, CodeBit, Interface
    from dwn_asic.targets.aig.cost import AndCost
    from dwn_asic.verilog.config import HardwareConfig

__all__ = ["METRICS", "SIZE", "TARGET", "AigTarget"]

DESIGN, NETLIST = "design.v", "netlist.aig"
_TOTAL, _CORE, _ENCODER, _LEVELS = (
    "aig__and__count",
    "aig__and__count__core",
    "aig__and__count__encoder",
    "aig__level__count",
)
METRICS = (
    lower(_TOTAL, "1", "AND nodes of the whole circuit"),
    lower(_CORE, "1", "AND nodes of the core: the logic between thermometer bits and class index"),
    lower(
        _ENCODER, "1", "AND nodes of the encoder: the comparators between feature codes and thermometer bits"
    ),
    lower(_LEVELS, "1", "AND nodes on the longest path of the whole circuit", aggregate="max"),
)
SIZE = Size(
    unit="AND",
    words="AND nodes",
    noun="size",
    core=_CORE,
    encoder=_ENCODER,
    total=_TOTAL,
    parts="core + encoder",
    decimals=0,
    more=Shown("levels", _LEVELS, 0),
    meaning=(
        "Size is the number of AND nodes of the and-inverter graph, in which inverters are free; levels are "
        "the AND nodes on its longest path. The encoder holds the comparators that turn feature codes into "
        "thermometer bits; the core is the logic from those bits to the class. In the total, nodes that "
        "both share count once."
    ),
)


@dataclass(frozen=True)
class AigTarget:
    """A :class:`dwn_asic.targets.base.Target` that delivers circuits as and-inverter graphs.

    Attributes
    ----------
    timeout_s
        Time limit of each proof in seconds.
    """

    timeout_s: float

    @property
    def technology(self) -> Technology:
        """Name of the target, without a corner."""
        return Technology("aig", "and-inverter graph", "", "AIGER format 1.9")

    @property
    def cost(self) -> AndCost:
        """Cost model: AND nodes."""
        from dwn_asic.targets.aig.cost import AndCost

        return AndCost()

    def implement(self, circuit: Circuit, name: str, vectors: Vectors) -> Implementation:  # noqa: ARG002
        """Write the circuit as a binary AIGER file and as structural Verilog.

        The inputs of the AIGER file are the bits of all features, whether the circuit reads them or not:
        features in the order of the table, and of each feature the least significant bit first.
        """
        from dwn_asic.boolean.aiger import aiger_bytes
        from dwn_asic.boolean.ports import CLASS_PORT
        from dwn_asic.verilog.writer import design_verilog

        inputs = _inputs(circuit.core.interface)
        whole = _flat(circuit.graph, tuple(inputs.values()))
        core, encoder = _flat(circuit.core), _flat(circuit.encoder)
        outputs = [f"{CLASS_PORT}[{k}]" for k in range(len(whole.outputs))]
        metrics = {_TOTAL: whole.size, _CORE: core.size, _ENCODER: encoder.size, _LEVELS: whole.levels}
        return Implementation(
            name,
            {DESIGN: design_verilog(name, circuit.encoder, circuit.core, "none")},
            metrics,
            f"{whole.size} AND nodes, {whole.levels} levels",
            binaries={NETLIST: aiger_bytes(whole, list(inputs), outputs)},
        )

    def verify(self, built: Implementation, wanted: Specification) -> Proof:
        """Compare model, graph, minimized circuit, Verilog and AIGER file on every row and by proof.

        Raises
        ------
        VerificationError
            Two of them differ; the error has the first counterexample.
        ToolTimeoutError
            A proof reaches the time limit.
        """
        from dwn_asic.equivalence.check import check_forms, check_interfaces

        graph, interface = wanted.graph, wanted.graph.interface
        check_interfaces(graph, wanted.circuit)
        forms = {"Verilog": _verilog_graph(built, interface), "AIGER": _aiger_graph(built, interface)}
        checks = check_forms(
            graph, wanted.circuit, forms, wanted.codes, wanted.predictions, timeout_s=self.timeout_s
        )
        return Proof(tuple(checks))


def _inputs(interface: Interface) -> dict[str, CodeBit]:
    """Return name and code bit of each input of the AIGER file."""
    from dwn_asic.boolean.graph import CodeBit
    from dwn_asic.boolean.ports import feature_port

    return {
        f"{feature_port(f, name)}[{bit}]": CodeBit(f, bit)
        for f, name in enumerate(interface.feature_names)
        for bit in range(interface.widths[f])
    }


def _flat(graph: BooleanGraph, inputs: tuple[CodeBit, ...] | None = None) -> FlatAig:
    from dwn_asic.boolean.aig import to_aig
    from dwn_asic.boolean.flat_aig import flatten
    from dwn_asic.boolean.fold import fold

    folded = fold(graph)
    return flatten(to_aig(folded, inputs), len(folded.inputs if inputs is None else inputs))


def _verilog_graph(built: Implementation, interface: Interface) -> BooleanGraph:
    from dwn_asic.verilog.elaborate import elaborate_top
    from dwn_asic.verilog.reader import parse_verilog

    design = parse_verilog(built.files[DESIGN], DESIGN)
    return elaborate_top(design, f"{built.name}_top", interface, None, 0).graph


def _aiger_graph(built: Implementation, interface: Interface) -> BooleanGraph:
    from dwn_asic.boolean.aiger import aiger_graph

    try:
        return aiger_graph(built.binaries[NETLIST], _inputs(interface), interface)
    except (ValueError, IndexError) as error:
        raise VerificationError(f"{NETLIST} is damaged: {error}") from error


def _open(config: AigConfig, hardware: HardwareConfig) -> AigTarget:
    if hardware.registers != "none":
        raise ConfigError("target aig", "hardware.registers", f"is {hardware.registers!r}", "none")
    if hardware.pipeline:
        raise ConfigError("target aig", "hardware.pipeline", "is true", "false")
    if hardware.clock_ns is not None:
        raise ConfigError("target aig", "hardware.clock_ns", "is a period, but this target has no clock")
    return AigTarget(config.timeout_s)


def _environment(config: AigConfig) -> Mapping[str, str]:  # noqa: ARG001
    from dwn_asic.tools import mapper_fingerprint

    return mapper_fingerprint()


TARGET = TargetKind(
    kind="aig",
    config=AigConfig,
    open=_open,
    cost_options=(),
    files=(DESIGN,),
    metrics=METRICS,
    environment=_environment,
    binaries=(NETLIST,),
    circuits=(DESIGN, NETLIST),
    size=SIZE,
)
