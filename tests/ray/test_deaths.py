"""Nodes, workers and drivers that die at any moment: nothing is lost, and nothing is played again but what they had."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import failover_sim as fs
import pytest
from cluster import Cluster, wait_for
from conftest import AXES, begun, ended, leftovers, segments, tables

SHARDS = 16
DRIVER = """
import sys
import failover_sim as fs
from conftest import AXES, SCENARIO
runs, out = int(sys.argv[1]), sys.argv[2]
scenario = fs.Scenario.from_toml(SCENARIO, name="small")
fs.sweep(scenario, axes=AXES, runs=runs, engine="ray", address="127.0.0.1:6379", shards=16, out=out, progress=False)
"""


def driver(runs: int, out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", DRIVER, str(runs), str(out)]
    return subprocess.Popen(command, cwd=Path(__file__).parent, stderr=subprocess.PIPE, text=True)


def meanwhile(do: Callable[[], None]) -> Callable[[], None]:
    """Does something in another thread; returns what waits for it, and raises what it raised."""
    raised: list[BaseException] = []

    def doing() -> None:
        try:
            do()
        except BaseException as error:
            raised.append(error)

    thread = Thread(target=doing)
    thread.start()

    def wait() -> None:
        thread.join()
        if raised:
            raise raised[0]

    return wait


@pytest.mark.parametrize("nth", range(10))
def test_a_node_is_killed_midway(
    nth: int, nodes: Cluster, scenario: fs.Scenario, runs: int, whole: dict[str, bytes], tmp_path: Path
) -> None:
    second = nodes.start(f"second-{nth}", 1)
    nodes.ready(3)
    lost: list[str] = []

    def kill() -> None:
        # In its second shard or a later one, and each time at another moment of it.
        wait_for("shard of the second node", lambda: len(begun(nodes, second.name)) >= 2 + nth % 3)
        time.sleep(0.04 * nth)
        nodes.kill(second)
        lost.extend(shard for shard in begun(nodes, second.name) if shard not in ended(nodes, second.name))

    killed = meanwhile(kill)
    out = tmp_path / "out"
    fs.sweep(scenario, axes=AXES, runs=runs, engine="ray", shards=SHARDS, out=out, progress=False)
    killed()
    assert tables(out) == whole
    assert leftovers(out) == []
    # Between the end of a shard and the next one nothing is lost.
    times = Counter(begun(nodes))
    again = {shard for shard, count in times.items() if count > 1}
    assert len(times) == SHARDS and set(lost) <= again
    # A result that was on its way is asked for again, too: it was the node's last.
    assert again <= set(begun(nodes, second.name)[-2:]) and max(times.values()) <= 2
    assert {event.node for event in nodes.events()} == {"first", second.name}


def test_a_worker_is_killed(
    nodes: Cluster, scenario: fs.Scenario, runs: int, whole: dict[str, bytes], tmp_path: Path
) -> None:
    def kill() -> None:
        wait_for("shard", lambda: len(begun(nodes)) >= 4)
        os.kill(nodes.events()[-1].process, signal.SIGKILL)

    killed = meanwhile(kill)
    fs.sweep(scenario, axes=AXES, runs=runs, engine="ray", shards=8, out=tmp_path / "out", progress=False)
    killed()
    assert tables(tmp_path / "out") == whole
    assert sum(Counter(begun(nodes)).values()) in (8, 9) and len({event.process for event in nodes.events()}) > 1


def test_a_shard_that_kills_its_workers_is_named_and_the_others_are_kept(
    nodes: Cluster, scenario: fs.Scenario, runs: int, whole: dict[str, bytes], tmp_path: Path
) -> None:
    (nodes.log / "die-3").touch()
    out = tmp_path / "out"

    def sweep(**how: Any) -> None:
        fs.sweep(scenario, axes=AXES, runs=runs, engine="ray", shards=4, out=out, progress=False, **how)

    with pytest.raises(fs.FailoverSimError, match=r"1 of 4 shards were not played, 3/4: WorkerCrashedError.*\n.*resume=True"):
        sweep()
    assert Counter(begun(nodes)) == {"1/4": 1, "2/4": 1, "3/4": 4, "4/4": 1}
    assert len(segments(out)) == 3
    nodes.forget_events()
    sweep(resume=True)
    assert begun(nodes) == ["3/4"] and tables(out) == whole


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_the_driver_ends_midway(
    how: signal.Signals, nodes: Cluster, scenario: fs.Scenario, runs: int, whole: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = driver(runs, out)
    wait_for("shards", lambda: len(segments(out)) >= 3)
    process.send_signal(how)
    _, said = process.communicate(timeout=30)
    assert process.returncode != 0
    if how == signal.SIGINT:
        assert "KeyboardInterrupt" in said
    # Its tasks are stopped, wherever they are.
    begun_before = len(begun(nodes))
    time.sleep(1.0)
    there = segments(out)
    assert 3 <= len(there) < SHARDS and len(begun(nodes)) <= begun_before + 1
    with pytest.raises(fs.InputError, match="has a sweep's results"):
        fs.sweep(scenario, axes=AXES, runs=runs, engine="ray", out=out)
    nodes.forget_events()
    fs.sweep(scenario, axes=AXES, runs=runs, engine="ray", shards=SHARDS, out=out, resume=True, progress=False)
    assert tables(out) == whole and leftovers(out) == []
    assert len(begun(nodes)) == SHARDS - len(there)
    assert set(there) <= set(segments(out))
