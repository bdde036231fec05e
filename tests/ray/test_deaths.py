"""Nodes, workers and drivers that die at any moment: nothing is lost, and nothing is played again but what they had."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import failover_sim as fs
import pytest
from cluster import ADDRESS, Cluster, cluster, wait_for
from conftest import AXES, RUNS, begun, leftovers, meanwhile, segments, tables

SHARDS = 16
DRIVER = """
import sys
import failover_sim as fs
from conftest import AXES, RUNS, SCENARIO
out, address = sys.argv[1:]
scenario = fs.Scenario.from_toml(SCENARIO, name="small")
fs.sweep(scenario, axes=AXES, runs=RUNS, engine="ray", address=address, shards=16, out=out, progress=False)
"""


def driver(out: Path, address: str = ADDRESS, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", DRIVER, str(out), address]
    return subprocess.Popen(command, env=environment, cwd=Path(__file__).parent, stderr=subprocess.PIPE, text=True)


MOMENTS = ["begun", "playing", "written"]
"""What a node is at with a shard when it is killed; the second of them is another moment each time."""


@pytest.mark.parametrize("nth", range(10))
def test_a_node_is_killed_midway(
    nth: int, nodes: Cluster, scenario: fs.Scenario, whole: dict[str, bytes], tmp_path: Path
) -> None:
    second = nodes.start(f"second-{nth}", 1)
    nodes.ready(3)
    moment = MOMENTS[nth % len(MOMENTS)]
    nodes.hold(SHARDS)
    lost: list[str] = []

    def kill() -> None:
        shard = nodes.step(1 + nth % 2, second.name).shard
        if moment == "written":
            nodes.keep(shard)
        if moment != "begun":
            nodes.let_go(shard)
        if moment == "playing":
            time.sleep(0.03 * nth)
        if moment == "written":
            wait_for("segment", lambda: any(e.kind == "written" and e.shard == shard for e in nodes.events()))
        nodes.kill(second)
        nodes.let_go()
        lost.append(shard)

    killed = meanwhile(kill)
    out = tmp_path / "out"
    fs.sweep(scenario, axes=AXES, runs=RUNS, engine="ray", shards=SHARDS, out=out, progress=False)
    killed()
    assert tables(out) == whole
    assert leftovers(out) == []
    times = Counter(begun(nodes))
    again = {shard for shard, count in times.items() if count > 1}
    assert len(times) == SHARDS and max(times.values()) <= 2
    # A result that was on its way is asked for again, too: it was the node's last.
    assert again <= set(begun(nodes, second.name)[-2:])
    # A shard that was not held may have come to its end in time.
    assert moment == "playing" or set(lost) <= again


def test_a_worker_is_killed(nodes: Cluster, scenario: fs.Scenario, whole: dict[str, bytes], tmp_path: Path) -> None:
    def kill() -> None:
        os.kill(nodes.step(3).process, signal.SIGKILL)
        nodes.let_go()

    nodes.hold(8)
    killed = meanwhile(kill)
    fs.sweep(scenario, axes=AXES, runs=RUNS, engine="ray", shards=8, out=tmp_path / "out", progress=False)
    killed()
    assert tables(tmp_path / "out") == whole
    assert sorted(Counter(begun(nodes)).values()) == [1] * 7 + [2]


def test_a_shard_that_kills_its_workers_is_named_and_the_others_are_kept(
    nodes: Cluster, scenario: fs.Scenario, whole: dict[str, bytes], tmp_path: Path
) -> None:
    (nodes.log / "die-3").touch()
    out = tmp_path / "out"

    def sweep(**how: Any) -> None:
        fs.sweep(scenario, axes=AXES, runs=RUNS, engine="ray", shards=4, out=out, progress=False, **how)

    with pytest.raises(fs.FailoverSimError, match=r"1 of 4 shards were not played, 3/4: WorkerCrashedError.*\n.*resume=True"):
        sweep()
    assert Counter(begun(nodes)) == {"1/4": 1, "2/4": 1, "3/4": 4, "4/4": 1}
    assert len(segments(out)) == 3
    nodes.forget_events()
    sweep(resume=True)
    assert begun(nodes) == ["3/4"] and tables(out) == whole


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_the_driver_ends_midway(
    how: signal.Signals, nodes: Cluster, scenario: fs.Scenario, whole: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    nodes.hold(SHARDS)
    process = driver(out)
    held = nodes.step(3)
    process.send_signal(how)
    _, said = process.communicate(timeout=30)
    assert process.returncode != 0
    if how == signal.SIGINT:
        assert "KeyboardInterrupt" in said
    # Its tasks are stopped, wherever they are.
    wait_for("end of the task", lambda: not Path(f"/proc/{held.process}").exists())
    there = segments(out)
    assert len(there) == 3 and len(begun(nodes)) == 4
    nodes.let_go()
    with pytest.raises(fs.InputError, match="has a sweep's results"):
        fs.sweep(scenario, axes=AXES, runs=RUNS, engine="ray", out=out)
    nodes.forget_events()
    fs.sweep(scenario, axes=AXES, runs=RUNS, engine="ray", shards=SHARDS, out=out, resume=True, progress=False)
    assert tables(out) == whole and leftovers(out) == []
    assert len(begun(nodes)) == SHARDS - len(there)
    assert set(there) <= set(segments(out))


def test_the_head_dies_and_the_sweep_goes_on_without_a_cluster(
    scenario: fs.Scenario, whole: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    # Nodes and drivers wait a minute for a head that is gone, unless told otherwise.
    with cluster(port=6391, RAY_gcs_rpc_server_reconnect_timeout_s="3") as apart:
        apart.start("only", 1)
        apart.hold(SHARDS)
        process = driver(out, apart.address, apart.environment)
        apart.step(3)
        apart.kill_head()
        process.communicate(timeout=120)
        assert process.returncode != 0
        there = segments(out)
        assert len(there) == 3
    fs.sweep(scenario, axes=AXES, runs=RUNS, out=out, resume=True, progress=False)
    assert tables(out) == whole and leftovers(out) == []
    assert segments(out) == there
