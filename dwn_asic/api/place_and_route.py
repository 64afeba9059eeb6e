"""Place and route: the function that makes a layout of a mapped circuit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dwn_asic.errors import DataError

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset
    from dwn_asic.targets.asic.tapeout.lay_out import Watch
    from dwn_asic.targets.asic.tapeout.layout import Layout
    from dwn_asic.targets.asic.tapeout.template import Template
    from dwn_asic.targets.asic.target import AsicTarget
    from dwn_asic.targets.base import Implementation

__all__ = ["layout"]


def layout(
    implementation: Implementation,
    target: AsicTarget,
    dataset: Dataset | None = None,
    *,
    utilization: float = 0.6,
    aspect: float = 1.0,
    seed: int = 0,
    pins: Mapping[str, Sequence[str]] | None = None,
    template: Template | None = None,
    attempts: int = 6,
    watch: Watch | None = None,
) -> Layout:
    """Place and route a mapped circuit; needs the extra ``layout`` and an installed PDK.

    Parameters
    ----------
    implementation
        Result of :func:`implement` on the target ``asic``.
    target
        Target that it was built for.
    dataset
        Rows whose energy is measured before and after layout; without them only the wires are known.
    utilization
        Share of the rows that cells take, between 0 and 1.
    aspect
        Height over width of the rows.
    seed
        Seed of placement and routing.
    pins
        Ports at each side (``north``, ``south``, ``east``, ``west``) of the die, by default those of
        ``hardware.pins``.
    template
        Die that the layout has to fit, with fixed ports.
    attempts
        Largest number of attempts: first other seeds, then larger dies.
    watch
        Called with the stage, the round of the router, and the resources that several nets use.

    Returns
    -------
    Layout
        Geometry, files, figures, and the verdict of :func:`check_layout` on its GDS file: design rules are
        kept, transistors match, and the function is that of the mapped netlist. Without SPICE netlists of the
        cells the verdict says that the latter two were not checked.

    Raises
    ------
    VerificationError
        No attempt led to a layout that is clean and matches the netlist.
    PdkError
        The PDK is not installed, has no layout file or no checks, or a cell cannot be placed.
    ToolError
        The package klayout is not installed.
    ConfigError
        An option is out of range.
    """
    from dwn_asic.targets.asic.checked_layout import lay_out_checked
    from dwn_asic.targets.asic.pdk_timing import load_timing
    from dwn_asic.targets.asic.tapeout.figures_of_layout import measured
    from dwn_asic.targets.asic.tapeout.lay_out import LayoutOptions
    from dwn_asic.targets.asic.tapeout.technology import load_technology
    from dwn_asic.targets.asic.target import NETLIST

    technology = load_technology(target.pdk)
    sides = {str(side): names for side, names in (target.hardware.pins if pins is None else pins).items()}
    options = LayoutOptions(utilization, aspect, seed, sides, attempts)
    found, verdict = lay_out_checked(
        implementation.files[NETLIST],
        f"{implementation.name}_top",
        technology,
        options,
        template=template,
        watch=watch,
        timeout_s=target.timeout_s,
    )
    timing = load_timing(target.cells)
    done = replace(measured(found, timing.library, target.pdk.config.input_transition_ns), verdict=verdict)
    if dataset is None:
        return done
    return _signed_off(done, implementation, target, dataset)


def _signed_off(done: Layout, implementation: Implementation, target: AsicTarget, dataset: Dataset) -> Layout:
    """Return a layout whose report has the metrics of sign-off before and after layout."""
    from dwn_asic.targets.asic.pdk import with_sizes
    from dwn_asic.targets.asic.pdk_timing import load_timing
    from dwn_asic.targets.asic.signoff.metrics import sign_off
    from dwn_asic.targets.asic.tapeout.post_layout import net_wires, pin_capacitances, placed_netlist

    rows = dataset.split.test if len(dataset.split.test) > 1 else slice(None)
    codes = dataset.codes[rows]
    netlist, timing = target.netlist(implementation), load_timing(target.cells)
    before = target.sign_off(implementation, codes)
    try:
        placed = placed_netlist(netlist, done.design, with_sizes(target.pdk).library)
    except KeyError as error:
        raise DataError("layout", f"the netlist has no instance {error}") from error
    cells = (each.cell for each in done.design.placement.netlist.instances)
    loads = pin_capacitances(timing.library, cells)
    wires = net_wires(placed, done.design, done.parasitics, loads)
    after = sign_off(placed, timing, target.pdk.config, codes, target.period, wires=wires)
    if (clock := done.report.clock) is not None:
        power = replace(after.power, tree=clock.energy, tree_leakage=clock.leakage)
        after = replace(after, power=power)
    return replace(done, report=replace(done.report, before=before.metrics, after=after.metrics))
