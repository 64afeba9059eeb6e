"""Hardware of circuits: a target, an implementation, its proof and its data sheet."""

from __future__ import annotations

from typing import get_args

import numpy as np

from dwn_asic.arguments import check_fits, checked_name, graph_of, validated
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.data.dataset import Dataset
from dwn_asic.errors import ConfigError, DwnAsicError
from dwn_asic.methods.base import Classifier
from dwn_asic.optimize.lossy.front import FrontCircuit
from dwn_asic.report.datasheet.build import Chosen, data_sheet, provenance
from dwn_asic.report.datasheet.value import DataSheet
from dwn_asic.targets.base import Depth, Implementation, Proof, Specification, Target, Vectors
from dwn_asic.targets.prove import prove
from dwn_asic.targets.registry import target_kinds
from dwn_asic.verilog.config import HardwareConfig
from dwn_asic.verilog.writer import Registers

__all__ = ["datasheet", "implement", "target", "target_or_default", "verify"]


def target(
    kind: str = "asic",
    *,
    registers: Registers = "none",
    pipeline: bool = False,
    **options: object,
) -> Target:
    """Return the target that circuits are built for.

    Parameters
    ----------
    kind
        ``asic``, ``aig``, or the name of a target that another package adds.
    registers
        Where the top module has flip-flops: ``inputs``, ``outputs``, ``both`` or ``none``.
    pipeline
        Whether it has flip-flops between encoder and core too.
    options
        Options of the target: ``timeout_s`` (time limit of one tool run in seconds) and, of ``asic``, ``pdk``
        (name or file of a PDK configuration) and ``clock_ns`` (period in ns that mapping aims at).

    Raises
    ------
    DwnAsicError
        There is no such target.
    ConfigError
        An option is wrong.
    PdkError
        The PDK is not available.

    Examples
    --------
    >>> target(pdk="sky130hd").technology.library
    'sky130_fd_sc_hd'
    """
    known = target_kinds()
    if kind not in known:
        raise DwnAsicError(f"there is no target {kind!r} (allowed: {', '.join(known)})")
    what = f"target {kind}"
    hardware = validated(HardwareConfig, what, {"registers": registers, "pipeline": pipeline})
    return known[kind].open(validated(known[kind].config, what, options), hardware)


def implement(
    circuit: Circuit,
    target: Target | None = None,
    *,
    name: str = "classifier",
    dataset: Dataset | None = None,
) -> Implementation:
    """Implement a circuit: for ``asic``, write Verilog, map it to cells, and write a testbench.

    Parameters
    ----------
    circuit
        Result of :func:`minimize`.
    target
        Target to build for.
    name
        Prefix of the module names: a letter, then letters, digits and underscores.
    dataset
        Data set whose test rows the testbench applies. Without a data set, or if it has no test rows, the
        testbench applies random codes.

    Raises
    ------
    ConfigError
        The name is not allowed.
    DataError
        The circuit belongs to another data set.
    ToolError
        A tool fails.
    """
    rows = np.empty(0, np.int64) if dataset is None else dataset.split.test
    if dataset is not None:
        check_fits(circuit.core, dataset)
    if dataset is not None and len(rows):
        codes = dataset.codes[rows]
        vectors = Vectors(codes, circuit.graph.predict(codes))
    else:
        vectors = Vectors.drawn(circuit)
    return target_or_default(target).implement(circuit, checked_name(name, "implement"), vectors)


