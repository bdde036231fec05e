"""The pages about the package are true: what is shown below a block of Python is what it prints.

`UPDATE_DOCS=1` writes the reference anew, and what is shown.
"""

import contextlib
import io
import os
import re
from pathlib import Path

import pytest
import reference
from conftest import ROOT

PAGES = [ROOT / "README.md", ROOT / "docs/how-to/python.md"]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
UPDATING = "UPDATE_DOCS" in os.environ


def test_the_reference_is_made_of_docstrings() -> None:
    path, text = ROOT / "docs/python.md", reference.reference()
    if UPDATING:
        path.write_text(text)
    assert path.read_text() == text, "docs/python.md is out of step: run the tests with UPDATE_DOCS=1 and commit it"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_blocks_of_python_print_what_is_shown(path: Path) -> None:
    """They are run in order, and know of each other; `...` stands for lines that are left out."""
    text = path.read_text()
    names: dict[str, object] = {}
    printed, count, at, updated = "", 0, 0, ""
    for block in BLOCK.finditer(text):
        language, shown = block.groups()
        line = text[: block.start()].count("\n") + 1
        updated, at = updated + text[at : block.start()], block.end()
        if language == "text" and printed:
            pattern = re.escape(shown).replace(re.escape("...\n"), "(?:.*\n)*?")
            if re.fullmatch(pattern, printed) is None:
                assert UPDATING, f"{path.name}:{line} shows\n{shown}\nwhere it prints\n{printed}"
                shown = printed
            printed = ""
        elif language == "python":
            assert printed == "", f"{path.name}:{line}: what the block before it prints is not shown"
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile("\n" * line + shown, str(path), "exec"), names)
            printed = out.getvalue()
            count += 1
        updated += f"```{language}\n{shown}```"
    assert printed == ""
    assert count > 0, "no block of Python is found"
    if UPDATING:
        path.write_text(updated + text[at:])
