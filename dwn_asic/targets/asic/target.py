"""The target ``asic``: structural Verilog that Yosys maps to standard cells, proved equal to the model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from dwn_asic.boolean.ports import whole_of_part
from dwn_asic.errors import PdkError
from dwn_asic.metrics import area_decimals
from dwn_asic.targets.asic.area import METRICS, SIZE, area_metrics
from dwn_asic.targets.asic.config import SynthesisConfig
from dwn_asic.targets.asic.signoff.metrics import DELAY, verdict
from dwn_asic.targets.asic.signoff.metrics import METRICS as SIGNOFF_METRICS
from dwn_asic.targets.base import (
    Depth,
    Implementation,
    Proof,
    Specification,
    TargetKind,
    Technology,
    Vectors,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dwn_asic.boolean.compose import Circuit
    from dwn_asic.equivalence.check import Check
    from dwn_asic.targets.asic.cost import CellCost
    from dwn_asic.targets.asic.delay import DelayMapper
    from dwn_asic.targets.asic.pdk import Pdk
    from dwn_asic.targets.asic.signoff.metrics import Signoff
    from dwn_asic.verilog.config import HardwareConfig
    from dwn_asic.verilog.flat_netlist import FlatNetlist

__all__ = ["TARGET", "AsicTarget"]

DESIGN, NETLIST, CELLS, BENCH, SYNTHESIS = (
    "design.v",
    "netlist.v",
    "cells.v",
    "testbench.v",
    "synth.json",
)


@dataclass(frozen=True)
class AsicTarget:
    """A :class:`dwn_asic.targets.base.Target` that maps circuits to the standard cells of a PDK.

    Attributes
    ----------
    pdk
        PDK with the reduced library that circuits are mapped to.
    hardware
        Options of the hardware: where there are registers, and the clock period to meet.
    timeout_s
        Time limit of each tool run in seconds.
    clock_ns
        Clock period in ns that mapping aims at; None to map for area alone.
    """

    pdk: Pdk
    hardware: HardwareConfig
    timeout_s: float
    clock_ns: float | None = None

    @property
    def period(self) -> float | None:
        """Clock period in ns that the slack refers to: that of the hardware, else that of the mapping."""
        return self.clock_ns if self.hardware.clock_ns is None else self.hardware.clock_ns

    @property
    def technology(self) -> Technology:
        """Name, library, corner and origin of the PDK."""
        library = self.pdk.library
        origin = ", ".join(path.name for path in self.pdk.liberty) or self.pdk.origin
        return Technology(self.pdk.config.name, library.name, library.corner, origin)

    @cached_property
    def cells(self) -> Pdk:
        """PDK with the cells that netlists may have: all drive strengths where mapping aims at a period."""
        from dwn_asic.targets.asic.pdk import with_sizes

        return self.pdk if self.clock_ns is None else with_sizes(self.pdk)

    @property
    def latency(self) -> int:
        """Clock cycles from the codes to the class index; 0 for a combinational circuit."""
        from dwn_asic.verilog.writer import latency

        return latency(self.hardware.registers, pipeline=self.hardware.pipeline)

    @cached_property
    def cost(self) -> CellCost:
        """Cost model: mapped area and prices, in NAND2-equivalents."""
        from dwn_asic.targets.asic.cost import CellCost

        return CellCost(self.pdk.library, self.hardware.registers, self.hardware.pipeline)

    def implement(self, circuit: Circuit, name: str, vectors: Vectors) -> Implementation:
        """Write Verilog and a testbench, and map the Verilog with Yosys; raises ToolError if Yosys fails."""
        from dwn_asic.targets.asic.pdk_timing import has_timing
        from dwn_asic.targets.asic.yosys import synthesize
        from dwn_asic.verilog.testbench import bench_size, bench_verilog
        from dwn_asic.verilog.writer import design_verilog

        library, registers, pipeline = self.pdk.library, self.hardware.registers, self.hardware.pipeline
        design = design_verilog(name, circuit.encoder, circuit.core, registers, pipeline=pipeline)
        rows = bench_size(circuit)
        bench = bench_verilog(
            name,
            circuit.core.interface,
            circuit.encoder,
            vectors.codes[:rows],
            vectors.expected[:rows],
            registers,
            pipeline=pipeline,
        )
        aim = {}
        if self.clock_ns is None:
            mapped = synthesize(design, name, library, timeout_s=self.timeout_s)
        else:
            found = self.delay_mapper(design, name).meet(self.clock_ns)
            mapped = found.synthesis
            aim = {
                "clock_ns": self.clock_ns,
                "delay_ns": found.delay,
                "slack_ns": self.clock_ns - found.delay,
            }
        modules = {module: asdict(area) for module, area in mapped.modules.items()}
        record = json.dumps({"yosys": mapped.yosys, "modules": modules, **aim}, indent=1, sort_keys=True)
        wholes = dict.fromkeys(map(whole_of_part, mapped.modules), 0.0)
        for module, area in mapped.modules.items():
            wholes[whole_of_part(module)] += area.area
        decimals = area_decimals(library.nand2_area)
        areas = ", ".join(f"{module} {area:.{decimals}f} um2" for module, area in wholes.items())
        built = Implementation(
            name,
            {
                DESIGN: design,
                BENCH: bench,
                NETLIST: mapped.netlist,
                CELLS: self.cells.library.verilog_models(),
                SYNTHESIS: f"{record}\n",
            },
            area_metrics(name, mapped.modules, library),
            f"{areas} ({self.pdk.origin})",
            mapped.log,
            registers,
            pipeline=pipeline,
        )
        if (circuit.is_large and self.period is None) or not has_timing(self.pdk):
            return built
        codes = vectors.codes if len(vectors.codes) > 1 else Vectors.drawn(circuit).codes
        try:
            measured = self.sign_off(built, codes).metrics
        except PdkError as error:
            return replace(built, summary=f"{built.summary}; no delay and energy: {error}")
        periods = dict.fromkeys(each for each in (self.clock_ns, self.period) if each is not None)
        said = "".join(f"; {verdict(measured[DELAY], each)}" for each in periods)
        return replace(built, metrics={**built.metrics, **measured}, summary=f"{built.summary}{said}")

    def delay_mapper(self, design: str, name: str) -> DelayMapper:
        """Return the mapper for delay of a design with this prefix of module names.

        Raises PdkError if the timing of the PDK is not known.
        """
        from dwn_asic.targets.asic.delay import DelayMapper

        return DelayMapper(design, name, self.pdk, pipeline=self.hardware.pipeline, timeout_s=self.timeout_s)

    def netlist(self, built: Implementation) -> FlatNetlist:
        """Return the mapped netlist without hierarchy; raises DataError if it is not one of these cells."""
        from dwn_asic.verilog.flat_netlist import flat_netlist
        from dwn_asic.verilog.reader import parse_verilog

        design = parse_verilog(built.files[NETLIST], NETLIST)
        return flat_netlist(design, f"{built.name}_top", self.cells.library)

    def sign_off(
        self, built: Implementation, codes: NDArray[np.int64], corner: str = "", *, glitches: bool = False
    ) -> Signoff:
        """Compute timing and power of an implementation at a corner of the PDK, by default the mapped one.

        Parameters
        ----------
        built
            Implementation of a circuit.
        codes
            (N, F) feature codes of consecutive inferences, N at least 2.
        corner
            Name of the corner.
        glitches
            Whether to simulate the netlist with its delays too, to count glitches.

        Raises
        ------
        PdkError
            The PDK has no timing at that corner.
        DataError
            There are fewer than two rows, or the netlist is not one of the PDK's cells.
        """
        from dwn_asic.targets.asic.pdk_timing import load_timing
        from dwn_asic.targets.asic.signoff.metrics import sign_off

        timing = load_timing(self.cells, corner)
        return sign_off(self.netlist(built), timing, self.pdk.config, codes, self.period, glitches=glitches)

    def verify(self, built: Implementation, wanted: Specification) -> Proof:
        """Compare model, graph, minimized circuit, Verilog and netlist on every row and by proof.

        If Icarus Verilog is installed, it also runs the testbench.

        Raises
        ------
        VerificationError
            Two of them differ; the error has the first counterexample.
        ToolTimeoutError
            A proof reaches the time limit.
        """
        from dwn_asic.equivalence.check import check_forms, check_interfaces, check_parts
        from dwn_asic.verilog.elaborate import elaborate_top
        from dwn_asic.verilog.hierarchy import pairs
        from dwn_asic.verilog.reader import parse_verilog

        hardware, graph = self.hardware, wanted.graph
        check_interfaces(graph, wanted.circuit)
        texts = (("Verilog", DESIGN, None), ("netlist", NETLIST, self.cells.library))
        if wanted.circuit.is_large:
            parts = {
                what: pairs(
                    built.files[file],
                    file,
                    built.name,
                    wanted.circuit,
                    cells,
                    hardware.registers,
                    pipeline=hardware.pipeline,
                )
                for what, file, cells in texts
            }
            checks = check_parts(
                graph, wanted.circuit, parts, wanted.codes, wanted.predictions, timeout_s=self.timeout_s
            )
            return Proof((*checks, *self.cross_check(built, wanted, "basic")))
        forms, interface = {}, wanted.circuit.core.interface
        for what, file, cells in texts:
            design = parse_verilog(built.files[file], file)
            forms[what] = elaborate_top(design, f"{built.name}_top", interface, cells, self.latency).graph
        checks = check_forms(
            graph, wanted.circuit, forms, wanted.codes, wanted.predictions, timeout_s=self.timeout_s
        )
        return Proof((*checks, *self.cross_check(built, wanted, "basic")))

    def cross_check(self, built: Implementation, wanted: Specification, depth: Depth) -> Iterator[Check]:
        """Check once more with other tools; see :mod:`dwn_asic.targets.asic.cross_checks`."""
        from dwn_asic.targets.asic.cross_checks import cross_checks

        yield from cross_checks(self, built, wanted, depth)


def _open(config: SynthesisConfig, hardware: HardwareConfig) -> AsicTarget:
    from dwn_asic.targets.asic.pdk import load_pdk, require_flip_flop
    from dwn_asic.targets.asic.pdk_timing import require_timing

    pdk = load_pdk(config.pdk)
    require_flip_flop(pdk, hardware.registers, pipeline=hardware.pipeline)
    for key, period in (("hardware.clock_ns", hardware.clock_ns), ("synthesis.clock_ns", config.clock_ns)):
        if period is not None:
            require_timing(pdk, key)
    return AsicTarget(pdk, hardware, config.timeout_s, config.clock_ns)


def _environment(config: SynthesisConfig) -> Mapping[str, str]:
    from dwn_asic.targets.asic.pdk import pdk_fingerprint, sizes_fingerprint, timing_fingerprint
    from dwn_asic.tools import mapper_fingerprint

    found = {**pdk_fingerprint(config.pdk), **mapper_fingerprint()}
    if config.clock_ns is None:
        return found
    return {**found, **timing_fingerprint(config.pdk), **sizes_fingerprint(config.pdk)}


def _measured_by(config: SynthesisConfig) -> Mapping[str, str]:
    from dwn_asic.targets.asic.pdk import timing_fingerprint

    return timing_fingerprint(config.pdk)


TARGET = TargetKind(
    kind="asic",
    config=SynthesisConfig,
    open=_open,
    cost_options=("pdk",),
    files=(DESIGN, BENCH, NETLIST, CELLS, SYNTHESIS),
    metrics=(*METRICS, *SIGNOFF_METRICS),
    environment=_environment,
    circuits=(DESIGN, NETLIST),
    size=SIZE,
    measured_by=_measured_by,
)
