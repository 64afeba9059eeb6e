"""The results of many runs as one table, which is kept in a columnar file beside them.

The table has one row for each method of each run. Its file, ``results.parquet`` in the folder that contains
the runs, remembers when each ``result.json`` was written: only new and changed ones are read again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from dwn_asic.errors import DataError
from dwn_asic.files import read_json
from dwn_asic.report.metrics import size_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["BEFORE", "INDEX", "RESULTS", "Indexed", "index_results", "open_results"]

INDEX = "results.parquet"
"""Name of the columnar file."""
RESULTS, BEFORE = "results", "before"
"""Names of the tables of runs, and of those that they are compared with."""
_RESULT = "result.json"
_TEXTS = (
    *("run", "study", "flow", "source", "name", "label", "method", "kind", "proof", "objective", "target"),
    *("pdk", "library", "corner", "unit", "finished"),
)
_INTEGERS = ("seed", "position", "modified_ns", "bytes")
_NUMBERS = ("train", "val", "test", "core", "encoder", "total", "seconds")


@dataclass(frozen=True)
class Indexed:
    """The table of the results below a folder.

    Attributes
    ----------
    folder
        The folder.
    runs
        Number of runs.
    read
        Number of results that were read now, because they were new or had changed.
    damaged
        Error of each file that is not a result; the table is without it.
    kept
        Whether the table could be written to the folder.
    """

    folder: Path
    runs: int
    read: int
    damaged: tuple[DataError, ...]
    kept: bool


@contextmanager
def open_results(
    folder: Path, before: Path | None = None
) -> Iterator[tuple[DuckDBPyConnection, tuple[Indexed, ...]]]:
    """Open the results below a folder as the table :data:`RESULTS` of a database in memory.

    Parameters
    ----------
    folder
        Folder that contains the runs, at any depth, for example ``build`` or ``build/nine``.
    before
        Folder of other runs, which become the table :data:`BEFORE`.

    Yields
    ------
    DuckDBPyConnection
        The database. It reads no files any more, so that a user's condition can't either.
    tuple of Indexed
        What was found in each folder.

    Raises
    ------
    DataError
        There is no result below a folder.
    """
    import duckdb

    with duckdb.connect(":memory:") as database:
        database.execute("SET autoinstall_known_extensions = false; SET autoload_known_extensions = false")
        found = [index_results(folder, database, RESULTS)]
        if before is not None:
            found.append(index_results(before, database, BEFORE))
        database.execute("SET enable_external_access = false")
        yield database, tuple(found)


def index_results(folder: Path, database: DuckDBPyConnection, table: str) -> Indexed:
    """Make a table of all results below a folder, and bring the folder's columnar file up to date.

    Parameters
    ----------
    folder
        Folder that contains the runs, at any depth, for example ``build`` or ``build/nine``. A run inside
        another run's folder is not found.
    database
        Database that gets the table.
    table
        Name of the table.

    Raises
    ------
    DataError
        There is no result below the folder.
    """
    found = {_place(folder, file): state for file, state in _results(folder)}
    if not found:
        raise DataError(folder, f"contains no run: there is no {_RESULT} below it")
    _load(folder / INDEX, database)
    states = database.table("known").project("run, modified_ns, bytes").distinct().fetchall()
    known = {place: (modified, size) for place, modified, size in states}
    stale = [place for place, state in found.items() if known.get(place) != state]
    gone = sorted({*stale, *(known.keys() - found.keys())})
    damaged: list[DataError] = []
    _add(_rows(folder, {place: found[place] for place in stale}, damaged), database)
    database.execute(
        f"CREATE TABLE {table} AS SELECT * FROM known WHERE run NOT IN (SELECT unnest(?::VARCHAR[])) "  # noqa: S608
        "UNION ALL BY NAME SELECT * FROM fresh ORDER BY run, position",
        [gone],
    )
    database.execute("DROP TABLE known; DROP TABLE fresh")
    kept = not gone or _save(folder / INDEX, database, table)
    return Indexed(folder, len(found) - len(damaged), len(stale), tuple(damaged), kept)


def _results(folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the path of each result below a folder, with its time in nanoseconds and its size in bytes.

    The folder of a run is not searched further, since it has hundreds of files.
    """
    file = os.path.join(folder, _RESULT)  # noqa: PTH118 - a Path for each of 10,000 runs takes a second
    try:
        state = os.stat(file)  # noqa: PTH116
    except OSError:
        state = None
    if state is not None:
        yield file, (state.st_mtime_ns, state.st_size)
        return
    try:
        inside = sorted(each.path for each in os.scandir(folder) if each.is_dir() and each.name[0] != ".")
    except OSError:
        return
    for each in inside:
        yield from _results(each)  # type: ignore[arg-type]


