"""Ctrl-C is heard midway, and Python goes on while runs are played."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

import failover_sim as fs

RUNS = 1_000_000
"""So many that no test would see their end."""


def test_ctrl_c_in_this_process(small: fs.Scenario) -> None:
    timer = threading.Timer(0.5, signal.raise_signal, (signal.SIGINT,))
    timer.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        small.with_values({"duration": "1h"}).run(runs=RUNS, yes=True)
    assert time.monotonic() - started < 20
    timer.join()
    # What comes after it is as if nothing had been.
    assert len(small.run(runs=3)) == 3


WORK = """
import sys
import failover_sim as fs
from conftest import SMALL
scenario = fs.Scenario.from_toml(SMALL).with_values({"duration": "1h"})
try:
    scenario.run(runs=%d, yes=True, progress=lambda done, total: print(done, flush=True))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_in_another_process() -> None:
    environment = os.environ | {"PYTHONPATH": os.path.dirname(__file__)}
    process = subprocess.Popen([sys.executable, "-c", WORK % RUNS], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    done = 0
    while done == 0:
        done = int(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    last = process.stdout.read().splitlines()[-1]
    assert process.wait(timeout=30) == 0
    assert last == "interrupted"


def test_python_goes_on_while_runs_are_played(small: fs.Scenario) -> None:
    """Another thread counts: with the global lock held it would have no turn until the end."""
    turns, is_done = 0, threading.Event()

    def count() -> None:
        nonlocal turns
        while not is_done.is_set():
            turns += 1
            time.sleep(0.001)

    counting = threading.Thread(target=count)
    played: list[int] = []

    def enough(done: int, total: int) -> None:
        played.append(turns)
        if turns > played[0] + 100:
            raise StopIteration

    counting.start()
    try:
        with pytest.raises(StopIteration):
            small.with_values({"duration": "1h"}).run(runs=RUNS, progress=enough, yes=True)
    finally:
        is_done.set()
        counting.join()
    # The callback itself has the lock, so turns were taken between two calls of it.
    assert played[-1] > played[0]
