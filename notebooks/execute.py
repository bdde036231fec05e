"""Executes notebooks in place, or checks that what is committed is what comes out.

    python notebooks/execute.py [--check] [NOTEBOOK ...]

Nothing that differs from day to day is kept: no times, no version of Python. --check writes executed notebooks to
`target/notebooks` and fails if the numbers and words of one differ from what is committed, if a cell was not executed in
order or complains on stderr, or is longer than 20 lines. Pictures are compared by their size alone.
"""

import argparse
import base64
import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
LONGEST_CELL = 20  # lines
# The first figure of a notebook that a page shows, too.
PICTURES = {"01_incident_3am": HERE.parent / "docs" / "incident.png"}


def execute(path: Path) -> nbformat.NotebookNode:
    """The notebook with fresh outputs. A cell that fails raises."""
    os.environ["TQDM_DISABLE"] = "1"  # progress bars depend on the machine
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", record_timing=False, resources=resources).execute()
    notebook.metadata = nbformat.from_dict(METADATA)
    for number, cell in enumerate(notebook.cells):
        cell.id, cell.metadata = f"cell-{number:02}", nbformat.from_dict({})
    return notebook


def shown(notebook: nbformat.NotebookNode) -> list:
    """All that a reader sees, with the size of a picture in place of its bytes, which may differ between machines."""

    def still(data: dict) -> dict:
        size = base64.b64decode(data["image/png"])[16:24].hex() if "image/png" in data else None
        return {**{kind: text for kind, text in data.items() if kind != "image/png"}, "picture": size}

    return [
        (cell.source, [{**output, "data": still(output.get("data", {}))} for output in cell.get("outputs", [])])
        for cell in notebook.cells
    ]


def first_picture(notebook: nbformat.NotebookNode) -> bytes:
    data = (output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []))
    return base64.b64decode(next(each["image/png"] for each in data if "image/png" in each))


def faults(notebook: nbformat.NotebookNode) -> list[str]:
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    found = []
    for number, cell in enumerate(cells, start=1):
        if cell.execution_count != number:
            found.append(f"code cell {number} was not executed in order")
        if cell.source.count("\n") >= LONGEST_CELL:
            found.append(f"code cell {number} is longer than {LONGEST_CELL} lines")
        if any(output.output_type == "error" or output.get("name") == "stderr" for output in cell.outputs):
            found.append(f"code cell {number} complains")
    if notebook.metadata != METADATA:
        found.append("metadata other than the kernel's name")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with what is committed, and change nothing")
    parser.add_argument("notebook", nargs="*", type=Path, help="[default: all]")
    arguments = parser.parse_args()
    failed = False
    for path in arguments.notebook or sorted(HERE.glob("*.ipynb")):
        fresh = execute(path)
        target = HERE.parent / "target" / "notebooks" / path.name if arguments.check else path
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(fresh, target)
        found, picture = faults(fresh), PICTURES.get(path.stem)
        if picture and not arguments.check:
            picture.write_bytes(first_picture(fresh))
        if arguments.check:
            committed = nbformat.read(path, as_version=4)
            if picture and picture.read_bytes() != first_picture(committed):
                found.append(f"{picture.name} is not its first figure")
            found += [f"{fault}, as committed" for fault in faults(committed)]
            for number, (old, new) in enumerate(zip(shown(committed), shown(fresh), strict=True)):
                if old != new:
                    found.append(f"cell {number} now shows something else than what is committed: see {target}")
        failed |= bool(found)
        print(f"{path.name}: {'; '.join(found) or 'as it should be'}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
