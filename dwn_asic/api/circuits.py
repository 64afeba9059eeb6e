"""Circuits of models: shrink them, minimize them, and write them as Verilog."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dwn_asic.api.hardware import target_or_default
from dwn_asic.api.models import Goal, with_goal
from dwn_asic.arguments import check_fits, checked_name, graph_of, validated
from dwn_asic.boolean.compose import Circuit
from dwn_asic.boolean.graph import BooleanGraph
from dwn_asic.data.dataset import Dataset
from dwn_asic.errors import ConfigError, DwnAsicError
from dwn_asic.methods.base import Classifier
from dwn_asic.optimize.exact.config import MinimizeConfig
from dwn_asic.optimize.exact.minimize import minimize_parts
from dwn_asic.optimize.exact.whole import merge_parts
from dwn_asic.optimize.lossy import shrink as lossy
from dwn_asic.optimize.lossy.config import ShrinkConfig
from dwn_asic.optimize.lossy.front import Front, FrontCircuit
from dwn_asic.targets.base import Target
from dwn_asic.verilog.config import HardwareConfig
from dwn_asic.verilog.writer import Registers, design_verilog

__all__ = ["minimize", "shrink", "to_verilog"]


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
    >>> from dwn_asic import fit, read_data
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
        with_goal(dataset, objective),
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
    >>> from dwn_asic import fit, read_data
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
