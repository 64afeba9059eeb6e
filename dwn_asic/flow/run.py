"""Set up a flow's folder and run the stages that have something to do."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from dwn_asic import __version__
from dwn_asic.data.sources import data_file
from dwn_asic.errors import ConfigError, DataError
from dwn_asic.files import digest, read_json, staged, write_json, write_text_if_changed
from dwn_asic.flow.config import FlowConfig
from dwn_asic.flow.context import Flow, Reporter, Stage
from dwn_asic.flow.flow_file import flow_files, load_flow
from dwn_asic.flow.stages import STAGES
from dwn_asic.yaml_file import validate

__all__ = ["configure", "is_current", "open_flow", "run_flow", "run_stage"]


DEFAULT_BUILD = Path("build")


def configure(flow_file: Path, build: Path = DEFAULT_BUILD, seed: int | None = None) -> Flow:
    """Read a flow file and write its stages' parts to ``build/NAME/config/``; equal parts stay untouched.

    ``seed`` is one in place of the file's.
    """
    config = load_flow(flow_file, seed)
    flow = Flow(config, build / config.name, flow_file)
    record = {"file": str(flow_file), "table": config.data.file, "flow": config.model_dump(mode="json")}
    write_text_if_changed(flow.folder / "config" / "flow.json", json.dumps(record, indent=1) + "\n")
    for stage in STAGES:
        part = json.dumps(_stage_config(flow, stage), indent=1, sort_keys=True)
        write_text_if_changed(flow.folder / "config" / f"{stage.name}.json", part + "\n")
    table = data_file(config.data)
    rules = [f"{flow.folder}/dataset.npz: {table}\n"] if table else []
    rules += [f"{flow.folder}/config/.done: {extended}\n" for extended in flow_files(flow_file)[1:]]
    write_text_if_changed(flow.folder / "config" / "data.mk", "".join(rules))
    return flow


def open_flow(path: Path, build: Path = DEFAULT_BUILD, seed: int | None = None) -> Flow:
    """The flow of a flow file (``*.yaml``), or of a folder that :func:`configure` made with its seed."""
    if path.suffix in {".yaml", ".yml"}:
        return configure(path, build, seed)
    if seed is not None:
        raise ConfigError(path, "", "is a build folder, whose seed is fixed", "a seed with a flow file")
    record = path / "config" / "flow.json"
    if not record.exists():
        raise ConfigError(
            path, "", "is no flow", "a flow file (*.yaml), or a build folder made from one by 'dwn-asic run'"
        )
    content = read_json(record)
    content["flow"]["data"]["file"] = content.get("table")
    return Flow(validate(FlowConfig, content["flow"], record), path, Path(content["file"]))


def run_stage(flow: Flow, stage: Stage, reporter: Reporter) -> None:
    """Run one stage, whether or not it is up to date, and write its manifest."""
    for name in stage.inputs:
        if not (flow.folder / name).exists():
            maker = next(s.name for s in STAGES if name in s.outputs)
            raise DataError(flow.folder / name, f"is missing; 'dwn-asic {maker} {flow.folder}' makes it")
    manifest = flow.folder / ".manifest" / f"{stage.name}.json"
    manifest.unlink(missing_ok=True)
    start = time.perf_counter()
    earlier = stage.run(flow, reporter)
    seconds = time.perf_counter() - start + (earlier or 0.0)
    manifest.parent.mkdir(exist_ok=True)
    with staged(manifest.parent, stage.name) as scratch:
        write_json(scratch / manifest.name, {"key": _key(flow, stage), "seconds": seconds})


def run_flow(flow: Flow, reporter: Reporter, *, force: bool = False) -> list[str]:
    """Run every stage that is not up to date; gives the names of those that ran."""
    ran = []
    for stage in STAGES:
        if not force and is_current(flow, stage):
            reporter.message(f"{stage.name}: up to date")
            continue
        run_stage(flow, stage, reporter)
        ran.append(stage.name)
    return ran


def is_current(flow: Flow, stage: Stage) -> bool:
    """Whether the outputs are there and were made from the present inputs and configuration."""
    manifest = flow.folder / ".manifest" / f"{stage.name}.json"
    files = [flow.folder / name for name in (*stage.inputs, *stage.outputs)]
    if not manifest.exists() or not all(path.exists() for path in files):
        return False
    return bool(read_json(manifest).get("key") == _key(flow, stage))


def _key(flow: Flow, stage: Stage) -> str:
    inputs = [flow.folder / name for name in stage.inputs]
    table = data_file(flow.config.data) if stage.name == "data" else None
    return digest(_stage_config(flow, stage), [*inputs, *([table] if table else [])])


def _stage_config(flow: Flow, stage: Stage) -> dict[str, Any]:
    """The stage's part of the flow configuration."""
    content: Any = flow.config.model_dump(mode="json")
    part: dict[str, Any] = {"version": __version__, "stage": stage.name}
    for section in stage.sections:
        value = content
        for key in section.split("."):
            value = value[key]
        part[section] = value
    return part
