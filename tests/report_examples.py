"""Small made-up results."""

from __future__ import annotations

from typing import Any

from dwn_asic.report.result import Kind, MethodResult, PdkResult, Result, SplitSizes

NAND2 = 3.7536


def circuit(
    name: str,
    method: str,
    accuracy: float,
    core: float,
    encoder: float,
    *,
    kind: Kind = "exact",
    label: str = "",
    registers: float = 0.0,
) -> MethodResult:
    """Return a circuit's result; areas are in NAND2-equivalents, the accuracy is of test rows."""
    total = core + encoder + registers
    return MethodResult(
        name=name,
        label=label or name,
        method=method,
        kind=kind,
        proof="proved" if kind == "exact" else "-",
        metrics={
            "design__instance__area": total * NAND2,
            "area__nand2_equivalent": total,
            "area__core": core * NAND2,
            "area__core__nand2_equivalent": core,
            "area__encoder": encoder * NAND2,
            "area__encoder__nand2_equivalent": encoder,
            "area__registers": registers * NAND2,
            "design__instance__count": round(total / 1.5),
            "design__instance__count__core": round(core / 1.5),
            "design__instance__count__encoder": round(encoder / 1.5),
            "timing__delay": 1.23,
            "energy__inference": 0.457,
            "energy__delay_product": 0.562,
            "accuracy__train": accuracy + 0.031,
            "accuracy__val": accuracy + 0.004,
            "accuracy__test": accuracy,
            "encoder__threshold__count": 12,
        },
        details={"depth": 5},
    )


def software(name: str = "gbdt", accuracy: float = 0.9056, label: str = "gradient boosting") -> MethodResult:
    metrics = {"accuracy__train": 1.0, "accuracy__val": accuracy, "accuracy__test": accuracy}
    return MethodResult(name=name, label=label, method="gbdt", kind="software", metrics=metrics)


def methods() -> tuple[MethodResult, ...]:
    """Return the methods as the prototype measured them on phoneme, in no particular order."""
    return (
        software(),
        circuit("tree-32", "decision_tree", 0.8459, 28.9, 131.4, label="decision tree, 32 leaves"),
        circuit("tree-8", "decision_tree", 0.7761, 5.0, 38.2, label="decision tree, 8 leaves"),
        circuit("tree-16", "decision_tree", 0.8222, 11.3, 77.1, label="decision tree, 16 leaves"),
        circuit("tiny-2", "tiny_classifier", 0.7642, 6.7, 22.3, label="Tiny Classifier, 2 bits"),
        circuit("tiny-4", "tiny_classifier", 0.7711, 9.3, 35.1, label="Tiny Classifier, 4 bits"),
        circuit("dwn", "dwn", 0.8525, 230.5, 386.5, label="DWN"),
        circuit("dwn-shrunk", "dwn", 0.8442, 18.3, 69.7, kind="shrunk", label="DWN, shrunk"),
    )


def result(flow: str = "phoneme", **changes: Any) -> Result:
    values: dict[str, Any] = {
        "flow": flow,
        "source": f"bundled:{flow}",
        "seed": 7,
        "split": SplitSizes(train=3242, val=1081, test=1081),
        "n_features": 5,
        "n_classes": 2,
        "class_names": ("nasal", "oral"),
        "input_bits": 8,
        "pdk": PdkResult(
            name="sky130hd",
            library="sky130_fd_sc_hd",
            corner="tt_025C_1v80",
            origin="embedded table sky130hd.cells.csv",
        ),
        "tools": {"yosys": "0.70", "dwn-asic": "0.1.0"},
        "methods": methods(),
        "run": {"started": "2026-11-23T23:00:00Z", "seconds": 12.5},
    }
    return Result(**(values | changes))
