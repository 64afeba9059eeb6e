"""From a trained network in a file to a flow file that takes it to a chip."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from dwn_asic.errors import ConfigError

__all__ = ["chip_flow"]


def chip_flow(
    model: Path,
    build: Path,
    *,
    data: str | None = None,
    label: str | None = None,
    thresholds: Path | None = None,
    classes: int | None = None,
    features: int | None = None,
    name: str | None = None,
    pdk: str = "sky130hd",
    shrink: bool = True,
) -> Path:
    """Write ``build/NAME/flow.yaml``; returns its path.

    Parameters
    ----------
    model
        The network's file.
    build
        Holds the flows' folders.
    data
        Source of rows, or path of a CSV file.
    label, thresholds, classes, features, pdk
        As in a flow file.
    name
        Default the file's stem, as far as module names allow.
    shrink
        Whether rows, where there are any, make the circuit smaller.

    Raises
    ------
    ConfigError
        There is no such file.
    """
    if not model.exists():
        raise ConfigError(model, "", "no such file", "a checkpoint, or network.npz")
    name = name or re.sub(r"^[^A-Za-z]+|[^A-Za-z0-9_]", "", re.sub(r"[-. ]", "_", model.stem)) or "chip"
    said = {
        "file": str(model),
        "thresholds": None if thresholds is None else str(thresholds),
        "classes": classes,
        "features": features,
    }
    content: dict[str, Any] = {"name": name, "model": {k: v for k, v in said.items() if v is not None}}
    if data is not None:
        source = data if ":" in data else f"csv:{data}"
        content["data"] = {"source": source, **({"label": label} if label is not None else {})}
        if shrink:
            content["shrink"] = {}
    content["synthesis"] = {"pdk": pdk}
    path = build / name / "flow.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path
