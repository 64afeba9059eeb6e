"""Topic ``signoff``: timing and power beside OpenSTA on real libraries, the time that they take, and area
against delay of the circuits of two flows, which run first if necessary.

The designs are those of :mod:`benchmarks.figures.price_rank`, from the smallest to the largest, and four
larger random ones. The PDKs must be installed (``PDK_ROOT``) and OpenSTA too. Mapped netlists are kept in
``build/figures/signoff``.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np

from benchmarks.figures.kept import kept
from benchmarks.figures.large import popcount_network
from benchmarks.figures.price_rank import circuits
from benchmarks.figures.table import Row, named, row
from dwn_asic.boolean.comparators import encoder_graph
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.flow import Reporter, open_flow, run_flow
from dwn_asic.flow.finished import load
from dwn_asic.targets.asic.delay import DelayMapper
from dwn_asic.targets.asic.pdk import Pdk, load_pdk
from dwn_asic.targets.asic.signoff.activity import simulate
from dwn_asic.targets.asic.signoff.cache import load_timing
from dwn_asic.targets.asic.signoff.library import TimingLibrary
from dwn_asic.targets.asic.signoff.power import estimate
from dwn_asic.targets.asic.signoff.timing import Environment, analyze
from dwn_asic.targets.asic.signoff.uniform import estimate_uniform
from dwn_asic.targets.asic.yosys import synthesize
from dwn_asic.verilog.flat_netlist import FlatNetlist, flat_netlist
from dwn_asic.verilog.reader import parse_verilog
from dwn_asic.verilog.writer import design_verilog

sys.path += ["tests"]  # OpenSTA, which the tests run too

PDKS = {"sky130hd": "<= 1", "ihp-sg13g2": "<= 3", "gf180mcu": "<= 3"}
"""Name of each PDK, and the target for the largest difference of a delay in percent."""
_LOADING = """\
import sys, time
from dwn_asic.targets.asic.pdk import load_pdk
from dwn_asic.targets.asic.pdk_timing import load_timing
begun = time.perf_counter()
pdk = load_pdk(sys.argv[1])
load_timing(pdk)
assert pdk.liberty
print(time.perf_counter() - begun)
"""
_SMALL = 17
_LARGE = (20, 60, 130, 176)
"""Numbers of 6-input tables of the larger circuits."""
_LOAD = 0.02
_ACTIVITY = 0.2
_ROWS = 2000
_SUMMED, _FEW_ROWS = 5, 64
_TWICE = {"gf180mcu": 2.0}
"""Factor on leakage by OpenSTA of 2019, which adds up twice the mean where files lack it."""


@cache
def designs() -> tuple[BooleanGraph, ...]:
    """Return circuits of all sizes, small ones first."""
    small = sorted(circuits(), key=lambda graph: len(graph.luts))
    chosen = [small[i] for i in np.linspace(0, len(small) - 1, _SMALL).astype(int)]
    large = [popcount_network(np.random.default_rng(luts), luts) for luts in _LARGE]
    return (*chosen, *large)


def _netlist(pdk: Pdk, number: int) -> str:
    """Return the mapped netlist of a design; odd ones have registers at inputs and outputs."""

    def measure() -> dict[str, str]:
        graph = designs()[number]
        encoder = encoder_graph([node for _, node in graph.inputs], graph.interface)
        design = design_verilog("design", encoder, graph, "both" if number % 2 else "none")
        return {"netlist": synthesize(design, "design", pdk.library).netlist}

    return str(kept(f"signoff/{pdk.config.name}-{number}", measure)["netlist"])


def _flat(pdk: Pdk, text: str) -> FlatNetlist:
    return flat_netlist(parse_verilog(text, "netlist.v"), "design_top", pdk.library)


def beside_opensta() -> Iterator[Row]:
    """Compare the critical path and the power at uniform activity of all designs at all corners."""
    from opensta import PERIOD, report

    for name, target in PDKS.items():
        pdk = load_pdk(name)
        sizes, delays, powers, totals = [], [], [], []
        for number in range(len(designs())):
            text = _netlist(pdk, number)
            netlist = _flat(pdk, text)
            sizes.append(len(netlist.instances))
            for corner, liberty in pdk.corners.items():
                library = load_timing(liberty)
                with tempfile.TemporaryDirectory(prefix=re.sub(r"\W", "_", corner)) as folder:
                    theirs = report(
                        text,
                        "design_top",
                        liberty,
                        Path(folder),
                        clocked=netlist.clock is not None,
                        conditions=library.conditions.name,
                        activity=_ACTIVITY,
                        output_load=_LOAD,
                    )
                timing = analyze(netlist, library, Environment(output_load=_LOAD))
                delays.append(abs(timing.delay / theirs.delay - 1.0))
                power = estimate_uniform(timing, _ACTIVITY)
                ours, dynamic = power.dynamic * 1e3 / PERIOD, theirs.internal + theirs.switching
                powers.append(abs(ours / dynamic - 1.0))
                total = dynamic + theirs.leakage / _TWICE.get(name, 1.0)
                totals.append(abs((ours + power.leakage_power * 1e-3) / total - 1.0))
        corners = f"{len(pdk.corners)} corner{'s' * (len(pdk.corners) > 1)}"
        what = f"{name}, {len(sizes)} designs of {min(sizes)} to {max(sizes)} cells, {corners}"
        yield row(
            f"signoff.sta_delay_{name}",
            f"{what}: critical path, largest difference from OpenSTA",
            100 * max(delays),
            "%",
            target,
        )
        yield row(
            f"signoff.sta_power_{name}",
            f"{what}: internal and switching power at the same activity everywhere, "
            "largest difference from OpenSTA",
            100 * max(powers),
            "%",
            "<= 5",
        )
        yield row(
            f"signoff.sta_total_{name}",
            f"{what}: power with leakage at the same activity everywhere, largest difference from OpenSTA",
            100 * max(totals),
            "%",
            "<= 5",
        )


def leakage() -> Iterator[Row]:
    """Compare the leakage of netlists with a sum over all cells and rows, state by state."""
    for name in PDKS:
        pdk = load_pdk(name)
        library = load_timing(pdk.corners[pdk.config.corner])
        sizes, differences = [], []
        for number in range(0, 2 * _SUMMED, 2):  # those without registers
            netlist = _flat(pdk, _netlist(pdk, number))
            timing = analyze(netlist, library, Environment())
            widths = np.array(designs()[number].interface.widths)
            codes = np.random.default_rng(number).integers(0, 1 << widths, (_FEW_ROWS, len(widths)))
            settled = simulate(netlist, codes)
            by_hand = sum(_leakages(netlist, library, settled.values, row) for row in range(_FEW_ROWS))
            ours = estimate(timing, settled).leakage_power
            differences.append(abs(ours / (by_hand / _FEW_ROWS) - 1.0))
            sizes.append(len(netlist.instances))
        what = f"{name}, {len(sizes)} designs of {min(sizes)} to {max(sizes)} cells, {_FEW_ROWS} rows"
        yield row(
            f"signoff.leakage_{name}",
            f"{what}: leakage, largest difference from a sum over cells and rows by state",
            100 * max(differences),
            "%",
            "<= 0.1",
        )


def _leakages(netlist: FlatNetlist, library: TimingLibrary, values: Sequence[int], row: int) -> float:
    """Return the leakage (nW) of all cells in a row; conditions are evaluated as Python expressions."""
    total = 0.0
    for instance in netlist.instances:
        cell = library.cell(instance.cell.name)
        nets = zip(
            (*instance.cell.inputs, instance.cell.output), (*instance.inputs, instance.output), strict=True
        )
        pins = {pin: bool(values[net] >> row & 1) for pin, net in nets}
        states = [each.power for each in cell.leakages if eval(_python(each.when), {}, pins)]
        assert len(states) <= 1
        total += states[0] if states else cell.leakage or 0.0
    return total


def _python(condition: str) -> str:
    """Return a condition of Liberty as an expression of Python."""
    for sign, word in {"!": "not", "&": "and", "*": "and", "|": "or", "+": "or"}.items():
        condition = condition.replace(sign, f" {word} ")
    return condition.strip()


def speed() -> Iterator[Row]:
    """Measure timing and power of a large netlist and of ten copies of it, from its text on."""
    pdk = load_pdk("sky130hd")
    library = load_timing(pdk.corners[pdk.config.corner])
    number = len(designs()) - 1 - (len(designs()) - 1) % 2  # one without registers
    text = _netlist(pdk, number)
    small = _seconds(pdk, text, library)
    for copies, target in ((1, "<= 5"), (10, "<= 60")):
        seconds, cells = small if copies == 1 else _seconds(pdk, _copied(text, copies), library)
        what = f"sky130hd, timing and power of a netlist of {cells} cells over {_ROWS} rows, from its text on"
        yield row(f"signoff.seconds_{copies}", f"{what}, {copies} x one module", seconds, "s", target)


def delay(flow: str, kind: str) -> Iterator[Row]:
    """Measure how much faster a circuit of a flow gets, and what 70% of its delay cost in area."""
    opened = open_flow(Path("flows") / f"{flow}.yaml", Path("build"))
    run_flow(opened, Reporter())
    run = load(opened.folder)
    circuit = run.chosen(shrunk=kind == "shrunk").circuit
    design = design_verilog(flow, circuit.encoder, circuit.core, "none")
    pdk = load_pdk("sky130hd")
    mapper = DelayMapper(design, flow, pdk)
    front = mapper.front()
    name, what = f"signoff.delay_{flow}_{kind}", f"{flow}, {kind} circuit, sky130hd"
    text = f"{what}: delay of the mapping for area alone ({front[0].delay:.2f} ns) over that of the fastest"
    yield row(f"{name}_ratio", text, front[0].delay / front[-1].delay)
    text = f"{what}: area of the fastest mapping, more than the smallest"
    yield row(f"{name}_fastest", text, 100.0 * (front[-1].area / front[0].area - 1.0), "%")
    wanted = mapper.meet(0.7 * front[0].delay)
    if wanted.delay <= 0.7 * front[0].delay:
        text = f"{what}: area at 70% of the delay of the mapping for area alone, more than that mapping's"
        yield row(f"{name}_at_70", text, 100.0 * (wanted.area / front[0].area - 1.0), "%")


def _seconds(pdk: Pdk, text: str, library: object) -> tuple[float, int]:
    start = time.perf_counter()
    netlist = _flat(pdk, text)
    widths = _widths(netlist)
    codes = np.random.default_rng(0).integers(0, 1 << widths, (_ROWS, len(widths)))
    estimate(analyze(netlist, library), simulate(netlist, codes))  # type: ignore[arg-type]
    return time.perf_counter() - start, len(netlist.instances)


def _widths(netlist: FlatNetlist) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the number of bits of each feature."""
    ports = sorted(netlist.inputs, key=lambda bit: (int(re.findall(r"\d+", bit[0])[0]), bit[1]))
    return np.array([sum(port == name for port, _ in ports) for name in dict.fromkeys(p for p, _ in ports)])


