"""Proof by Yosys alone that a netlist equals its design: no code of this package stands between the two.

Yosys reads the Verilog of both and the Liberty files of the cells, and proves them equal module by module:
each module of the design against the module of the same name in the netlist, in which library cells are
replaced by their functions and instances of other modules by ports. So the proof covers the logic of each
module and what each instance is connected to. Yosys also counts the instances of each module.

In a large module Yosys's ABC first merges nodes that it proves equal, since otherwise SAT takes too long on
the sums of a popcount; what is left is proved by Yosys's own SAT.

With registers, each module is unrolled from an arbitrary state for as many clock cycles as the pipeline is
deep, and one more: outputs are compared in the last one. Since any cycle may be the first, this proves that
outputs are equal in every cycle after the pipeline has been filled, whatever the registers held before.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from dwn_asic.boolean.ports import CLOCK_PORT
from dwn_asic.errors import ToolError, VerificationError
from dwn_asic.tools import find_yosys
from dwn_asic.verilog.text import split_modules

__all__ = ["prove_netlist"]

_INSTANCE = re.compile(r"^    (\w+) (\w+) \($", re.MULTILINE)
_PROVED = "SAT proof finished - no model found: SUCCESS!"
_DIFFERS = "SAT proof finished - model found: FAIL!"
_MISMATCH = re.compile(r"^ERROR: (No matching port in \w+ module .*|Can't find .*|Module .*)$", re.MULTILINE)
_MISCOUNT = re.compile(r"^ERROR: (?:Assertion failed: )?selection .*$", re.MULTILINE)
_PROVING = re.compile(r"^dwn-asic: module (\w+)$", re.MULTILINE)
# Time, name, and the value in decimals, hexadecimals and bits; decimals and hexadecimals may be missing.
_VALUE = re.compile(r"^ +(?:(\d+) +|init +)?\\in_(\S+) .*?([01x-]+) *$", re.MULTILINE)
_LARGE = 1000
"""Number of statements of a module from which ABC merges equal nodes first."""
_MERGED = ("techmap", "opt -full", "abc -g AND -script +strash;ifraig;scorr;dc2;fraig;strash", "opt_clean")
_MOST_VALUES = 12
"""Maximum number of values in the message of a difference."""


def prove_netlist(
    design: str, netlist: str, top: str, cells: Sequence[Path], latency: int, *, timeout_s: float = 300.0
) -> None:
    """Prove a netlist equal to a design from :func:`dwn_asic.verilog.writer.design_verilog`.

    Parameters
    ----------
    design, netlist
        Verilog text of both.
    top
        Name of the top module.
    cells
        Files with the cells of the netlist: Liberty, or Verilog models with the suffix ``.v``.
    latency
        Clock cycles from the inputs to the outputs; 0 without registers.
    timeout_s
        Time limit of Yosys in seconds.

    Raises
    ------
    VerificationError
        A module of the netlist differs; the error has values of its inputs.
    ToolTimeoutError
        Yosys reaches the time limit.
    ToolError
        Yosys cannot read a file, or fails.
    """
    texts = split_modules(design)
    instances = {name: _INSTANCE.findall(text) for name, text in texts.items()}
    used = {top, *(kind for inside in instances.values() for kind, _ in inside)}
    modules = {name: inside for name, inside in instances.items() if name in used}
    large = {name for name in modules if texts[name].count(";") >= _LARGE}
    files = [path.resolve() for path in cells]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "design.v").write_text(design, encoding="utf-8")
        (folder / "netlist.v").write_text(netlist, encoding="utf-8")
        script = "\n".join(_script(modules, large, top, files, latency))
        try:
            log = find_yosys().run_script(script, timeout_s=timeout_s, cwd=folder)
        except ToolError as error:
            _raise_difference(error)
            raise
    if log.count(_PROVED) != len(modules):
        raise ToolError("yosys", f"proved {log.count(_PROVED)} of {len(modules)} modules", output=log)


def _script(
    modules: Mapping[str, Sequence[tuple[str, str]]],
    large: Collection[str],
    top: str,
    cells: Sequence[Path],
    latency: int,
) -> Iterator[str]:
    """Yield the commands, given the instances in each module as (module, name), and the large modules."""
    names = " ".join(modules)
    kinds = " ".join(f"t:{name}" for name in modules)
    instances = [(parent, *each) for parent, inside in modules.items() for each in inside]
    checks = [f"select -assert-count {len(instances)} {kinds}"]
    checks += [
        f"select -assert-count 1 {parent}/{instance} t:{kind} %i" for parent, kind, instance in instances
    ]
    # From the top down, since the new ports of a module would become ports of those that contain it.
    opened = [
        f"expose -evert {' '.join(f'{parent}/{instance}' for _, instance in inside)}"
        for parent, inside in reversed([*modules.items()])
        if inside
    ]
    apart = [*checks, *opened, "opt_clean"]
    yield "read_verilog design.v"
    yield f"hierarchy -check -top {top}"
    yield "proc"
    yield from apart
    yield "design -stash gold"
    for path in cells:
        options = "-ignore_miss_func -ignore_miss_dir -ignore_miss_data_latch"
        yield f'read_verilog "{path}"' if path.suffix == ".v" else f'read_liberty {options} "{path}"'
    yield "read_verilog netlist.v"
    yield f"hierarchy -check -top {top}"
    yield f"setattr -mod -set keep_hierarchy 1 {names}"
    yield "flatten"
    yield f"setattr -mod -unset keep_hierarchy {names}"
    yield "async2sync"
    yield from apart
    yield "design -stash gate"
    unrolled = f"-seq {latency + 1} -prove-skip {latency} " if latency else ""
    for name in modules:
        yield f"log dwn-asic: module {name}"
        yield f"design -copy-from gold -as gold {name}"
        yield f"design -copy-from gate -as gate {name}"
        yield "miter -equiv -flatten -make_outputs gold gate miter"
        if name in large:
            yield from ("hierarchy -top miter", *_MERGED)
        yield f"sat -verify {unrolled if name == top else ''}-prove trigger 0 -show-inputs miter"
        yield "design -reset"


def _raise_difference(error: ToolError) -> None:
    """Raise VerificationError if Yosys failed since the netlist differs from the design."""
    what, log = "Verilog == netlist in Yosys fails", error.output
    module = (_PROVING.findall(log) or [""])[-1]
    if _DIFFERS in log:
        values = [
            f"{name}={int(bits, 2) if set(bits) <= {'0', '1'} else bits}{f' in cycle {time}' if time else ''}"
            for time, name, bits in _VALUE.findall(log[log.rindex(_DIFFERS) :])
            if name != CLOCK_PORT
        ]
        if len(values) > _MOST_VALUES:
            values[_MOST_VALUES:] = ["..."]
        raise VerificationError(f"{what} in module {module}", inputs=" ".join(values)) from error
    if found := _MISMATCH.search(log) or _MISCOUNT.search(log):
        where = f" in module {module}" if module else ""
        raise VerificationError(f"{what}{where}: {found[0].removeprefix('ERROR: ')}") from error
