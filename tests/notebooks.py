"""The notebooks of examples/: run one; as a script, run all and keep their outputs (`make examples`)."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbclient import NotebookClient

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
_SECONDS = 300


def executed(path: Path) -> nbformat.NotebookNode:
    """Execute the notebook and return it with new outputs, without anything that differs from run to run.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell fails; the message is its traceback.
    """
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=_SECONDS, kernel_name="python3").execute()
    notebook.metadata.language_info = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
    return notebook


def _joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Join texts that were printed one after another, as their division depends on the machine's load."""
    joined: list[nbformat.NotebookNode] = []
    for output in outputs:
        before = joined[-1] if joined else None
        if before is not None and output.output_type == before.output_type == "stream":
            before.text += output.text
        else:
            joined.append(output)
    return joined


if __name__ == "__main__":
    for path in NOTEBOOKS:
        nbformat.write(executed(path), path)
        print(f"wrote {path}")
