"""A flow and its build folder, opened from a flow file or from the folder, and run completely or in part."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dwn_asic.data.config import FILE_KEYS, DataConfig
from dwn_asic.errors import ConfigError, ToolTimeoutError
from dwn_asic.exchange.config import ImportConfig
from dwn_asic.files import read_json
from dwn_asic.flow.artifacts import DATASET
from dwn_asic.flow.config import FlowConfig
from dwn_asic.flow.engine import Engine
from dwn_asic.flow.flow_file import load_flow, yaml_of
from dwn_asic.flow.starts import UNTRAINED, UNTRAINED_FOLDER, start_folders
from dwn_asic.flow.step import Artifact, Reporter, Step
from dwn_asic.flow.steps.circuit import circuit_steps
from dwn_asic.flow.steps.datasheet import DatasheetSettings, datasheet_step
from dwn_asic.flow.steps.fit import fit_step, train_step
from dwn_asic.flow.steps.result import ResultSettings, Row, result_step
from dwn_asic.flow.steps.rows import DataSettings, ImportSettings, data_step, import_step
from dwn_asic.flow.steps.shared import SHRUNK, TargetSettings, match_folder, source_names
from dwn_asic.flow.steps.shrink import ALL, choose_step, match_step, shrink_step
from dwn_asic.methods.base import Plan
from dwn_asic.methods.dwn import METHOD as OWN
from dwn_asic.methods.dwn.config import DwnConfig, ModelConfig
from dwn_asic.methods.dwn.untrained import untrained_plan
from dwn_asic.methods.registry import method, plan
from dwn_asic.optimize.exact.config import MinimizeConfig
from dwn_asic.optimize.lossy.config import ShrinkConfig
from dwn_asic.yaml_file import load_yaml, validate

if TYPE_CHECKING:
    from dwn_asic.data.dataset import Dataset

Value = TypeVar("Value")

__all__ = ["DEFAULT_BUILD", "RECORD", "Flow", "flow_of_file", "open_flow", "run_flow"]

DEFAULT_BUILD = Path("build")
RECORD = "flow.json"
"""Name of the file in a build folder that records its flow."""


@dataclass(frozen=True)
class Flow:
    """An experiment and its build folder.

    Attributes
    ----------
    config
        Content of the flow file.
    folder
        Build folder with all files of the flow, ``build/NAME``; the circuits of baselines are in its
        subfolders ``baselines/NAME``.
    file
        Path of the flow file.
    """

    config: FlowConfig
    folder: Path
    file: Path

    @property
    def name(self) -> str:
        """Name of the flow, which is also the name of its folder and the prefix of module names."""
        return self.config.name

    @property
    def target(self) -> TargetSettings:
        """Target that circuits are built for, with its options."""
        return TargetSettings(self.config.target, self.config.synthesis, self.config.hardware)

    @property
    def minimize(self) -> MinimizeConfig:
        """Options of exact minimization.

        The default of ``merge`` depends on the model: core and encoder are minimized as one circuit too if
        the model was read from a file.
        """
        config = self.config.minimize
        if config.merge is not None:
            return config
        return config.model_copy(update={"merge": isinstance(self.config.model, ImportConfig)})

    @cached_property
    def engine(self) -> Engine:
        """Engine with the steps of the flow in order."""
        return Engine(
            self.folder, [*self._steps()], (SHRUNK, ALL, "starts/*", "baselines/*", f"{SHRUNK}/match/*")
        )

    def read(self, artifact: Artifact[Value]) -> Value:
        """Read a file of the run; raises DataError if it is missing or damaged."""
        return artifact.codec.read(self.folder / (artifact.folder or "") / artifact.name)

    @property
    def dataset(self) -> Dataset:
        """Rows of the run, with their split and their codes."""
        return self.read(DATASET)

    def datasheet_settings(self, place: str) -> DatasheetSettings:
        """Return the settings of the data sheet of the circuit in a folder of the run."""
        start = place.removesuffix(SHRUNK).removesuffix("/")
        return DatasheetSettings(
            name=self.name,
            file=self.file.as_posix(),
            seed=self.config.seed,
            source="" if self.config.data is None else source_names(self.config.data),
            start=start,
            shrunk=place != start,
            network=not start,
            imported=not start and isinstance(self.config.model, ImportConfig),
            other=not start and self.config.shrink is not None,
            target=self.target,
        )

    def _steps(self) -> Iterator[Step[Any]]:
        config, target = self.config, self.target
        baselines = plan(config.baselines)
        yield from self._model()
        yield from circuit_steps("", config.name, target, self.minimize)
        yield datasheet_step(self.datasheet_settings(""))
        starts = {} if config.shrink is None else start_folders(config.shrink.starts, baselines)
        if config.shrink is not None:
            yield from self._starts(starts, baselines)
            yield self._shrink(config.shrink, starts)
            if config.shrink.limited:
                yield choose_step(config.shrink)
            yield from circuit_steps(SHRUNK, config.name, target, self.minimize)
            yield datasheet_step(self.datasheet_settings(SHRUNK))
        for each in baselines:
            yield from self._baseline(each, fitted=each.name in starts)
        for name in config.match:
            yield match_step(name, f"baselines/{name}")
            tolerates = (ToolTimeoutError,)
            yield from circuit_steps(match_folder(name), config.name, target, self.minimize, tolerates)
        rows = [Row("", software=False, shrunk=config.shrink is not None)]
        rows += [
            Row(f"baselines/{each.name}", software=_software(each), shrunk=self._shrinks(each))
            for each in baselines
        ]
        yield result_step(ResultSettings(config, self.file.as_posix(), target, tuple(rows)))

    def _starts(self, starts: Mapping[str, str], baselines: Sequence[Plan]) -> Iterator[Step[Any]]:
        """Yield the steps that fit the starts of the annealing other than the network."""
        seed = self.config.seed
        if UNTRAINED in starts:
            yield fit_step(UNTRAINED_FOLDER, untrained_plan(self._network_sections()), seed)
        for each in baselines:
            if each.name in starts:
                yield fit_step(starts[each.name], each, seed)

    def _shrink(self, shrink: ShrinkConfig, starts: Mapping[str, str]) -> Step[Any]:
        """Return the step that shrinks the network, by default from the network alone."""
        own = OWN.kind in starts
        named = None if [*starts] == [OWN.kind] else starts
        return shrink_step(
            "",
            self.target,
            shrink.unlimited,
            self.minimize,
            self.config.seed,
            network=own,
            starts=named,
            into=ALL if shrink.limited else SHRUNK,
        )

    def _model(self) -> Iterator[Step[Any]]:
        """Yield the steps that make the data set and the network, which is trained or read from a file."""
        config = self.config
        if isinstance(config.model, ImportConfig):
            yield import_step(ImportSettings(config.model, config.data, config.seed, config.objective))
            return
        assert config.data is not None
        yield data_step(DataSettings(config.data, config.encoder.quantizer, config.seed, config.objective))
        yield train_step(next(OWN.plans(self._network_sections())), config.seed)

    def _network_sections(self) -> DwnConfig:
        """Return the sections of the network to train as the configuration of a method."""
        config = self.config
        assert isinstance(config.model, ModelConfig)
        return OWN.config(
            kind="dwn",
            encoder=config.encoder.thermometer_only,
            model=config.model,
            training=config.training,
        )

    def _shrinks(self, baseline: Plan) -> bool:
        shrink = self.config.shrink
        return shrink is not None and shrink.baselines and not _software(baseline)

    def _baseline(self, baseline: Plan, *, fitted: bool) -> Iterator[Step[Any]]:
        """Yield the steps of a baseline, which are the same as those of the network.

        Without the step that fits it if ``fitted`` says that an earlier one does.
        A tool that reaches its time limit on a large baseline does not end the run.
        """
        config, folder, tolerates = self.config, f"baselines/{baseline.name}", (ToolTimeoutError,)
        if not fitted:
            yield fit_step(folder, baseline, config.seed)
        if _software(baseline):
            return
        yield from circuit_steps(folder, config.name, self.target, self.minimize, tolerates)
        if config.shrink is not None and self._shrinks(baseline):
            alone = config.shrink.unlimited.model_copy(update={"starts": ShrinkConfig().starts, "votes": ()})
            yield shrink_step(folder, self.target, alone, self.minimize, config.seed)
            yield from circuit_steps(f"{folder}/{SHRUNK}", config.name, self.target, self.minimize, tolerates)


def _software(planned: Plan) -> bool:
    return method(planned.kind).software


def open_flow(path: Path, build: Path = DEFAULT_BUILD, seed: int | None = None) -> Flow:
    """Open the flow of a flow file (``*.yaml``), or of the build folder of an earlier run.

    Parameters
    ----------
    path
        Flow file (``FILE:NAME`` if the file stands for several flows) or build folder.
    build
        Folder of all build folders; used only with a flow file.
    seed
        Seed that replaces the flow file's; not allowed with a build folder.

    Raises
    ------
    ConfigError
        The flow file is wrong, or the folder is not the build folder of a flow.
    """
    if yaml_of(path).suffix in {".yaml", ".yml"}:
        config = load_flow(path, seed)
        flow = Flow(config, build / config.name, path)
        _remember(flow)
        return flow
    if seed is not None:
        raise ConfigError(path, "", "is a build folder, whose seed is fixed", "a seed with a flow file")
    record = path / RECORD
    if not record.exists():
        raise ConfigError(
            path, "", "is not a flow", "a flow file (*.yaml), or a build folder that 'dwn-asic run' made"
        )
    content = read_json(record)
    if content["flow"]["data"] is not None:
        # Records of earlier versions have one table.
        content["flow"]["data"].update(content.get("tables") or {"file": content.get("table")})
    if "file" in content["flow"]["model"]:
        content["flow"]["model"]["folder"] = content.get("folder")
    return Flow(validate(FlowConfig, content["flow"], record), path, Path(content["file"]))


def flow_of_file(
    file: Path, build: Path = DEFAULT_BUILD, flow_file: Path | None = None, seed: int | None = None
) -> tuple[Flow, str]:
    """Return the flow that makes a file ``build/NAME/...``, and the file's path inside ``build/NAME``.

    Parameters
    ----------
    file
        Path of the file, which may be missing.
    build, seed
        As in :func:`open_flow`.
    flow_file
        Flow file; by default the one of an earlier run, else the one in ``flows/`` whose name is NAME.

    Raises
    ------
    ConfigError
        The file is not below ``build``, or no flow has this name.
    """
    try:
        name, *rest = file.resolve().relative_to(build.resolve()).parts
    except ValueError:
        name, rest = "", []
    if not rest:
        raise ConfigError(file, "", "is not a file of a flow", f"{build}/NAME/FILE")
    if flow_file is None:
        flow_file = _flow_file(name, build)
    flow = open_flow(flow_file, build, seed)
    if flow.name != name:
        raise ConfigError(flow_file, "name", f"is {flow.name!r}, but {file} belongs to flow {name!r}")
    return flow, "/".join(rest)


def _flow_file(name: str, build: Path) -> Path:
    record = build / name / RECORD
    if record.exists() and yaml_of(known := Path(read_json(record)["file"])).exists():
        return known
    for path in sorted(Path("flows").glob("*.yaml")):
        if load_yaml(path).get("name", path.stem) == name:
            return path
    raise ConfigError(build / name, "", f"no flow is named {name!r}", "a flow file in flows/, or FLOW=FILE")


def _remember(flow: Flow) -> None:
    """Write the record from which :func:`open_flow` opens the folder later, unless it is there already."""
    content = {
        "file": flow.file.as_posix(),
        "tables": None if flow.config.data is None else _tables(flow.config.data),
        "folder": flow.config.model.folder if isinstance(flow.config.model, ImportConfig) else None,
        "flow": flow.config.model_dump(mode="json"),
    }
    record, text = flow.folder / RECORD, json.dumps(content, indent=1) + "\n"
    if record.exists() and record.read_text(encoding="utf-8") == text:
        return
    flow.folder.mkdir(parents=True, exist_ok=True)
    partial = record.with_name(f".{RECORD}.{os.getpid()}.partial")  # unique, since no lock is held
    partial.write_text(text, encoding="utf-8")
    partial.replace(record)


def _tables(data: DataConfig) -> dict[str, str | None]:
    """Return the paths of the files of a ``data`` section, which its serialization excludes."""
    return {place: getattr(data, place) for place in FILE_KEYS.values()}


def run_flow(
    flow: Flow,
    reporter: Reporter,
    *,
    targets: Iterable[str] | None = None,
    force: bool = False,
    jobs: int = 1,
) -> list[str]:
    """Run every step that is not up to date, and return the titles of the steps that ran.

    Parameters
    ----------
    flow
        Result of :func:`open_flow`.
    reporter
        Receives messages and progress.
    targets
        Files of the run to bring up to date, for example ``netlist.v``; None for all.
    force
        Whether to run steps that are up to date too, including those of baselines.
    jobs
        Maximum number of steps that run at once; the results do not depend on it.
    """
    # An unusable target (no PDK, no flip-flop for the registers) is reported before training starts.
    before = flow.target.open
    ran = flow.engine.run(reporter, targets=targets, force=force, jobs=jobs, before=before)
    return [step.title for step in ran]
