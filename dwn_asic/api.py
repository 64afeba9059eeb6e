"""The steps of a flow as functions on values, for notebooks and scripts; none of them uses a build folder.

Each function checks its arguments and then calls the package that does the work. Options are the keys of the
corresponding section of a flow file; an unknown key or a wrong value is an error that lists what is allowed.
``target`` defaults to the result of :func:`target` without arguments: sky130 cells, no registers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import get_args

import numpy as np

from dwn_asic.arguments import check_fits, checked_name, graph_of, validated
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.data.config import DataConfig, ObjectiveConfig
from dwn_asic.data.dataset import Dataset, prepare
from dwn_asic.encode.config import FeatureScaling, QuantizerConfig, Scaling
from dwn_asic.errors import ConfigError, DwnAsicError
from dwn_asic.manufacturing.build import build_test
from dwn_asic.manufacturing.generate import CONFLICTS, ROUNDS
from dwn_asic.manufacturing.value import ManufacturingTest
from dwn_asic.methods.base import Classifier, MethodConfig, Plan, Progress
from dwn_asic.methods.registry import method as method_of
from dwn_asic.optimize.exact.config import MinimizeConfig
from dwn_asic.optimize.exact.minimize import minimize_parts
from dwn_asic.optimize.exact.whole import merge_parts
from dwn_asic.optimize.lossy import shrink as lossy
from dwn_asic.optimize.lossy.config import ShrinkConfig
from dwn_asic.optimize.lossy.front import Front, FrontCircuit
from dwn_asic.report.datasheet.build import Chosen, data_sheet, provenance
from dwn_asic.report.datasheet.value import DataSheet
from dwn_asic.targets.asic.delay import DelayPoint
from dwn_asic.targets.asic.signoff.metrics import Signoff
from dwn_asic.targets.asic.target import AsicTarget
from dwn_asic.targets.base import Depth, Implementation, Proof, Specification, Target, Vectors
from dwn_asic.targets.prove import prove
from dwn_asic.targets.registry import target_kinds
from dwn_asic.verilog.config import HardwareConfig
from dwn_asic.verilog.writer import Registers, design_verilog

__all__ = [
    "datasheet",
    "delay_front",
    "fit",
    "implement",
    "manufacturing_test",
    "minimize",
    "plans",
    "read_data",
    "shrink",
    "sign_off",
    "target",
    "to_verilog",
    "verify",
]


Goal = str | Mapping[str, object] | ObjectiveConfig
"""Name of a metric, or the keys of the section ``objective`` of a flow file."""


# ---- data --------------------------------------------------------------------------------------------------
def read_data(
    source: str,
    *,
    seed: int = 0,
    input_bits: int = 8,
    scaling: Scaling = "fitted",
    features: Mapping[str, FeatureScaling | Mapping[str, float]] | None = None,
    objective: Goal | None = None,
    **options: object,
) -> Dataset:
    """Read a table, split its rows and fit the quantizer that turns values into integer codes.

    For rows that are in memory already, see :meth:`Dataset.from_arrays`.

    Parameters
    ----------
    source
        Where the table comes from: ``bundled:NAME``, ``sklearn:NAME``, ``csv:PATH``, ``arff:PATH``,
        ``pla:PATH`` or ``openml:ID``.
    seed
        Seed of the random split.
    input_bits
        Maximum width of a feature's code in bits, 1 to 16.
    scaling, features
        As in the section ``encoder`` of a flow file: whether values are ``codes`` already; ``lo``, ``step``
        and ``bits`` of single features by name.
    objective
        What models of these rows are optimized for, chosen by and compared by: the name of a metric
        (``accuracy``, ``balanced_accuracy``, ``f1``), or the keys of the section ``objective`` of a flow file
        as a mapping, for example ``{"metric": "cost", "class_weights": {"no": 1, "yes": 5}}``.
    options
        Further keys of the section ``data``: ``test``, ``val``, ``part``, ``label``, ``drop``, ``separator``,
        ``decimal``, ``impute``, ``one_against_rest``, ``split``.

    Raises
    ------
    ConfigError
        The source or an option is wrong.
    DataError
        The table is missing or wrong.

    Examples
    --------
    >>> dataset = read_data("sklearn:iris", split={"val": 0.2, "test": 0.3})
    >>> dataset.table.class_names
    ('setosa', 'versicolor', 'virginica')
    """
    config = validated(DataConfig, "data", {"source": source, **options})
    codes = {"input_bits": input_bits, "scaling": scaling, "features": features or {}}
    dataset = prepare(config, validated(QuantizerConfig, "data", codes), seed)
    return _with_goal(dataset, objective)


def _with_goal(dataset: Dataset, objective: Goal | None) -> Dataset:
    return dataset if objective is None else dataset.with_objective(objective)


# ---- models ------------------------------------------------------------------------------------------------
def fit(
    dataset: Dataset,
    method: str = "dwn",
    *,
    seed: int = 0,
    objective: Goal | None = None,
    progress: Progress | None = None,
    **options: object,
) -> Classifier:
    """Fit a model on the training rows and check its Boolean graph against it on every row.

    Parameters
    ----------
    dataset
        The rows. Training rows fit the model, validation rows decide whatever the method has to choose, and
        test rows are not used.
    method
        Name of the method: ``dwn``, ``decision_tree``, ``tiny_classifier`` or any other registered one.
    seed
        Seed of every random choice; equal arguments return equal classifiers.
    objective
        Objective that replaces the one of the data set, as in :func:`read_data`.
    progress
        Function that is called with a line of text from time to time.
    options
        Keys of the method's configuration; for ``dwn`` these are the sections ``encoder``, ``model`` and
        ``training`` as mappings.

    Raises
    ------
    DwnAsicError
        There is no such method.
    ConfigError
        An option is wrong, or the options describe several classifiers, for which see :func:`plans`.
    DataError
        The data set has nothing to learn from.

    Examples
    --------
    >>> dataset = read_data("sklearn:iris")
    >>> tree = fit(dataset, "decision_tree", leaves=4)
    >>> tree.label, len(tree.graph.inputs), tree.accuracy(dataset)["test"]
    ('decision tree, 4 leaves', 3, 0.9)
    >>> fit(dataset, "decision_tree", leaves=[4, 8])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    dwn_asic.errors.ConfigError: method decision_tree: leaves: describes 2 classifiers (tree-4, ...
    """
    found = plans(method, **options)
    if len(found) != 1:
        raise _not_one(method, options, found)
    return found[0].fit(_with_goal(dataset, objective), seed, progress)


def plans(method: str, **options: object) -> list[Plan]:
    """Return the plans of all classifiers that a method's options describe.

    Call :meth:`~dwn_asic.methods.base.Plan.fit` of a plan to fit its classifier. Parameters and errors are
    those of :func:`fit`, but any number of classifiers is allowed.

    Examples
    --------
    >>> [plan.label for plan in plans("decision_tree", leaves=[4, 8])]
    ['decision tree, 4 leaves', 'decision tree, 8 leaves']
    """
    chosen = method_of(method)
    return [*chosen.plans(_method_config(method, options))]


def _method_config(method: str, options: Mapping[str, object]) -> MethodConfig:
    return validated(method_of(method).config, f"method {method}", {"kind": method, **options})


def _not_one(method: str, options: Mapping[str, object], found: list[Plan]) -> ConfigError:
    """Return the error that says which keys describe several classifiers, or are empty."""
    config, kind = _method_config(method, options), method_of(method)

    def fewer(key: str) -> bool:
        value = getattr(config, key)
        if not found:
            return value == ()
        narrowed = config.model_copy(update={key: value[:1]}) if isinstance(value, tuple) else config
        return len([*kind.plans(narrowed)]) < len(found)

    keys = [key for key in type(config).model_fields if fewer(key)]
    names = f" ({', '.join(plan.name for plan in found)})" if found else ""
    problem = f"describes {len(found)} classifiers{names} instead of one"
    return ConfigError(f"method {method}", ", ".join(keys), problem, "a single value")


# ---- circuits ----------------------------------------------------------------------------------------------
def shrink(
    start: Classifier | BooleanGraph | Sequence[Classifier | BooleanGraph],
    dataset: Dataset,
    target: Target | None = None,
    *,
    seed: int = 0,
    objective: Goal | None = None,
    progress: Callable[[int, int], None] | None = None,
    **options: object,
) -> Front:
    """Anneal circuits into a front of circuits of many sizes and choose one of them.

    The circuits of a front trade area for the score of the objective, by default accuracy. Validation rows
    choose the smallest one that loses at most a tolerance more of the score than the best.

    Parameters
    ----------
    start
        Classifier or Boolean graph to start from, or several; they must belong to this data set. Each start
        gets chains of its own, and with several each circuit of the front has the name of its classifier.
    dataset
        The rows. Training rows guide the annealing, validation rows choose a circuit, and test rows are used
        only for the reported score.
    target
        Target whose area costs are minimized.
    seed
        Seed of every random choice; equal arguments return equal fronts.
    objective
        Objective that replaces the one of the data set, as in :func:`read_data`.
    progress
        Function that is called with the number of finished parts of the work and their total number.
    options
        Keys of the section ``shrink``, for example ``area``, ``tolerance``, ``proposals`` and ``prices``,
        except ``starts``, which ``start`` replaces.

    Raises
    ------
    ConfigError
        An option is wrong.
    DataError
        The circuit belongs to another data set.
    DwnAsicError
        ``start`` is a classifier without a circuit.

    Examples
    --------
    >>> dataset = read_data("sklearn:iris")
    >>> front = shrink(fit(dataset, "decision_tree", leaves=8), dataset, proposals=1000)
    >>> front.chosen.total < 20, front.chosen.val > 0.9
    (True, True)
    """
    starts = [start] if isinstance(start, Classifier | BooleanGraph) else list(start)
    if not starts:
        raise DwnAsicError("shrink needs at least one circuit to start from")
    if "starts" in options:
        raise ConfigError("shrink", "starts", "names circuits of a flow", "the argument start")
    graphs = [graph_of(each) for each in starts]
    for graph in graphs:
        check_fits(graph, dataset)
    first = starts[0]
    return lossy.shrink(
        graphs,
        _with_goal(dataset, objective),
        target_or_default(target).cost,
        validated(ShrinkConfig, "shrink", options),
        seed,
        limits=MinimizeConfig(),
        network=first.network if isinstance(first, Classifier) else None,
        names=[each.name if isinstance(each, Classifier) else "" for each in starts]
        if len(starts) > 1
        else (),
        progress=progress,
    )


def minimize(
    start: Classifier | FrontCircuit | BooleanGraph, target: Target | None = None, **options: object
) -> Circuit:
    """Minimize a circuit exactly: fewer gates, but the same class for all feature codes, which is proved.

    Core and encoder are minimized separately. With ``merge=True`` they are also minimized as one circuit,
    which is kept if it is smaller.

    Parameters
    ----------
    start
        Classifier, circuit of a front, or Boolean graph.
    target
        Target whose cell areas are minimized.
    options
        Keys of the section ``minimize``: ``effort``, ``timeout_s``, ``budget_s``, ``merge``.

    Raises
    ------
    ConfigError
        An option is wrong.
    ToolError
        ABC fails.
    VerificationError
        ABC changed the function.
    DwnAsicError
        ``start`` is a classifier without a circuit.

    Examples
    --------
    >>> dataset = read_data("sklearn:iris")
    >>> tree = fit(dataset, "decision_tree", leaves=4)
    >>> circuit = minimize(tree, effort="low")
    >>> bool((circuit.graph.predict(dataset.codes) == tree.predictions).all())
    True
    """
    config = validated(MinimizeConfig, "minimize", options)
    graph, cost = graph_of(start), target_or_default(target).cost
    effort, timeout_s, budget_s = config.effort, config.timeout_s, config.budget_s
    core, encoder = minimize_parts(graph, cost, effort=effort, timeout_s=timeout_s, budget_s=budget_s)
    if config.merge:
        parts = core, encoder
        core, encoder = merge_parts(graph, parts, cost, effort=effort, timeout_s=timeout_s, budget_s=budget_s)
    return Circuit(encoder.graph, core.graph)


def to_verilog(
    circuit: Circuit,
    name: str = "classifier",
    *,
    registers: Registers = "none",
    pipeline: bool = False,
) -> str:
    """Return structural Verilog of a circuit: modules ``NAME_encoder``, ``NAME_core`` and ``NAME_top``.

    Parameters
    ----------
    circuit
        Result of :func:`minimize`.
    name
        Prefix of the module names: a letter, then letters, digits and underscores.
    registers
        Where the top module has flip-flops: ``inputs``, ``outputs``, ``both`` or ``none``.
    pipeline
        Whether it has flip-flops between encoder and core too.

    Raises
    ------
    ConfigError
        An argument is wrong.
    """
    config = validated(HardwareConfig, "to_verilog", {"registers": registers, "pipeline": pipeline})
    module = checked_name(name, "to_verilog")
    return design_verilog(module, circuit.encoder, circuit.core, config.registers, pipeline=config.pipeline)


# ---- targets -----------------------------------------------------------------------------------------------
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


def sign_off(
    implementation: Implementation,
    target: AsicTarget,
    dataset: Dataset,
    *,
    corner: str = "",
    glitches: bool = False,
    shuffle: int | None = None,
) -> Signoff:
    """Compute timing, power and energy of a mapped circuit at a corner of its PDK.

    Parameters
    ----------
    implementation
        Result of :func:`implement` on the target ``asic``.
    target
        Target that it was built for.
    dataset
        Rows whose energy is measured: the test rows in their order, or all rows without two test rows.
    corner
        Name of the corner; by default the one that circuits are mapped at.
    glitches
        Whether to simulate the netlist with its delays too, and count the transitions of glitches.
    shuffle
        Seed of a random order of the rows; None keeps their order.

    Returns
    -------
    Signoff
        Arrivals of all nets, the critical path, energy and leakage of each instance, and all as metrics.

    Raises
    ------
    ConfigError
        The seed is negative.
    PdkError
        The PDK has no timing at that corner.
    DataError
        There are fewer than two rows, or the netlist is not one of the PDK's cells.
    """
    rows = dataset.split.test if len(dataset.split.test) > 1 else slice(None)
    codes = dataset.codes[rows]
    if shuffle is not None:
        if shuffle < 0:
            raise ConfigError("sign_off", "shuffle", f"is {shuffle}", "an integer of at least 0")
        codes = np.random.default_rng(shuffle).permutation(codes)
    return target.sign_off(implementation, codes, corner, glitches=glitches)


def delay_front(
    circuit: Circuit, target: Target | None = None, *, name: str = "classifier"
) -> tuple[DelayPoint, ...]:
    """Map a circuit several times, from the smallest area to the smallest delay.

    Parameters
    ----------
    circuit
        Result of :func:`minimize`.
    target
        Target ``asic``, whose registers, PDK and time limit hold; its clock period has no effect.
    name
        Prefix of the module names.

    Returns
    -------
    tuple of DelayPoint
        Area (um2), delay (ns) and netlist of each mapping: first the one for area alone, then ever faster
        ones. A target with a ``clock_ns`` verifies their netlists.

    Raises
    ------
    ConfigError
        The name is not allowed.
    DwnAsicError
        The target has no cells.
    PdkError
        The timing of the PDK is not known.
    ToolError
        A tool fails.

    Examples
    --------
    >>> dataset = read_data("sklearn:iris")
    >>> circuit = minimize(fit(dataset, "decision_tree", leaves=4), effort="low")
    >>> points = delay_front(circuit)
    >>> points[-1].delay < points[0].delay and points[-1].area >= points[0].area
    True
    """
    chosen = target_or_default(target)
    if not isinstance(chosen, AsicTarget):
        raise DwnAsicError(f"delay_front: the target {chosen.technology.name} has no cells")
    hardware, prefix = chosen.hardware, checked_name(name, "delay_front")
    design = design_verilog(
        prefix, circuit.encoder, circuit.core, hardware.registers, pipeline=hardware.pipeline
    )
    return chosen.delay_mapper(design, prefix).front()


def manufacturing_test(
    implementation: Implementation,
    circuit: Circuit,
    target: Target | None = None,
    *,
    dataset: Dataset | None = None,
    seed: int = 0,
    rounds: int = ROUNDS,
    conflicts: int = CONFLICTS,
    progress: Callable[[str, int, int], None] | None = None,
) -> ManufacturingTest:
    """Make a manufacturing test: few patterns that detect every testable stuck-at fault of the netlist.

    Faults that no pattern can detect are proved untestable; they show logic that is redundant.

    Parameters
    ----------
    implementation
        Result of :func:`implement` on a target that maps to cells.
    circuit
        The minimized circuit from which the implementation was built.
    target
        Target that it was built for.
    dataset
        Data set whose test rows are tried first. Random codes are always tried.
    seed
        Seed of the random codes; equal arguments return equal tests.
    rounds
        Maximum number of rounds of compaction; more rounds find fewer patterns.
    conflicts
        Number of conflicts after which the SAT solver gives up on a fault, which then counts as aborted.
    progress
        Function that is called with the name of a stage, the number of finished steps, and their number.

    Raises
    ------
    ConfigError
        An option is wrong.
    DwnAsicError
        The target makes no netlist of cells.
    DataError
        The circuit belongs to another data set, or the netlist is damaged.
    VerificationError
        Netlist and circuit differ on a pattern.

    Examples
    --------
    >>> dataset = read_data("sklearn:iris")
    >>> circuit = minimize(fit(dataset, "decision_tree", leaves=4), effort="low")
    >>> test = manufacturing_test(implement(circuit), circuit, dataset=dataset)
    >>> test.detected.coverage.of_testable
    1.0
    >>> test.patterns_csv().splitlines()[0]
    'x2_petal_length_cm,x3_petal_width_cm,class_index'
    """
    for key, value, lowest in (("seed", seed, 0), ("rounds", rounds, 0), ("conflicts", conflicts, 1)):
        if value < lowest:
            raise ConfigError("manufacturing_test", key, f"is {value}", f"an integer of at least {lowest}")
    chosen = target_or_default(target)
    if not isinstance(chosen, AsicTarget):
        raise DwnAsicError(
            f"manufacturing_test: the target {chosen.technology.name} makes no netlist of cells"
        )
    codes = np.empty((0, len(circuit.core.interface.widths)), np.int64)
    if dataset is not None:
        check_fits(circuit.core, dataset)
        codes = dataset.codes[dataset.split.test]
    return build_test(
        implementation.name,
        chosen.netlist(implementation),
        f"{chosen.technology.library} {chosen.technology.corner}",
        circuit,
        implementation.registers,
        codes,
        np.random.default_rng(seed),
        rounds=rounds,
        conflicts=conflicts,
        progress=progress,
        pipeline=implementation.pipeline,
    )


def target_or_default(given: Target | None) -> Target:
    """Return the given target, or for None the default one."""
    return target() if given is None else given
