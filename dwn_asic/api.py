"""The steps as functions between values, for notebooks and scripts; nothing here reads or writes a folder.

Each is thin over the package that does its work, and checks what it is given first: options are the keys of
the flow file's section, and an unknown key or value is an error that says what is allowed. Where ``target``
is not given it is :func:`target`'s default, sky130's cells without registers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from dwn_asic.arguments import check_fits, checked_name, graph_of, validated
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.data.config import DataConfig
from dwn_asic.data.dataset import Dataset, prepare
from dwn_asic.encode.config import FeatureScaling, QuantizerConfig, Scaling
from dwn_asic.errors import ConfigError, DwnAsicError
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
from dwn_asic.targets.base import Implementation, Proof, Specification, Target, Vectors
from dwn_asic.targets.registry import target_kinds
from dwn_asic.verilog.config import HardwareConfig
from dwn_asic.verilog.writer import Registers, design_verilog

__all__ = [
    "datasheet",
    "fit",
    "implement",
    "minimize",
    "plans",
    "read_data",
    "shrink",
    "target",
    "to_verilog",
    "verify",
]


# ---- data --------------------------------------------------------------------------------------------------
def read_data(
    source: str,
    *,
    seed: int = 0,
    input_bits: int = 8,
    scaling: Scaling = "fitted",
    features: Mapping[str, FeatureScaling | Mapping[str, float]] | None = None,
    **options: object,
) -> Dataset:
    """Read a table, split it, fit the quantizer; for rows in memory see :meth:`Dataset.from_arrays`.

    Parameters
    ----------
    source
        ``bundled:NAME``, ``sklearn:NAME``, ``csv:PATH``, ``arff:PATH``, ``pla:PATH`` or ``openml:ID``.
    seed
        Seed of the split.
    input_bits, scaling, features
        As in the section ``encoder`` of a flow file: width of the codes, 1..16; whether values are ``codes``
        already; ``lo``, ``step`` and ``bits`` of single features by name.
    options
        Further keys of the section ``data``: ``test``, ``val``, ``part``, ``label``, ``drop``, ``separator``,
        ``decimal``, ``impute``, ``one_against_rest``, ``split``.

    Raises
    ------
    ConfigError, DataError
        An option or the source is wrong, or the table is.

    Examples
    --------
    >>> dataset = read_data("sklearn:iris", split={"val": 0.2, "test": 0.3})
    >>> dataset.table.class_names
    ('setosa', 'versicolor', 'virginica')
    """
    config = validated(DataConfig, "data", {"source": source, **options})
    codes = {"input_bits": input_bits, "scaling": scaling, "features": features or {}}
    return prepare(config, validated(QuantizerConfig, "data", codes), seed)


# ---- models ------------------------------------------------------------------------------------------------
def fit(
    dataset: Dataset,
    method: str = "dwn",
    *,
    seed: int = 0,
    progress: Progress | None = None,
    **options: object,
) -> Classifier:
    """Fit a model on the training rows; its graph is checked against it on every row.

    Parameters
    ----------
    dataset
        Validation rows choose where the method has choices, test rows take no part.
    method
        Kind of any method: ``dwn``, ``decision_tree``, ``tiny_classifier``, ...
    seed
        The same arguments return the same classifier.
    progress
        Receives one line now and then.
    options
        Keys of the method's configuration; of ``dwn`` the sections ``encoder``, ``model`` and ``training``.

    Raises
    ------
    DwnAsicError
        There is no such method.
    ConfigError
        An option is wrong, or the options plan several sizes.
    DataError
        There is nothing to learn from.

    Examples
    --------
    >>> dataset = read_data("sklearn:iris")
    >>> tree = fit(dataset, "decision_tree", leaves=4)
    >>> tree.label, len(tree.graph.inputs), tree.accuracy(dataset)["test"]
    ('decision tree, 4 leaves', 3, 0.9)
    >>> fit(dataset, "decision_tree", leaves=[4, 8])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    dwn_asic.errors.ConfigError: method decision_tree: leaves: plans 2 classifiers (tree-4, ...
    """
    found = plans(method, **options)
    if len(found) != 1:
        raise _not_one(method, options, found)
    return found[0].fit(dataset, seed, progress)


def plans(method: str, **options: object) -> list[Plan]:
    """Everything that a method's configuration plans; each plan has :meth:`~dwn_asic.methods.base.Plan.fit`.

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
    """The error that names the keys whose first value alone would plan fewer, or which are empty."""
    config, kind = _method_config(method, options), method_of(method)

    def fewer(key: str) -> bool:
        value = getattr(config, key)
        if not found:
            return value == ()
        narrowed = config.model_copy(update={key: value[:1]}) if isinstance(value, tuple) else config
        return len([*kind.plans(narrowed)]) < len(found)

    keys = [key for key in type(config).model_fields if fewer(key)]
    names = f" ({', '.join(plan.name for plan in found)})" if found else ""
    problem = f"plans {len(found)} classifiers{names}, not one"
    return ConfigError(f"method {method}", ", ".join(keys), problem, "a single value")


# ---- circuits ----------------------------------------------------------------------------------------------
def shrink(
    start: Classifier | BooleanGraph,
    dataset: Dataset,
    target: Target | None = None,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    **options: object,
) -> Front:
    """Anneal a circuit to a front of smaller ones at about its accuracy; validation rows choose one.

    Parameters
    ----------
    start
        A circuit for this data set.
    dataset
        Training rows judge moves, validation rows choose, test rows are only reported.
    target
        Whose prices count.
    seed
        The same arguments return the same front.
    progress
        Called with the parts of the work that are done, and their number.
    options
        Keys of the section ``shrink``: ``objective``, ``tolerance``, ``proposals``, ``prices``, ...

    Raises
    ------
    ConfigError, DataError
        An option is wrong, or the circuit is not one for this data set.

    Examples
    --------
    >>> dataset = read_data("sklearn:iris")
    >>> front = shrink(fit(dataset, "decision_tree", leaves=8), dataset, proposals=1000)
    >>> front.chosen.total < 20, front.chosen.val > 0.9
    (True, True)
    """
    graph = graph_of(start)
    check_fits(graph, dataset)
    return lossy.shrink(
        [graph],
        dataset,
        target_or_default(target).cost,
        validated(ShrinkConfig, "shrink", options),
        seed,
        limits=MinimizeConfig(),
        network=start.network if isinstance(start, Classifier) else None,
        progress=progress,
    )


def minimize(
    start: Classifier | FrontCircuit | BooleanGraph, target: Target | None = None, **options: object
) -> Circuit:
    """Fewer gates, the same class for every code of the features, proved.

    Core and encoder are minimized apart; with ``merge=True`` also as one, which is kept where it is smaller.

    Parameters
    ----------
    start
        Any circuit.
    target
        Whose cells count.
    options
        Keys of the section ``minimize``: ``effort``, ``timeout_s``, ``budget_s``, ``merge``.

    Raises
    ------
    ConfigError
        An option is wrong.
    ToolError, VerificationError
        ABC fails, or changed the function.

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


def to_verilog(circuit: Circuit, name: str = "classifier", *, registers: Registers = "none") -> str:
    """Structural Verilog of a circuit: modules ``NAME_encoder``, ``NAME_core`` and ``NAME_top``.

    Parameters
    ----------
    circuit
        From :func:`minimize`.
    name
        Prefix of the modules' names.
    registers
        At ``inputs``, ``outputs``, ``both`` or ``none``.

    Raises
    ------
    ConfigError
        The name is none in Verilog.
    """
    config = validated(HardwareConfig, "to_verilog", {"registers": registers})
    return design_verilog(checked_name(name, "to_verilog"), circuit.encoder, circuit.core, config.registers)


# ---- targets -----------------------------------------------------------------------------------------------
def target(kind: str = "asic", *, registers: Registers = "none", **options: object) -> Target:
    """What circuits are built for.

    Parameters
    ----------
    kind
        ``asic``, or a target that another package adds.
    registers
        Flip-flops at ``inputs``, ``outputs``, ``both`` or ``none``.
    options
        Of the target; of ``asic``: ``pdk`` (name or file of a PDK configuration) and ``timeout_s``.

    Raises
    ------
    DwnAsicError
        There is no such target.
    ConfigError, PdkError
        An option is wrong, or the PDK can't be had.

    Examples
    --------
    >>> target(pdk="sky130hd").technology.library
    'sky130_fd_sc_hd'
    """
    known = target_kinds()
    if kind not in known:
        raise DwnAsicError(f"there is no target {kind!r} (allowed: {', '.join(known)})")
    what = f"target {kind}"
    hardware = validated(HardwareConfig, what, {"registers": registers})
    return known[kind].open(validated(known[kind].config, what, options), hardware)


def implement(
    circuit: Circuit,
    target: Target | None = None,
    *,
    name: str = "classifier",
    dataset: Dataset | None = None,
) -> Implementation:
    """Build a circuit: for ``asic``, Verilog, a netlist of cells, their areas, and a testbench.

    Parameters
    ----------
    circuit
        From :func:`minimize`.
    target
        What for.
    name
        Prefix of the modules' names.
    dataset
        Its test rows are the testbench's; without it, or without test rows, random codes are.

    Raises
    ------
    ConfigError, DataError
        The name is none in Verilog, or the circuit is not one for this data set.
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
) -> Proof:
    """Compare what was built with the model: by proof on every input and, with a data set, on all its rows.

    Parameters
    ----------
    implementation
        From :func:`implement`.
    start
        The model that it has to compute.
    circuit
        Its minimized form, which the implementation was made of.
    target
        What it was built for.
    dataset
        Rows for the comparison with the model's own predictions.

    Raises
    ------
    DataError
        The circuit is not one for this data set.
    VerificationError
        With the first counterexample.

    Examples
    --------
    >>> dataset = read_data("sklearn:iris")
    >>> tree = fit(dataset, "decision_tree", leaves=4)
    >>> circuit = minimize(tree, effort="low")
    >>> proof = verify(implement(circuit), tree, circuit)
    >>> [check.what for check in proof.checks if check.how == "proof"]
    ['graph == minimized', 'graph == Verilog', 'graph == netlist']
    """
    graph = graph_of(start)
    codes = np.empty((0, len(graph.interface.widths)), np.int64)
    if dataset is not None:
        check_fits(graph, dataset)
        codes = dataset.codes
    predictions = start.predictions if isinstance(start, Classifier) and len(codes) else graph.predict(codes)
    wanted = Specification(graph, circuit, codes, predictions)
    proof = target_or_default(target).verify(implementation, wanted)
    # Without rows, what was compared on them says nothing.
    return Proof(tuple(check for check in proof.checks if check.how != "rows" or check.size), proof.notes)


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


def target_or_default(given: Target | None) -> Target:
    """Return the target given, else that of :func:`target` without arguments."""
    return target() if given is None else given
