"""Sign-off of an implementation: timing, power, area against delay, and a manufacturing test."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dwn_asic.api.hardware import target_or_default
from dwn_asic.arguments import check_fits, checked_name
from dwn_asic.boolean.compose import Circuit
from dwn_asic.data.dataset import Dataset
from dwn_asic.errors import ConfigError, DwnAsicError
from dwn_asic.manufacturing.build import build_test
from dwn_asic.manufacturing.generate import CONFLICTS, ROUNDS
from dwn_asic.manufacturing.value import ManufacturingTest
from dwn_asic.targets.asic.delay import DelayPoint
from dwn_asic.targets.asic.signoff.metrics import Signoff
from dwn_asic.targets.asic.target import AsicTarget
from dwn_asic.targets.base import Implementation, Target
from dwn_asic.verilog.writer import design_verilog

__all__ = ["cells_or_default", "delay_front", "manufacturing_test", "sign_off"]


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
    >>> from dwn_asic import fit, minimize, read_data
    >>> dataset = read_data("sklearn:iris")
    >>> circuit = minimize(fit(dataset, "decision_tree", leaves=4), effort="low")
    >>> points = delay_front(circuit)
    >>> points[-1].delay < points[0].delay and points[-1].area >= points[0].area
    True
    """
    chosen = cells_or_default(target, "delay_front")
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
    >>> from dwn_asic import fit, implement, minimize, read_data
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


def cells_or_default(given: Target | None, user: str) -> AsicTarget:
    """Return the given target, or for None the default one; raises DwnAsicError if it has no cells."""
    chosen = target_or_default(given)
    if not isinstance(chosen, AsicTarget):
        raise DwnAsicError(f"{user}: the target {chosen.technology.name} has no cells")
    return chosen
