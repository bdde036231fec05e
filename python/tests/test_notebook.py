"""Progress in a notebook: while the work goes on, and nothing of it in the end."""

import os
from pathlib import Path
from typing import Any

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

WORK = """
import failover_sim as fs
from failover_sim import _progress
from conftest import SMALL
_progress.SHOWN_AFTER_SECONDS = {after}
scenario = fs.Scenario.from_toml(SMALL)
try:
    {work}
except KeyboardInterrupt:
    pass
print("done")
"""
LONG = 'scenario.with_values({"duration": "1h"}).run(runs=20, threads=2%s)'
"""Work that is told of more than once."""


def executed(work: str, after: float = 0, **environment: str) -> tuple[list[Any], list[Any]]:
    """The outputs that a notebook keeps of a cell, and all that its kernel sent to be displayed."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(WORK.format(work=work, after=after))])
    client = nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3")
    displayed: list[Any] = []
    process = client.process_message

    def heard(message: Any, *arguments: Any) -> Any:
        if message["msg_type"] in ("display_data", "update_display_data"):
            displayed.append(message)
        return process(message, *arguments)

    client.process_message = heard
    client.execute(env=os.environ | {"PYTHONPATH": str(Path(__file__).parent), "TQDM_DISABLE": ""} | environment)
    return notebook.cells[0].outputs, displayed


def kept(outputs: list[Any]) -> list[Any]:
    """What one sees of them."""
    return [output for output in outputs if "data" not in output or any(output["data"].values())]


def test_a_notebook_that_is_kept_has_nothing_of_it() -> None:
    outputs, displayed = executed(LONG % "")
    assert [(output["name"], output["text"]) for output in kept(outputs)] == [("stdout", "done\n")]
    # It was one output, which changed in place.
    assert [message["msg_type"] for message in displayed] == ["display_data"] + ["update_display_data"] * (len(displayed) - 1)
    assert len({message["content"]["transient"]["display_id"] for message in displayed}) == 1
    *shown, last = (message["content"]["data"] for message in displayed)
    assert any(data["text/html"].startswith('<progress max="20" value="') for data in shown)
    assert any("/20 [" in data["text/plain"] for data in shown)
    assert set(last.values()) == {""}


def test_it_is_gone_after_ctrl_c() -> None:
    press = "import signal, threading; threading.Timer(0.5, signal.raise_signal, (signal.SIGINT,)).start()"
    outputs, displayed = executed(f'{press}; scenario.with_values({{"duration": "1h"}}).run(runs=1_000_000, yes=True)')
    assert len(displayed) > 1
    assert [output["text"] for output in kept(outputs)] == ["done\n"]


def test_short_work_and_work_without_a_bar_show_nothing() -> None:
    for outputs, displayed in (
        executed("scenario.run(runs=1)", after=1),
        executed(LONG % ", progress=False"),
        executed(LONG % "", TQDM_DISABLE="1"),
    ):
        assert displayed == []
        assert [output["text"] for output in outputs] == ["done\n"]