def _copied(text: str, copies: int) -> str:
    """Return a netlist whose top module holds several copies of the design, with the same inputs."""
    top = re.search(r"^module design_top\((.*?)\);\n(.*?)^endmodule\n", text, re.MULTILINE | re.DOTALL)
    assert top is not None
    ports = [port.strip() for port in top[1].split(",")]
    declared = re.findall(r"^ *(?:input|output) (?:\[\d+:\d+\] )?\S+;\n", top[2], re.MULTILINE)
    (output,) = [port for port in ports if any(re.search(rf"output .*\b{port};", each) for each in declared)]
    width = next(each for each in declared if re.search(rf"output .*\b{output};", each))
    lines = [text.replace("module design_top", "module design_copy")]
    names = [f"{output}{i}" for i in range(copies)]
    lines.append(f"module design_top({', '.join([p for p in ports if p != output] + names)});\n")
    lines += [each for each in declared if each != width]
    lines += [width.replace(f"{output};", f"{name};") for name in names]
    for i, name in enumerate(names):
        pins = ", ".join(f".{port}({name if port == output else port})" for port in ports)
        lines.append(f"  design_copy u{i} ({pins});\n")
    return "".join([*lines, "endmodule\n"])


def loading() -> Iterator[Row]:
    """Measure how long an installed PDK takes to load for the second time, each time in a new process."""
    for name in (*PDKS, "asap7"):
        taken = []
        for _ in range(4):
            found = subprocess.run(
                [sys.executable, "-c", _LOADING, name], check=True, capture_output=True, text=True
            )
            taken.append(float(found.stdout))
        what = f"time to load {name} whole in a new process, best of three after the first"
        yield row(f"signoff.load_{name}", what, min(taken[1:]), "s", "<= 0.3")


MEASUREMENTS = {
    **named(
        "signoff",
        beside_opensta,
        *(f"sta_{what}_{key}" for what in ("delay", "power", "total") for key in PDKS),
    ),
    **named("signoff", leakage, *(f"leakage_{key}" for key in PDKS)),
    **named("signoff", speed, "seconds_1", "seconds_10"),
    **named("signoff", loading, *(f"load_{name}" for name in (*PDKS, "asap7"))),
    **{
        id_: measure
        for flow in ("phoneme", "digits")
        for kind in ("shrunk", "exact")
        for id_, measure in named(
            "signoff",
            partial(delay, flow, kind),
            *(f"delay_{flow}_{kind}_{figure}" for figure in ("ratio", "fastest", "at_70")),
        ).items()
    },
}
