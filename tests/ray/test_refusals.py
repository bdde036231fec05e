"""What a sweep on a cluster refuses, and what it says."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import failover_sim as fs
import pytest
from cluster import Cluster, wait_for
from conftest import AXES, RUNS, begun, meanwhile, segments, tables
from test_deaths import driver


IN_VARIABLE = "import os; os.environ['RAY_ADDRESS'] = {!r}; "


def sweep(scenario: fs.Scenario, out: Path | None, **how: Any) -> fs.Sweep:
    return fs.sweep(scenario, **{"axes": AXES, "runs": 3, "engine": "ray", "shards": 4, "out": out, "progress": False} | how)


@pytest.mark.parametrize(
    "how, complaint",
    [
        ({"out": None}, '`engine="ray"` needs `out`'),
        ({"shards": 0}, "`shards` is 0"),
        ({"shards": 33}, "the sweep has 32 points, and cannot be cut into 33 shards"),
        ({"engine": "dask"}, "`engine` is 'dask'"),
        ({"engine": None}, "`shards` needs `engine`"),
        ({"address": "10.0.0.1:6379"}, "connected to the Ray cluster at 127.0.0.1:6379 already"),
        ({"threads": 0}, "`threads` is 0"),
    ],
)
def test_arguments(how: dict[str, Any], complaint: str, nodes: Cluster, scenario: fs.Scenario, tmp_path: Path) -> None:
    with pytest.raises(fs.InputError, match=complaint):
        sweep(scenario, **{"out": tmp_path / "out"} | how)
    assert segments(tmp_path / "out") == []


@pytest.mark.parametrize(
    "code, address, complaint",
    [
        ("", "127.0.0.1:6390", "there is no Ray cluster at 127.0.0.1:6390: .*refused"),
        ("", "head", '`address` is "head".*\n.*host and port'),
        ("", "local", '`address` is "local", .*\n.*leave `engine` out'),
        ("", "http://10.0.0.1:8265", '`address` is "http://10.0.0.1:8265", .*dashboard\n.*10.0.0.1:6379'),
        (IN_VARIABLE.format("head"), "", 'RAY_ADDRESS is "head".*\n.*host and port'),
        (IN_VARIABLE.format("local"), "auto", 'RAY_ADDRESS is "local"'),
        (IN_VARIABLE.format("127.0.0.1:6390"), "", "there is no Ray cluster at 127.0.0.1:6390: .*refused"),
        ("import os; os.environ['RAY_TMPDIR'] = os.getcwd(); ", "", "there is no Ray cluster on this machine"),
        ("", "last", "there is no Ray cluster on this machine: .*refused"),
        ("import sys; sys.modules['ray'] = None; ", "", r'needs Ray, which is not installed.*\n.*pip install "failover-sim\[ray\]"'),
    ],
    ids=[
        *("nobody listens", "no address", "a private one", "a dashboard"),
        *("none in the variable", "a private one in the variable", "nobody listens at the variable's"),
        *("none here", "none here any more", "not installed"),
    ],
)
def test_no_cluster(code: str, address: str, complaint: str, tmp_path: Path) -> None:
    if address == "last":
        (tmp_path / "ray").mkdir()
        (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:6390")
        code, address = f"import os; os.environ['RAY_TMPDIR'] = {str(tmp_path)!r}; ", ""
    code += (
        "import failover_sim as fs; from conftest import AXES, SCENARIO; "
        "s = fs.Scenario.from_toml(SCENARIO, name='small')\n"
        f"try: fs.sweep(s, axes=AXES, runs=3, engine='ray', address={address or None!r}, out={str(tmp_path / 'out')!r})\n"
        "except fs.InputError as error: print(error)"
    )
    # Ray looks for a head among the processes.
    command = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", code]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=60)
    assert re.search(complaint, done.stdout), done.stdout + done.stderr
    assert not (tmp_path / "out").exists()


def test_two_drivers(nodes: Cluster, scenario: fs.Scenario, whole: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"
    nodes.hold(16)
    first = driver(out)
    nodes.step(2)
    for how in ({"resume": True}, {"force": True}, {"resume": True, "engine": None, "shards": None}):
        with pytest.raises(fs.InputError, match="is being written by another process"):
            sweep(scenario, out, runs=RUNS, **how)
    nodes.let_go()
    assert first.wait(timeout=60) == 0
    assert tables(out) == whole


def test_a_driver_on_a_machine_that_does_not_see_the_lock(
    nodes: Cluster, scenario: fs.Scenario, whole: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"

    def take_over() -> None:
        nodes.step(2)
        (out / "ledger" / "driver").write_text("node-b, process 7, 0badcafe")
        nodes.let_go()

    nodes.hold(16)
    taken = meanwhile(take_over)
    with pytest.raises(fs.InputError, match="was taken over by another command: node-b, process 7"):
        sweep(scenario, out, runs=RUNS, shards=16)
    taken()
    assert (out / "ledger" / "driver").read_text() == "node-b, process 7, 0badcafe", "it is the other's"
    assert len(segments(out)) == 2
    sweep(scenario, out, runs=RUNS, resume=True)
    assert tables(out) == whole


@pytest.mark.parametrize("fault", ["not shared", "read-only"])
def test_a_node_that_does_not_have_the_folder(
    fault: str, nodes: Cluster, scenario: fs.Scenario, whole: dict[str, bytes], tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    nodes.start("odd", 1, shared, fault)
    nodes.ready(3)
    complaint = {
        "not shared": r"the sweep's folder is not there\n.*file system that all nodes share.*\n\(shard \d+/16 on node ",
        "read-only": r"cannot create .*Read-only file system.*\n\(shard \d+/16 on node ",
    }
    nodes.hold(16)
    stepped = meanwhile(lambda: nodes.let_go(nodes.step(0, "odd").shard))
    with pytest.raises(fs.InputError, match=complaint[fault]):
        sweep(scenario, shared / "out", runs=RUNS, shards=16)
    stepped()
    nodes.let_go()
    nodes.kill(nodes.nodes["odd"])
    sweep(scenario, shared / "out", runs=RUNS, resume=True)
    assert tables(shared / "out") == whole


def test_a_folder_that_cannot_be_written(nodes: Cluster, scenario: fs.Scenario, tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", tmp_path], check=True)
    with pytest.raises(fs.InputError, match="cannot create .*Read-only file system.*choose a place"):
        sweep(scenario, tmp_path / "out")
    subprocess.run(["umount", tmp_path], check=True)
    assert begun(nodes) == []


def test_a_node_with_another_build(nodes: Cluster, scenario: fs.Scenario, tmp_path: Path) -> None:
    (nodes.log / "another-build").touch()
    with pytest.raises(fs.InputError, match=r"this is build [0-9a-f]{16} .* begun with build 0123456789abcdef\n.*same build on every node"):
        sweep(scenario, tmp_path / "out")
    assert segments(tmp_path / "out") == []


def test_a_task_that_no_node_has_cores_for(nodes: Cluster, scenario: fs.Scenario, tmp_path: Path) -> None:
    def interrupt() -> None:
        wait_for("sweep", lambda: (tmp_path / "out" / "ledger" / "driver").exists())
        os.kill(os.getpid(), signal.SIGINT)

    interrupted = meanwhile(interrupt)
    with pytest.warns(UserWarning, match="no node has 64 cores for a task, the largest has 1"), pytest.raises(KeyboardInterrupt):
        sweep(scenario, tmp_path / "out", threads=64)
    interrupted()
    # The folder is free again at once.
    sweep(scenario, tmp_path / "out", resume=True)