def verify(
    implementation: Implementation,
    start: Classifier | FrontCircuit | BooleanGraph,
    circuit: Circuit,
    target: Target | None = None,
    *,
    dataset: Dataset | None = None,
    depth: Depth = "basic",
) -> Proof:
    """Verify that an implementation computes what the model computes.

    Proofs cover every input. With a data set, all its rows are compared with the model's predictions too. A
    greater depth adds checks by other tools, which repeat the proofs: a network against its graph on random
    codes, and on every code if these are not too many; Verilog as Yosys reads it; a proof by Yosys alone that
    the netlist equals the Verilog; and simulation by Verilator, which takes from ten seconds to minutes.

    Parameters
    ----------
    implementation
        Result of :func:`implement`.
    start
        The model: the argument that :func:`minimize` was called with.
    circuit
        The minimized circuit from which the implementation was built.
    target
        Target that it was built for.
    dataset
        Rows on which to compare with the model's predictions.
    depth
        ``basic``: the required proofs. ``usual``: also checks by other tools, except Verilator, for circuits
        of at most 1,000 cells. ``full``: everything that the installed tools can check.

    Returns
    -------
    Proof
        The checks. One that was not run, or not finished within the time limit of the target, says why.

    Raises
    ------
    ConfigError
        There is no such depth.
    DataError
        The model belongs to another data set.
    VerificationError
        Two descriptions differ; the error has the first counterexample.

    Examples
    --------
    >>> from dwn_asic import fit, minimize, read_data
    >>> dataset = read_data("sklearn:iris")
    >>> tree = fit(dataset, "decision_tree", leaves=4)
    >>> circuit = minimize(tree, effort="low")
    >>> proof = verify(implement(circuit), tree, circuit)
    >>> [check.what for check in proof.checks if check.how == "proof"]
    ['graph == minimized', 'graph == Verilog', 'graph == netlist']
    """
    if depth not in get_args(Depth):
        raise ConfigError("verify", "depth", f"is {depth!r}", ", ".join(get_args(Depth)))
    graph = graph_of(start)
    codes = np.empty((0, len(graph.interface.widths)), np.int64)
    if dataset is not None:
        check_fits(graph, dataset)
        codes = dataset.codes
    predictions = start.predictions if isinstance(start, Classifier) and len(codes) else graph.predict(codes)
    wanted = Specification(
        graph,
        circuit,
        codes,
        predictions,
        start.network if isinstance(start, Classifier) else None,
        isinstance(start, FrontCircuit),
    )
    proof = prove(target_or_default(target), implementation, wanted, depth)
    # Without rows, a comparison of rows shows nothing.
    return Proof(tuple(check for check in proof.checks if check.how != "rows" or check.size))


def datasheet(
    implementation: Implementation,
    start: Classifier | FrontCircuit | BooleanGraph,
    circuit: Circuit,
    proof: Proof,
    target: Target | None = None,
    *,
    dataset: Dataset,
) -> DataSheet:
    """Return the data sheet of a verified circuit: how to drive it, how large and how accurate it is.

    Parameters
    ----------
    implementation, start, circuit, target, dataset
        As in :func:`verify`.
    proof
        From :func:`verify`.

    Raises
    ------
    DataError
        The circuit is not one for this data set.

    Examples
    --------
    >>> from dwn_asic import fit, minimize, read_data
    >>> dataset = read_data("sklearn:iris")
    >>> tree = fit(dataset, "decision_tree", leaves=4)
    >>> circuit = minimize(tree, effort="low")
    >>> built = implement(circuit)
    >>> sheet = datasheet(built, tree, circuit, verify(built, tree, circuit), dataset=dataset)
    >>> sheet.inputs[0].port, len(sheet.inputs[0].thresholds)
    ('x2_petal_length_cm', 1)
    >>> sheet.markdown().splitlines()[0]
    '# classifier, exact circuit: data sheet'
    """
    graph = graph_of(start)
    check_fits(graph, dataset)
    chosen = Chosen("", "shrunk" if isinstance(start, FrontCircuit) else "")
    if isinstance(start, Classifier):
        head = None if start.network is None else start.network.head
        chosen = Chosen(start.label, "exact", head=head)
    predictions = start.predictions if isinstance(start, Classifier) else graph.predict(dataset.codes)
    technology = target_or_default(target).technology
    return data_sheet(
        chosen, graph, circuit, implementation, proof, technology, dataset, predictions, provenance(dataset)
    )


def target_or_default(given: Target | None) -> Target:
    """Return the given target, or for None the default one."""
    return target() if given is None else given
