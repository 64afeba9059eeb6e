"""Measure figures and write reports/figures.csv: `python -m benchmarks.figures [--only TOPIC|ID]`."""

from __future__ import annotations

import argparse
import sys
from difflib import get_close_matches
from pathlib import Path

from benchmarks.figures import (
    auto,
    circuits,
    class_starts,
    compare,
    door,
    energy,
    gradient,
    house,
    layout_damages,
    learn,
    logic,
    main_flow,
    mutation,
    patterns,
    pdks,
    price_rank,
    scale,
    signoff,
    table,
    tapeout,
    tinytapeout,
    uneven,
)

TABLE = Path("reports/figures.csv")
MEASUREMENTS = {
    **main_flow.MEASUREMENTS,
    **logic.MEASUREMENTS,
    **learn.MEASUREMENTS,
    **compare.MEASUREMENTS,
    **gradient.MEASUREMENTS,
    **house.MEASUREMENTS,
    **door.MEASUREMENTS,
    **circuits.MEASUREMENTS,
    **class_starts.MEASUREMENTS,
    **uneven.MEASUREMENTS,
    **price_rank.MEASUREMENTS,
    **auto.MEASUREMENTS,
    **scale.MEASUREMENTS,
    **signoff.MEASUREMENTS,
    **energy.MEASUREMENTS,
    **mutation.MEASUREMENTS,
    **patterns.MEASUREMENTS,
    **pdks.MEASUREMENTS,
    **layout_damages.MEASUREMENTS,
    **tapeout.MEASUREMENTS,
    **tinytapeout.MEASUREMENTS,
}


def main() -> int:
    """Measure the chosen figures and update their rows; all other rows stay as they are."""
    parser = argparse.ArgumentParser(prog="make figures", description=__doc__)
    parser.add_argument("--only", default="", help="topic, such as main, or id of a figure; default: all")
    only = parser.parse_args().only
    wanted = [id_ for id_ in MEASUREMENTS if not only or id_ == only or id_.startswith(f"{only}.")]
    if not wanted:
        near = get_close_matches(only, MEASUREMENTS)
        topics = dict.fromkeys(id_.partition(".")[0] for id_ in MEASUREMENTS)
        hint = f"did you mean {' or '.join(near)}" if near else f"its topic is one of {', '.join(topics)}"
        sys.stderr.write(f"make figures: no figure {only!r}: {hint}\n")
        return 2
    rows = {entry.id: entry for entry in table.read(TABLE)}
    for measure in dict.fromkeys(MEASUREMENTS[id_] for id_ in wanted):
        for entry in measure():
            rows[entry.id] = entry
            verdict = f"(target {entry.target}: {entry.holds})" if entry.target else ""
            print(f"{entry.id} = {entry.value} {entry.unit} {verdict}")
        table.write(TABLE, rows.values())
    return 0


if __name__ == "__main__":
    sys.exit(main())