def _place(folder: Path, file: str) -> str:
    """Return the path of the run of a result inside the folder; ``.`` is the folder itself."""
    return os.path.relpath(os.path.dirname(file), folder)  # noqa: PTH120


def _load(index: Path, database: DuckDBPyConnection) -> None:
    """Make the table ``known`` of the columnar file, or an empty one if there is no usable file."""
    import duckdb

    if index.exists():
        try:
            database.execute("CREATE TEMP TABLE known AS SELECT * FROM read_parquet(?)", [str(index)])
            columns = database.table("known").columns
            if {*_TEXTS, *_INTEGERS, *_NUMBERS} <= set(columns):
                return
            database.execute("DROP TABLE known")
        except duckdb.Error:
            pass  # damaged, or of another version: all results are read again
    database.execute(f"CREATE TEMP TABLE known ({_schema(())})")


def _schema(metrics: Iterable[str]) -> str:
    types = {
        **dict.fromkeys(_TEXTS, "VARCHAR"),
        **dict.fromkeys(_INTEGERS, "BIGINT"),
        **dict.fromkeys((*_NUMBERS, *metrics), "DOUBLE"),
    }
    return ", ".join(f'"{name}" {type_}' for name, type_ in types.items())


def _rows(
    folder: Path, places: Mapping[str, tuple[int, int]], damaged: list[DataError]
) -> Iterator[tuple[dict[str, Any], Mapping[str, float]]]:
    """Yield the columns and the metrics of every method of the results; collect errors of damaged files."""
    for place, (modified, size) in places.items():
        file = folder / place / _RESULT
        try:
            rows = [*_methods(read_json(file), place, folder)]
        except DataError as error:
            damaged.append(error)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            damaged.append(DataError(file, f"not a result file: {type(error).__name__}: {error}"))
        else:
            for columns, metrics in rows:
                yield {**columns, "modified_ns": modified, "bytes": size}, metrics


def _methods(
    content: Mapping[str, Any], place: str, folder: Path
) -> Iterator[tuple[dict[str, Any], Mapping[str, float]]]:
    run = content.get("run", {})
    seconds = sum(value for key, value in run.items() if key.startswith("seconds_"))
    shared = {
        "run": place,
        "study": _study(folder, place),
        "flow": content["flow"],
        "seed": content["seed"],
        "source": content["source"],
        "target": content.get("config", {}).get("target", "asic"),
        "pdk": content["pdk"]["name"],
        "library": content["pdk"]["library"],
        "corner": content["pdk"]["corner"],
        "seconds": seconds,
        "finished": run.get("finished"),
    }
    for position, method in enumerate(content["methods"]):
        metrics: Mapping[str, float] = method["metrics"]
        objective = method.get("metric", "accuracy")
        size = size_of(metrics)
        own = {key: method[key] for key in ("name", "label", "method", "kind", "proof")}
        scores = {part: metrics[f"{objective}__{part}"] for part in ("train", "val", "test")}
        sizes = {} if size is None else {
            "core": metrics[size.core],
            "encoder": metrics[size.encoder],
            "total": metrics[size.total],
            "unit": size.unit,
        }  # fmt: skip
        yield {**shared, **own, "position": position, "objective": objective, **scores, **sizes}, metrics


def _study(folder: Path, place: str) -> str | None:
    """Return the name of the study of a run in ``STUDY/seed-SEED/NAME``; None for other runs."""
    *above, _ = (folder.resolve() / place).parts
    return above[-2] if above[-1].startswith("seed-") and len(above) > 1 else None


def _add(rows: Iterable[tuple[dict[str, Any], Mapping[str, float]]], database: DuckDBPyConnection) -> None:
    """Make the table ``fresh`` of rows, which DuckDB reads fastest from lines of JSON."""
    names: dict[str, None] = {}
    with TemporaryDirectory(prefix="dwn-asic-") as scratch:
        file = Path(scratch) / "rows.jsonl"
        with file.open("w", encoding="utf-8") as target:
            for columns, metrics in rows:
                names.update(dict.fromkeys(metrics))
                target.write(json.dumps({**metrics, **columns}) + "\n")
        database.execute(f"CREATE TEMP TABLE fresh ({_schema(names)})")
        if names:
            fresh = database.table("fresh")
            types = dict(zip(fresh.columns, map(str, fresh.types), strict=True))
            database.read_json(str(file), format="newline_delimited", columns=types).insert_into("fresh")


def _save(index: Path, database: DuckDBPyConnection, table: str) -> bool:
    """Write the table to the columnar file, whole or not at all; return False where it can't be written."""
    partial = index.with_name(f".{index.name}.{os.getpid()}.partial")
    if not os.access(index.parent, os.W_OK):
        return False
    try:
        database.table(table).write_parquet(str(partial), compression="zstd")
        partial.replace(index)
    finally:
        partial.unlink(missing_ok=True)
    return True
