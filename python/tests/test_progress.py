"""Progress: where somebody looks, after a second, and gone at the end."""

import os
import pty
import subprocess
import sys
import termios
import threading
import time

import pytest

import failover_sim as fs
from failover_sim import _progress

WORK = """
import failover_sim as fs
from failover_sim import _progress
from conftest import SMALL
_progress.SHOWN_AFTER_SECONDS = %s
scenario = fs.Scenario.from_toml(SMALL).with_values({"traffic.arrivals": {"users": {"count": 100, "think": {"constant": "1s"}}}})
scenario.run(runs=%s, threads=2 %s)
print("done")
"""
LONG, SHORT = (0, 200), (_progress.SHOWN_AFTER_SECONDS, 2)
"""After how many seconds a bar is shown, and so many runs: real seconds would depend on the machine."""


def on_a_terminal(size: tuple[float, int], arguments: str = "", **environment: str) -> str:
    """What standard error shows, being a terminal."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    process = start(size, arguments, stderr=theirs, **environment)
    os.close(theirs)
    shown = b""
    while True:
        try:
            more = os.read(ours, 4096)
        except OSError:
            break
        if not more:
            break
        shown += more
    os.close(ours)
    assert process.wait() == 0
    return shown.decode()


def start(size: tuple[float, int], arguments: str, stderr: int, **environment: str) -> subprocess.Popen[str]:
    code = WORK % (*size, arguments)
    environment = os.environ | {"PYTHONPATH": os.path.dirname(__file__), "TERM": "xterm", "TQDM_MININTERVAL": "0"} | environment
    environment = {name: value for name, value in environment.items() if value}
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment
    )


def test_a_bar_on_a_terminal_is_gone_at_the_end() -> None:
    shown = on_a_terminal(LONG, TQDM_DISABLE="")
    assert "/200" in shown
    assert "run" in shown
    # It stays on its line, and the last thing is spaces over it.
    assert "\n" not in shown
    assert shown.rstrip("\r").rsplit("\r", 1)[-1].strip() == ""


def test_short_work_shows_none() -> None:
    assert _progress.SHOWN_AFTER_SECONDS == 1
    assert on_a_terminal(SHORT, TQDM_DISABLE="") == ""


def test_it_can_be_switched_off() -> None:
    assert on_a_terminal(LONG, ", progress=False", TQDM_DISABLE="") == ""
    assert on_a_terminal(LONG, TQDM_DISABLE="1") == ""


def test_a_pipe_has_none_unless_it_is_asked_for() -> None:
    for arguments, expected in (("", False), (", progress=True", True)):
        process = start(LONG, arguments, stderr=subprocess.PIPE, TQDM_DISABLE="")
        printed, shown = process.communicate()
        assert printed == "done\n"
        assert ("/200" in shown) is expected
        assert expected or shown == ""


def test_a_function_hears_of_it(small: fs.Scenario) -> None:
    heard: list[tuple[int, int]] = []
    # Many short runs, so that it is asked more than once.
    small.with_values({"traffic.arrivals": {"users": {"count": 50, "think": {"constant": "1s"}}}}).run(
        runs=100, progress=lambda done, total: heard.append((done, total))
    )
    assert heard[-1] == (100, 100)
    assert heard == sorted(heard)
    assert {total for _, total in heard} <= {0, 100}


def test_what_a_function_raises_stops_the_work(small: fs.Scenario) -> None:
    calls = 0

    def enough(done: int, total: int) -> None:
        nonlocal calls
        calls += 1
        raise LookupError("enough")

    started = time.monotonic()
    with pytest.raises(LookupError, match="enough"):
        # A run takes longer than it is until progress would be told again.
        small.with_values({"duration": "48h"}).run(runs=1_000_000, yes=True, progress=enough)
    assert time.monotonic() - started < 60
    assert calls == 1


def test_in_another_thread(small: fs.Scenario) -> None:
    """Results are the same, and threads do not disturb each other."""
    expected = small.run(runs=20).runs["failed_count"]
    found: list[object] = [None] * 8

    def play(nth: int) -> None:
        found[nth] = small.run(runs=20, progress=lambda done, total: None).runs["failed_count"]

    threads = [threading.Thread(target=play, args=(nth,)) for nth in range(len(found))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * len(found)
