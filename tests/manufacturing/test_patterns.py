"""Faults, fault simulation, SAT and compaction, each against stuck pins in the text of the netlist."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from stuck import Mapped, mapped, random_graph, stuck

from dwn_asic.boolean.packed import unpack_rows
from dwn_asic.errors import DataError, VerificationError
from dwn_asic.manufacturing.build import build_test
from dwn_asic.manufacturing.compact import compacted, covering, variants
from dwn_asic.manufacturing.faults import FaultList, stuck_at_faults
from dwn_asic.manufacturing.generate import PatternSet, generate
from dwn_asic.manufacturing.sat import PatternSolver, cover
from dwn_asic.manufacturing.simulate import FaultSimulator
from dwn_asic.manufacturing.value import ManufacturingTest, codes_of, patterns_of
from dwn_asic.targets.asic.cell_library import Cell, CellLibrary, FlipFlop
from dwn_asic.verilog.flat_netlist import flat_netlist
from dwn_asic.verilog.reader import parse_verilog
from dwn_asic.verilog.simulate import run_testbench
from dwn_asic.verilog.writer import Registers

ROOT = Path(__file__).resolve().parents[2]
REGISTERS: tuple[Registers, ...] = ("none", "both", "inputs")


@cache
def example(registers: Registers) -> Mapped:
    """Return a small circuit with this kind of registers."""
    library = CellLibrary.load_table(ROOT / "pdk_configs" / "sky130hd.cells.csv")
    return mapped(random_graph(REGISTERS.index(registers) + 1), registers, library)


@cache
def effects(registers: Registers) -> tuple[FaultList, np.ndarray]:
    """Return the faults of the example, and for which codes each one changes the class: (faults, codes)."""
    some = example(registers)
    faults, good = stuck_at_faults(some.netlist), some.classes(some.text)
    return faults, np.array(
        [some.classes(stuck(some.text, fault.pin, fault.value)) != good for fault in faults.faults]
    )


@cache
def made(registers: Registers) -> ManufacturingTest:
    """Return the test of the example."""
    some = example(registers)
    rng = np.random.default_rng(0)
    return build_test("demo", some.netlist, "sky130", some.circuit, registers, some.codes[:5], rng, rounds=10)


# ---- faults ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("registers", REGISTERS)
def test_all_pins_of_cells_and_ports_are_faults(registers: Registers) -> None:
    some = example(registers)
    pins = {
        f"{'' if module == 'top' else module + '.'}{instance}.{pin}"
        for module, body in re.findall(r"module demo_(\w+)\(.*?\n(.*?)endmodule", some.text, re.DOTALL)
        for instance, connections in re.findall(r"sky130_\w+ (\w+) \((.*?)\);", body, re.DOTALL)
        for pin in re.findall(r"\.(\w+)\(", connections)
        if pin != "CLK"
    }
    pins |= {f"x0_f0[{k}]" for k in range(4)} | {f"x1_f1[{k}]" for k in range(3)}
    pins |= {"class_index[0]", "class_index[1]"}
    faults = stuck_at_faults(some.netlist).faults
    assert len(faults) == 2 * len(pins)
    assert {(fault.pin, fault.value) for fault in faults} == {(p, v) for p in pins for v in (False, True)}


@pytest.mark.parametrize("registers", REGISTERS)
def test_faults_of_one_class_have_the_same_effect(registers: Registers) -> None:
    faults, changed = effects(registers)
    assert faults.n_classes < 0.75 * len(faults.faults)
    assert len(faults.collapsed) == faults.n_classes
    for number, fault in enumerate(faults.collapsed):
        members = np.flatnonzero(faults.classes == number)
        assert faults.faults.index(fault) == members[-1]
        assert (changed[members] == changed[members[0]]).all()


def flat(body: str) -> FaultList:
    nand = Cell("NAND", 2.0, ("A", "B"), "Y", "!(A & B)", (0.1, 0.1), 0.0)
    aoi = Cell("AOI", 2.0, ("A", "B", "C"), "Y", "!((A & B) | C)", (0.1, 0.1, 0.1), 0.0)
    inv = Cell("INV", 1.0, ("A",), "Y", "!A", (0.1,), 0.0)
    reset = FlipFlop("DFFR", 6.0, "CK", "D", "QN", (0.1,) * 3, 0.0, inverting=True, reset="RN")
    library = CellLibrary("toy", "typical", (nand, aoi, inv), (reset,), "NAND", 2.0)
    text = f"module m (input clk, input a, input b, input c, output y); {body} endmodule"
    return stuck_at_faults(flat_netlist(parse_verilog(text, "m.v"), "m", library))


@pytest.mark.parametrize(
    ("body", "together"),
    [
        ("NAND g (.A(a), .B(b), .Y(y));",
         ["a/0 g.A/0 b/0 g.B/0 g.Y/1 y/1", "g.Y/0 y/0", "a/1 g.A/1", "b/1 g.B/1"]),
        ("AOI g (.A(a), .B(b), .C(c), .Y(y));",
         ["a/0 g.A/0 b/0 g.B/0", "c/1 g.C/1 g.Y/0 y/0", "g.Y/1 y/1", "a/1 g.A/1", "b/1 g.B/1", "c/0 g.C/0"]),
        ("INV g (.A(a), .Y(y));", ["a/0 g.A/0 g.Y/1 y/1", "a/1 g.A/1 g.Y/0 y/0"]),
        # Clock and reset have no faults; the flip-flop inverts.
        ("DFFR r (.CK(clk), .D(a), .RN(1'b1), .QN(y));", ["a/0 r.D/0 r.QN/1 y/1", "a/1 r.D/1 r.QN/0 y/0"]),
        # A net with two readers has three places for a fault.
        ("wire n; INV g (.A(a), .Y(n)); NAND h (.A(n), .B(n), .Y(y));",
         ["a/0 g.A/0 g.Y/1", "a/1 g.A/1 g.Y/0", "h.A/0 h.B/0 h.Y/1 y/1", "h.Y/0 y/0"]),
        ("assign y = a;", ["a/0 y/0", "a/1 y/1"]),
    ],
)  # fmt: skip
def test_classes(body: str, together: list[str]) -> None:
    found = flat(body)
    classes: dict[int, list[str]] = {}
    for fault, number in zip(found.faults, found.classes.tolist(), strict=True):
        classes.setdefault(number, []).append(f"{fault.pin}/{int(fault.value)}")
    several = {frozenset(each) for each in classes.values() if len(each) > 1}
    assert several == {frozenset(each.split()) for each in together}
    assert str(found.faults[0]) == "a stuck at 0"


# ---- simulation --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("registers", REGISTERS)
def test_simulation_finds_what_stuck_pins_change(registers: Registers) -> None:
    some, (faults, changed) = example(registers), effects(registers)
    simulator, patterns = FaultSimulator.of(some.netlist), patterns_of(some.netlist, some.codes)
    got = unpack_rows(simulator.detections(faults.faults, patterns), len(patterns)).T
    assert (got == changed).all()
    first = simulator.first_detections(faults.faults, patterns)
    assert (first == np.where(changed.any(axis=1), changed.argmax(axis=1), -1)).all()
    outputs = simulator.values(patterns)
    assert (outputs @ (1 << np.arange(2)) == some.circuit.graph.predict(some.codes)).all()


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 128])
def test_any_number_of_patterns(count: int) -> None:
    some, (faults, changed) = example("none"), effects("none")
    simulator = FaultSimulator.of(some.netlist)
    patterns = patterns_of(some.netlist, some.codes[:count])
    words = simulator.detections(faults.faults, patterns)
    assert words.shape == (len(faults.faults), -(-count // 64))
    assert (unpack_rows(words, 64 * words.shape[1]).T[:, :count] == changed[:, :count]).all()
    assert np.bitwise_count(words).sum() == changed[:, :count].sum()  # unused bits are 0
    first = simulator.first_detections(faults.faults, patterns)
    wanted = [np.flatnonzero(row)[0] if row.any() else -1 for row in changed[:, :count]]
    assert first.tolist() == wanted
    assert len(simulator.values(patterns)) == count


def test_more_patterns_than_one_block() -> None:
    some, (faults, changed) = example("none"), effects("none")
    many = np.tile(patterns_of(some.netlist, some.codes), (40, 1))  # 5,120 patterns
    got = unpack_rows(FaultSimulator.of(some.netlist).detections(faults.faults, many), len(many)).T
    assert (got == np.tile(changed, (1, 40))).all()
    twice = np.concatenate([np.repeat(many[:1], 6000, axis=0), many[:128]])
    first = FaultSimulator.of(some.netlist).first_detections(faults.faults, twice)
    late = changed.any(axis=1) & ~changed[:, 0]
    assert (first[late] == 6000 + changed[late].argmax(axis=1)).all()


# ---- SAT ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("registers", REGISTERS)
def test_sat_finds_a_pattern_or_there_is_none(registers: Registers) -> None:
    some, (faults, changed) = example(registers), effects(registers)
    place = {tuple(row): k for k, row in enumerate(some.codes.tolist())}
    assert not changed.any(axis=1).all()
    with PatternSolver(some.netlist) as solver:
        for fault, effect in zip(faults.faults, changed, strict=True):
            found = solver.pattern([fault])
            if found is False:
                assert not effect.any()
            else:
                assert isinstance(found, np.ndarray)
                assert effect[place[tuple(codes_of(some.netlist, found[None], 2)[0].tolist())]]
            if solver.n_copies > 200:
                solver.forget()
                assert solver.n_copies == 0


def test_sat_finds_a_pattern_for_two_faults_or_there_is_none() -> None:
    some, (faults, changed) = example("none"), effects("none")
    place = {tuple(row): k for k, row in enumerate(some.codes.tolist())}
    rng, answers = np.random.default_rng(0), []
    with PatternSolver(some.netlist) as solver:
        for _ in range(200):
            a, b = rng.integers(0, len(faults.faults), 2)
            found = solver.pattern([faults.faults[a], faults.faults[b]])
            both = changed[a] & changed[b]
            if found is False:
                assert not both.any()
            else:
                assert isinstance(found, np.ndarray)
                assert both[place[tuple(codes_of(some.netlist, found[None], 2)[0].tolist())]]
            answers.append(found is False)
    assert 20 < sum(answers) < 180


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4])
def test_covers_are_exact_and_prime(n: int) -> None:
    rng = np.random.default_rng(n)
    for table in {int(t) for t in rng.integers(0, 1 << (1 << n), 40)}:
        for value in (False, True):
            wanted = {a for a in range(1 << n) if bool(table >> a & 1) == value}
            cubes = cover(table, n, value=value)
            members = [{a for a in range(1 << n) if all((a >> k & 1) == bit for k, bit in c)} for c in cubes]
            assert set().union(*members) == wanted
            for cube in cubes:
                for gone in range(len(cube)):
                    larger = [each for k, each in enumerate(cube) if k != gone]
                    grown = {a for a in range(1 << n) if all((a >> k & 1) == bit for k, bit in larger)}
                    assert not grown <= wanted


# ---- compaction --------------------------------------------------------------------------------------------
def test_covering_detects_everything_with_few_patterns() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        detections = rng.random((60, 40)) < rng.choice([0.05, 0.2, 0.6])
        chosen = covering(detections)
        assert len(set(chosen)) == len(chosen)
        assert (detections[chosen].any(axis=0) == detections.any(axis=0)).all()
        for k in chosen:  # none is superfluous
            others = [each for each in chosen if each != k]
            assert (detections[others].any(axis=0) != detections.any(axis=0)).any()
        new = [int((detections[k] & ~detections[chosen[:i]].any(axis=0)).sum()) for i, k in enumerate(chosen)]
        assert new == sorted(new, reverse=True)


def test_rare_faults_come_first() -> None:
    # The largest pattern is useless: the two that detect the rare faults 0 and 1 detect all.
    detections = np.array([[0, 1, 1, 1, 1, 0], [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]], bool)
    assert sorted(covering(detections)) == [1, 2]
    assert covering(np.zeros((3, 0), bool)) == []
    assert covering(np.zeros((3, 4), bool)) == []


def test_compaction_keeps_what_is_detected_and_finds_fewer_patterns() -> None:
    some, (faults, _) = example("none"), effects("none")
    simulator = FaultSimulator.of(some.netlist)

    def detections(patterns: np.ndarray) -> np.ndarray:
        return unpack_rows(simulator.detections(faults.faults, patterns), len(patterns))

    start = patterns_of(some.netlist, some.codes)
    first = start[np.unique(simulator.first_detections(faults.faults, start).clip(0))]
    rounds: list[tuple[int, int]] = []
    few = compacted(
        first,
        detections,
        np.random.default_rng(0),
        rounds=20,
        candidates=500,
        progress=lambda done, size: rounds.append((done, size)),
    )
    assert (detections(few).any(axis=0) == detections(first).any(axis=0)).all()
    assert len(few) < len(covering(detections(first)))
    assert [done for done, _ in rounds] == list(range(1, len(rounds) + 1))
    assert [size for _, size in rounds] == sorted((size for _, size in rounds), reverse=True)
    assert rounds[-1][1] == len(few)
    again = compacted(first, detections, np.random.default_rng(0), rounds=20, candidates=500)
    assert (again == few).all()


def test_variants_differ_from_their_patterns_a_little() -> None:
    patterns = np.random.default_rng(0).random((4, 200)) < 0.5
    found = variants(patterns, 1000, np.random.default_rng(1))
    assert found.shape == (1000, 200)
    distance = (found[:, None] != patterns).sum(axis=2).min(axis=1)
    assert distance.min() == 0
    assert 1 < np.median(distance) < 10


# ---- generation --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("registers", REGISTERS)
def test_all_testable_faults_are_detected(registers: Registers) -> None:
    some, (faults, changed), test = example(registers), effects(registers), made(registers)
    found = test.detected
    place = {tuple(row): k for k, row in enumerate(some.codes.tolist())}
    rows = [place[tuple(row)] for row in test.codes.tolist()]
    testable = changed.any(axis=1)
    detected = changed[:, rows]
    assert (detected.any(axis=1) == testable).all()
    assert (found.untestable[faults.classes] == ~testable).all()
    assert (found.first[faults.classes] == np.where(testable, detected.argmax(axis=1), -1)).all()
    assert (test.expected == some.circuit.graph.predict(test.codes)).all()
    coverage = found.coverage
    assert (coverage.total, coverage.classes) == (len(faults.faults), faults.n_classes)
    assert (coverage.detected, coverage.untestable) == (testable.sum(), (~testable).sum())
    assert (coverage.aborted, coverage.of_testable) == (0, 1.0)
    assert coverage.of_all == pytest.approx(testable.mean())
    assert {str(each) for each in found.untestable_faults} == {
        str(each) for each, changes in zip(faults.faults, testable, strict=True) if not changes
    }


def test_a_search_that_takes_too_many_conflicts_is_aborted() -> None:
    # The parity of 14 bits is computed twice, in two orders. That the results are equal takes long to prove.
    xor = Cell("XOR", 2.0, ("A", "B"), "Y", "A ^ B", (0.1, 0.1), 0.0)
    order = np.random.default_rng(0).permutation(14)
    lines = [
        f"XOR {net}{k} (.A({net}[{k}]), .B(x0_a[{bit}]), .Y({net}[{k + 1}]));"
        for net, bits in (("p", range(14)), ("q", order))
        for k, bit in enumerate(bits)
    ]
    text = (
        "module m (input [13:0] x0_a, output class_index); wire [14:0] p, q; "
        f"assign p[0] = 1'b0; assign q[0] = 1'b0; {' '.join(lines)} "
        "XOR last (.A(p[14]), .B(q[14]), .Y(class_index)); endmodule"
    )
    library = CellLibrary("toy", "typical", (xor,), (), "XOR", 2.0)
    netlist = flat_netlist(parse_verilog(text, "m.v"), "m", library)
    none = np.zeros((0, 14), bool)
    limited = generate(netlist, none, np.random.default_rng(0), rounds=1, conflicts=10)
    stages: list[str] = []
    full = generate(
        netlist, none, np.random.default_rng(0), rounds=1, progress=lambda what, *_: stages.append(what)
    )
    assert (full.coverage.aborted, full.coverage.of_testable) == (0, 1.0)
    assert limited.coverage.aborted > 0
    assert limited.coverage.aborted + limited.coverage.untestable == full.coverage.untestable
    assert limited.coverage.of_testable < 1.0
    assert {"SAT", "compaction"} == set(stages)


def test_a_circuit_of_constants_has_no_testable_cells() -> None:
    text = "module m (input x0_a, output class_index); assign class_index = 1'b1; endmodule"
    library = CellLibrary("toy", "typical", (), (), "NAND", 2.0)
    netlist = flat_netlist(parse_verilog(text, "m.v"), "m", library)
    found = generate(netlist, np.zeros((0, 1), bool), np.random.default_rng(0))
    assert [str(fault) for fault in found.untestable_faults] == [
        "x0_a stuck at 0", "x0_a stuck at 1", "class_index stuck at 1"
    ]  # fmt: skip
    assert found.coverage.detected == 1
    assert len(found.patterns) == 1


def test_nothing_to_detect_is_full_coverage() -> None:
    empty = PatternSet(
        FaultList((), np.zeros(0, np.int64)),
        np.zeros(0, np.int64),
        np.zeros(0, bool),
        np.zeros((0, 0), bool),
        np.zeros((0, 0), bool),
    )
    assert (empty.coverage.of_testable, empty.coverage.of_all) == (1.0, 1.0)


# ---- codes and files ---------------------------------------------------------------------------------------
def test_codes_and_patterns_are_inverse() -> None:
    some = example("none")
    patterns = patterns_of(some.netlist, some.codes)
    assert (codes_of(some.netlist, patterns, 2) == some.codes).all()


def test_a_port_of_no_feature_is_an_error() -> None:
    text = "module m (input a, output class_index); assign class_index = a; endmodule"
    netlist = flat_netlist(parse_verilog(text, "m.v"), "m", CellLibrary("toy", "", (), (), "N", 2.0))
    with pytest.raises(DataError, match=r"m\.v: port a of m is not a feature"):
        patterns_of(netlist, np.zeros((1, 1), np.int64))
    with pytest.raises(DataError, match=r"m\.v: port a of m is not a feature"):
        codes_of(netlist, np.zeros((1, 1), bool), 1)


def test_another_circuit_than_the_netlist_is_an_error() -> None:
    some, other = example("none"), example("both")
    rng, none = np.random.default_rng(0), some.codes[:0]
    with pytest.raises(VerificationError, match="circuit == netlist fails on"):
        build_test("demo", some.netlist, "", other.circuit, "none", none, rng, rounds=1)


def found_twice(test: ManufacturingTest) -> list[str]:
    """Return the pins for which stuck at 0 and stuck at 1 are both untestable."""
    pins = [fault.pin for fault in test.detected.untestable_faults]
    return [f"{pin} stuck at 0 or 1" for pin in sorted(set(pins)) if pins.count(pin) == 2]


def test_files_hold_patterns_faults_and_numbers() -> None:
    test = made("both")
    files = test.files()
    assert list(files) == ["patterns.csv", "faults.csv", "summary.json", "testbench.v"]
    header, *rows = files["patterns.csv"].splitlines()
    assert header == "x0_f0,x1_f1,class_index"
    assert [[int(v) for v in row.split(",")] for row in rows] == np.column_stack(
        [test.codes, test.expected]
    ).tolist()
    header, *rows = files["faults.csv"].splitlines()
    assert header == "pin,stuck_at,class,status,first_pattern"
    status = [row.split(",")[3] for row in rows]
    coverage = test.detected.coverage
    assert status.count("detected") == coverage.detected
    assert status.count("untestable") == coverage.untestable == len(rows) - coverage.detected
    assert all((row.split(",")[4] == "") == (row.split(",")[3] != "detected") for row in rows)
    summary = test.summary()
    assert summary["latency"] == 2
    assert summary["patterns"] == len(test.codes)
    assert summary["coverage_of_testable"] == 1.0
    assert len(summary["untestable_faults"]) == summary["untestable"]  # type: ignore[arg-type]
    assert "patterns" in test.lines()[4]
    assert test.lines()[-1].startswith("untestable: ")
    assert test.lines()[-1].count(" stuck at 0 or 1") == len(
        [pin for pin in found_twice(test) if pin in test.lines()[-1]]
    )


@pytest.mark.tool("iverilog", "vvp")
@pytest.mark.parametrize("registers", REGISTERS)
def test_the_bench_passes_on_the_netlist_and_fails_on_stuck_pins(registers: Registers) -> None:
    some, test = example(registers), made(registers)
    files = {"cells.v": some.library.verilog_models(), "testbench.v": test.testbench}
    assert run_testbench({**files, "netlist.v": some.text}, "demo_tb") == len(test.codes)
    faults = test.detected.faults
    pairs = zip(faults.faults, faults.classes, strict=True)
    testable = [fault for fault, number in pairs if test.detected.first[number] >= 0]
    for fault in np.random.default_rng(0).choice(np.array(testable, object), 12, replace=False):
        wrong = stuck(some.text, fault.pin, fault.value)
        with pytest.raises(VerificationError, match="simulation of demo_tb: FAIL"):
            run_testbench({**files, "netlist.v": wrong}, "demo_tb")
    for fault in test.detected.untestable_faults[:3]:
        same = stuck(some.text, fault.pin, fault.value)
        assert run_testbench({**files, "netlist.v": same}, "demo_tb") == len(test.codes)
