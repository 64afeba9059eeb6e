"""Runs on workers that share no files with this machine: what is sent to them, and what comes back.

A worker receives the configuration of a flow, the files of its data and those files of the run that exist
already. It does what is left to do, and returns the files that it has made or changed, together with
the records of the steps. Since a step's key does not depend on where it ran, the run is up to date afterwards
as if it had been carried out here.
"""

from __future__ import annotations

import io
import os
import threading
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from dwn_asic.data.config import FILE_KEYS, DataConfig
from dwn_asic.data.sources import data_files
from dwn_asic.errors import ConfigError, ToolError
from dwn_asic.exchange.config import ImportConfig
from dwn_asic.execution.cluster import worker_folder
from dwn_asic.execution.executor import Shared, portable
from dwn_asic.files import content_digest
from dwn_asic.flow.config import FlowConfig
from dwn_asic.flow.engine import RECORDS
from dwn_asic.flow.locking import locked
from dwn_asic.flow.logged import run_logged
from dwn_asic.flow.run import Flow
from dwn_asic.flow.step import OUTPUTS, Reporter
from dwn_asic.flow.work import Work

__all__ = ["Order", "Parcel", "order_of", "run_order", "store_parcel"]

_ONE_RUN = threading.Lock()
"""Held during a run: libraries that steps use, such as pyosys, do not support several threads."""


@dataclass(frozen=True)
class Order:
    """Work on a flow to carry out.

    Attributes
    ----------
    config
        Content of the flow file.
    file
        Path of the flow file, as the result names it.
    work
        What to do.
    tables
        Attribute of the section ``data`` that holds the path of a file, and the digest of this file.
    archive
        Files of the run that exist already, as a zip archive.
    environments
        Title of each step, and what it depends on beside its settings and inputs on the machine that ordered
        it.
    """

    config: FlowConfig
    file: str
    work: Work
    tables: Mapping[str, str]
    archive: bytes
    environments: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Parcel:
    """The files that a worker returns, also of a run that has failed.

    Attributes
    ----------
    archive
        Files of the run that were made or changed, as a zip archive.
    removed
        Paths of files that were sent and are not part of the run any more, inside the run's folder.
    ran
        Titles of the steps that ran; none if the run has failed.
    log
        Messages of the run.
    error
        Error of the run, or None.
    """

    archive: bytes
    removed: tuple[str, ...]
    ran: tuple[str, ...]
    log: str
    error: Exception | None


def order_of(flow: Flow, work: Work) -> tuple[Order | Shared, ...] | None:
    """Return the arguments of :func:`run_order` for work on a flow, or None if it was done before.

    Raises
    ------
    ConfigError
        The flow reads a trained network from a file, which is not sent.
    DataError
        A file of the data is missing.
    """
    config = flow.config
    if isinstance(config.model, ImportConfig):
        raise ConfigError(
            flow.file, "model.file", "is not sent to other machines", "a flow that trains its network"
        )
    with locked(flow.folder, Reporter()):
        if work.done(flow):
            return None
        archive = _packed(flow.folder, _files(flow.folder))
    data = config.data
    files = {} if data is None else {FILE_KEYS[key]: path for key, path in data_files(data).items()}
    contents = {place: _shared(path.resolve(), content_digest(path)) for place, path in files.items()}
    tables = {place: content.digest for place, content in contents.items()}
    order = Order(config, flow.file.as_posix(), work, tables, archive, flow.engine.environments())
    return order, *{content.digest: content for content in contents.values()}.values()


@lru_cache(maxsize=64)
def _shared(path: Path, digest: str) -> Shared:
    """Return a file to send; it is read once, as long as its content is the same."""
    return Shared(path.name, path.read_bytes(), digest)


