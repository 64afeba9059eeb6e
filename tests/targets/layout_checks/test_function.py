"""Proofs of the function of a layout, on netlists written here: registers, loops, drivers."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from dwn_asic.errors import DataError, VerificationError
from dwn_asic.targets.asic.layout_checks.cell_logic import CellLogic
from dwn_asic.targets.asic.layout_checks.cell_netlist import (
    CellInstance,
    CellNetlist,
    cell_netlist,
    top_module,
)
from dwn_asic.targets.asic.layout_checks.function import prove_layout
from dwn_asic.targets.asic.layout_checks.technology import Technology
from dwn_asic.verilog.reader import parse_verilog

LOGIC = {
    "inv": CellLogic(("A",), {"Y": 0b01}),
    "and": CellLogic(("A", "B"), {"Y": 0b1000}),
    "flop": CellLogic(("CLK", "D"), {}, ("Q",)),
    "half": CellLogic(("A", "B"), {"C": 0b1000, "S": 0b0110}),
}


def netlist(
    *cells: tuple[str, str, Mapping[str, str]], inputs: str = "a b clk", outputs: str = "y"
) -> CellNetlist:
    """Return a netlist of (instance, cell, pins)."""
    names = (*inputs.split(), *outputs.split(), "VPWR", "VGND")
    instances = tuple(CellInstance(*each) for each in cells)
    return CellNetlist(
        "n",
        "top",
        dict(zip(names, names, strict=True)),
        tuple(inputs.split()),
        tuple(outputs.split()),
        instances,
    )


ORDERS = ((("CLK", "D"), ("Q", "Q_N")), (("D", "CLK"), ("Q_N", "Q")))
COUNTER = (
    ("r", "flop", {"CLK": "clk", "D": "d", "Q": "q"}),
    ("g", "and", {"A": "q_n", "B": "a", "Y": "d"}),
    ("i", "inv", {"A": "q", "Y": "q_n"}),
    ("o", "inv", {"A": "q_n", "Y": "y"}),
)


def test_registers_with_feedback_are_proved(technology: Technology) -> None:
    check = prove_layout(netlist(*COUNTER), LOGIC, netlist(*reversed(COUNTER)), LOGIC, technology)
    assert (check.what, check.stage, check.how) == ("netlist == layout", "netlist -> layout", "proof")


def test_the_order_of_pins_does_not_matter(technology: Technology) -> None:
    cells = ("r", "both", {"CLK": "clk", "D": "a", "Q": "y", "Q_N": "z"})
    sides = netlist(cells, outputs="y z")
    one, other = ({"both": CellLogic(pins, {}, pins_out)} for pins, pins_out in ORDERS)
    assert prove_layout(sides, one, sides, other, technology).how == "proof"


@pytest.mark.parametrize(
    ("number", "changed", "output"),
    [
        (0, ("r", "flop", {"CLK": "a", "D": "d", "Q": "q"}), "r.CLK"),
        (1, ("g", "and", {"A": "q_n", "B": "b", "Y": "d"}), "r.D"),
        (3, ("o", "inv", {"A": "q", "Y": "y"}), "y"),
    ],
)
def test_each_difference_is_found(
    number: int, changed: tuple[str, str, Mapping[str, str]], output: str, technology: Technology
) -> None:
    wrong = [*COUNTER]
    wrong[number] = changed
    with pytest.raises(VerificationError, match=rf"netlist == layout fails: at .* expected {output} = "):
        prove_layout(netlist(*COUNTER), LOGIC, netlist(*wrong), LOGIC, technology)


def test_clock_buffers_are_seen_through(technology: Technology) -> None:
    buffered = (
        ("c", "inv", {"A": "clk", "Y": "c_n"}),
        ("e", "inv", {"A": "c_n", "Y": "c"}),
        ("r", "flop", {"CLK": "c", "D": "d", "Q": "q"}),
    )
    prove_layout(netlist(*COUNTER), LOGIC, netlist(*buffered, *COUNTER[1:]), LOGIC, technology)


def test_cells_with_two_outputs(technology: Technology) -> None:
    half = ("h", "half", {"A": "a", "B": "b", "S": "y", "C": "z"})
    gates = ("g", "and", {"A": "a", "B": "b", "Y": "z"})
    inverted = ("h", "half", {"A": "a", "B": "b", "S": "y"})
    prove_layout(
        netlist(half, outputs="y z"), LOGIC, netlist(inverted, gates, outputs="y z"), LOGIC, technology
    )


def test_an_unmatched_register_is_named(technology: Technology) -> None:
    extra = ("extra", "flop", {"CLK": "clk", "D": "a", "Q": "other"})
    with pytest.raises(VerificationError, match="registers without a partner: extra"):
        prove_layout(netlist(*COUNTER), LOGIC, netlist(*COUNTER, extra), LOGIC, technology)


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ([("i", "inv", {"A": "x", "Y": "y"})], "net x has no driver"),
        ([("i", "inv", {"Y": "y"})], "net of an open pin has no driver"),
        ([("i", "inv", {"A": "a", "Y": "y"}), ("j", "inv", {"A": "b", "Y": "y"})], "net y has two drivers"),
        ([("i", "inv", {"A": "b", "Y": "a"}), ("j", "inv", {"A": "a", "Y": "y"})], "net a has two drivers"),
        ([("i", "inv", {"A": "a", "Y": "VPWR"})], "net VPWR has two drivers"),
        ([("i", "inv", {"A": "x", "Y": "y"}), ("j", "inv", {"A": "y", "Y": "x"})], "depends on itself"),
    ],
)
def test_what_is_no_circuit_is_an_error(
    cells: list[tuple[str, str, Mapping[str, str]]], problem: str, technology: Technology
) -> None:
    right = netlist(("i", "inv", {"A": "a", "Y": "y"}))
    with pytest.raises(DataError, match=problem):
        prove_layout(right, LOGIC, netlist(*cells), LOGIC, technology)


def test_long_chains_are_no_problem(technology: Technology) -> None:
    chain = [("i0", "inv", {"A": "a", "Y": "n0"})]
    chain += [(f"i{k}", "inv", {"A": f"n{k - 1}", "Y": f"n{k}"}) for k in range(1, 3001)]
    long = netlist(*chain, ("last", "inv", {"A": "n3000", "Y": "y"}))
    prove_layout(
        netlist(("g", "inv", {"A": "a", "Y": "m"}), ("h", "inv", {"A": "m", "Y": "y"})),
        LOGIC,
        long,
        LOGIC,
        technology,
    )


# ---- netlists from Verilog ---------------------------------------------------------------------------------
def flattened(text: str, technology: Technology, top: str = "") -> CellNetlist:
    design = parse_verilog(text, "text.v")
    return cell_netlist(design, top_module(design, top), technology.supplies, ("VGND", "VPWR"))


def test_constants_are_supplies(technology: Technology) -> None:
    found = flattened(
        "module top (y, z); output [1:0] y; output z; inv i (.A(1'b1), .Y(z)); assign y = 2'b01; endmodule",
        technology,
    )
    assert found.ports == {"y[0]": "VPWR", "y[1]": "VGND", "z": "z", "VPWR": "VPWR", "VGND": "VGND"}
    assert found.instances[0].pins["A"] == "VPWR"
    assert found.instances[0].pins["VPB"] == "VPWR"


def test_ports_of_modules_are_joined(technology: Technology) -> None:
    found = flattened(
        r"""module inner (i, o); input [1:0] i; output o; and \g$1 (.A(i[0]), .B(i[1]), .Y(o)); endmodule
        module top (a, b, y); input a; input b; output y; inner u (.i({b, a}), .o(y)); endmodule""",
        technology,
    )
    (gate,) = found.instances
    assert (gate.name, gate.cell) == ("u.g$1", "and")
    assert {pin: gate.pins[pin] for pin in "ABY"} == {"A": "a", "B": "b", "Y": "y"}
    assert found.inputs == ("a", "b")
    assert found.outputs == ("y",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("module a (); endmodule module b (); endmodule", "has 2 top modules, so one must be named"),
        ("module a (y); output y; a u (.y(y)); endmodule", "has 0 top modules"),
        ("module a (i, y); input i; output y; assign y = ~i; endmodule", "logic that is not mapped"),
        ("module b (i); input i; endmodule module a (i); input i; b u (.j(i)); endmodule", "b has no port j"),
        (
            "module a (c, d, q); input c; input d; output reg q; always @(posedge c) q <= d; endmodule",
            "register q is not mapped to a cell",
        ),
    ],
)
def test_what_is_no_netlist_is_an_error(text: str, problem: str, technology: Technology) -> None:
    with pytest.raises(DataError, match=problem):
        flattened(text, technology)


def test_a_module_in_itself_is_an_error(technology: Technology) -> None:
    with pytest.raises(DataError, match="a contains itself"):
        flattened("module a (y); output y; a u (.y(y)); endmodule", technology, "a")
    with pytest.raises(DataError, match="has no module b"):
        flattened("module a (); endmodule", technology, "b")
