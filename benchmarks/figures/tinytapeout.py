"""Topic ``tapeout``: Tiny Tapeout projects of three flows, checked offline."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.figures.table import Row, named, row
from dwn_asic.api import tiny_tapeout
from dwn_asic.flow import Reporter, open_flow, run_flow
from dwn_asic.flow.finished import load
from dwn_asic.targets.asic.target import AsicTarget
from dwn_asic.targets.asic.tinytapeout.precheck.layout import LayoutFiles
from dwn_asic.targets.asic.tinytapeout.precheck.run import precheck
from dwn_asic.targets.asic.tinytapeout.tile_layout import lay_out_tile

FLOWS = ("phoneme", "iris_csv", "digits")
KINDS = ("exact", "shrunk")
_NAMES = ("rules_broken", "rules_unchecked", "tiles", "utilization")


def project(flow: str, kind: str) -> Iterator[Row]:
    """Write the project of a circuit, lay it out, and check it; runs the flow before."""
    opened = open_flow(Path("flows") / f"{flow}.yaml", Path("build"))
    run_flow(opened, Reporter())
    run = load(opened.folder)
    circuit = run.chosen(shrunk=kind == "shrunk")
    target = run.flow.target.open()
    assert isinstance(target, AsicTarget)
    made = tiny_tapeout(circuit.datasheet(), circuit.circuit, run.dataset, target)
    drawn = lay_out_tile(made, target) if target.pdk.liberty else {}
    layout = LayoutFiles(*_texts(drawn)) if drawn else None
    found = precheck(made.files, layout)
    name = f"tapeout.tinytapeout_{flow}_{kind}"
    loading = "at once" if made.protocol.parallel else "one by one"
    what = (
        f"Tiny Tapeout project of {flow}, {kind}, {made.cells} cells, {made.protocol.n_bytes} bytes {loading}"
    )
    broken = ", ".join(each.rule for each in found.broken) or "none"
    text = f"{what}: broken rules of {len(found.findings)} of the offline precheck ({broken})"
    yield row(f"{name}_rules_broken", text, len(found.broken), "rules", "<= 0")
    skipped = ", ".join(each.rule for each in found.unchecked) or "none"
    yield row(
        f"{name}_rules_unchecked", f"{what}: rules not checked ({skipped})", len(found.unchecked), "rules"
    )
    yield row(f"{name}_tiles", f"{what}: tiles, {made.tile.name}", made.tile.tiles, "tiles")
    share = 100.0 * made.utilization
    yield row(f"{name}_utilization", f"{what}: mapped area over that of the rows", share, "%", "<= 60")


def _texts(drawn: dict[str, bytes]) -> tuple[bytes, str, str]:
    gds, lef, verilog = drawn.values()
    return gds, lef.decode(), verilog.decode()


MEASUREMENTS = {
    id_: measure
    for flow in FLOWS
    for kind in KINDS
    for id_, measure in named(
        "tapeout", partial(project, flow, kind), *(f"tinytapeout_{flow}_{kind}_{name}" for name in _NAMES)
    ).items()
}