def run_order(order: Order, *contents: Shared) -> Parcel:
    """Execute a run in a folder of its own, and return what it has made; called in a worker.

    Parameters
    ----------
    order
        The run.
    contents
        Files of its data.

    Raises
    ------
    ToolError
        A tool or a library of this worker has another version than on the machine that ordered the run, so
        that results would not be up to date there.
    """
    own = worker_folder()
    places = {content.digest: _stored(content, own / "data") for content in contents}
    with _ONE_RUN, TemporaryDirectory(prefix="run-", dir=own) as scratch:
        data = _located(order.config.data, {key: places[digest] for key, digest in order.tables.items()})
        config = order.config.model_copy(update={"data": data})
        flow = Flow(config, Path(scratch) / config.name, Path(order.file))
        _check_environments(order.environments, flow.engine.environments())
        flow.folder.mkdir()
        _unpack(order.archive, flow.folder)
        before = {name: content_digest(flow.folder / name) for name in _files(flow.folder)}
        log, ran, error = Path(scratch) / "log", [], None
        try:
            ran = run_logged(flow, order.work, log)
        except Exception as raised:  # noqa: BLE001 - it is returned, with the steps that have ended before
            error = portable(raised)
        after = set(_files(flow.folder))
        changed = [name for name in sorted(after) if before.get(name) != content_digest(flow.folder / name)]
        text = log.read_text(encoding="utf-8") if log.exists() else ""
        return Parcel(
            _packed(flow.folder, changed), tuple(sorted(before.keys() - after)), tuple(ran), text, error
        )


def store_parcel(parcel: Parcel, folder: Path, log: Path) -> None:
    """Store what a worker has returned in the folder of the run, and its messages in the log.

    Records are removed first and written last, so that no step is taken for current while its files change.
    """
    with locked(folder, Reporter()):
        records = [name for name in _names(parcel.archive) if name.startswith(f"{RECORDS}/")]
        for name in (*records, *parcel.removed):
            (folder / name).unlink(missing_ok=True)
        _unpack(parcel.archive, folder)
    if parcel.log:
        log.write_text(parcel.log, encoding="utf-8")


def _stored(content: Shared, folder: Path) -> Path:
    """Return the path of a content's file, which is written by the first run of the worker that needs it."""
    path = folder / content.digest / content.name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
        partial.write_bytes(content.content)
        partial.replace(path)
    return path


def _located(data: DataConfig | None, places: Mapping[str, Path]) -> DataConfig | None:
    """Return the section ``data`` with the paths of its files on this worker."""
    if data is None:
        return None
    return data.model_copy(update={place: str(path) for place, path in places.items()})


def _check_environments(
    there: Mapping[str, Mapping[str, str]], here: Mapping[str, Mapping[str, str]]
) -> None:
    for title, wanted in there.items():
        for name in sorted({*wanted, *here[title]}):
            ours, theirs = here[title].get(name, "none"), wanted.get(name, "none")
            if ours != theirs:
                raise ToolError(
                    "worker", f"{name} is {ours} on this worker, and {theirs} where the run was ordered"
                )


def _files(folder: Path) -> Iterator[str]:
    """Yield the paths of a run's files inside its folder, without what only a running process needs."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if (
            path.is_file()
            and path.suffix != ".partial"
            and path.name != ".lock"
            and OUTPUTS not in name.parts
        ):
            yield name.as_posix()


def _packed(folder: Path, names: Iterator[str] | list[str]) -> bytes:
    """Return files as a zip archive, in which the records of steps come last."""
    ordered = sorted(names, key=lambda name: (name.startswith(f"{RECORDS}/"), name))
    with io.BytesIO() as target:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name in ordered:
                archive.write(folder / name, name)
        return target.getvalue()


def _names(archive: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        return source.namelist()


def _unpack(archive: bytes, folder: Path) -> None:
    """Write the files of an archive, each under a temporary name first, in the order of the archive."""
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        for name in source.namelist():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f".{path.name}.partial")
            partial.write_bytes(source.read(name))
            partial.replace(path)
