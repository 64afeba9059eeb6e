"""Writer of the flow file with which the command ``chip`` turns a trained network into a chip."""

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
    """Write ``build/NAME/flow.yaml`` and return its path.

    Parameters
    ----------
    model
        Path of the trained network.
    build
        Folder of all build folders.
    data
        Source of labelled rows, or path of a CSV file; None for a flow without data.
    label, thresholds, classes, features, pdk
        Values of the keys of the same names in a flow file.
    name
        Name of the flow; by default the stem of ``model``, without characters that Verilog names lack.
    shrink
        Whether to shrink the circuit; without data it has no effect.

    Raises
    ------
    ConfigError
        The file ``model`` does not exist.
    """
    if not model.exists():
        raise ConfigError(model, "", "no such file", "a checkpoint or a network.npz")
    name = name or re.sub(r"^[^A-Za-z]+|[^A-Za-z0-9_]", "", re.sub(r"[-. ]", "_", model.stem)) or "chip"
    options = {
        "file": str(model),
        "thresholds": None if thresholds is None else str(thresholds),
        "classes": classes,
        "features": features,
    }
    content: dict[str, Any] = {"name": name, "model": {k: v for k, v in options.items() if v is not None}}
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
