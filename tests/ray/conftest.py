"""What the tests of Ray share: a cluster, and a sweep."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import failover_sim as fs
import pytest
from cluster import ADDRESS, Cluster, cluster

if not os.environ.get("FAILOVER_SIM_ALONE"):
    pytest.exit("these tests start a Ray cluster, which needs a network of its own: run them with tests/ray/run", 2)

SCENARIO = """
duration = "2m"
traffic = { arrivals = { poisson = "100/s" } }
provider.a = { latency = { lognormal = { p50 = "1s", p99 = "3s" } }, capacity = { slots = 1000 } }
provider.b = { latency = { constant = "1s" } }
fault.outage = { on = { name = "a" }, at = "30s", lasts = "30s", requests = { status = 502 }, probes = "hang" }
gateway.route = { prefer = ["a", "b"] }
gateway.health_check = { interval = "10s", timeout = "4s" }
"""
INTERVALS = [f"{4 + 0.5 * nth}s" for nth in range(32)]
AXES = {"gateway.health_check.interval": INTERVALS}
RUNS = 5
"""Of each point. No test depends on how long they take."""


@pytest.fixture(scope="session")
def scenario() -> fs.Scenario:
    return fs.Scenario.from_toml(SCENARIO, name="small")


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[Cluster]:
    """A cluster with one node that stays, to which this process is connected."""
    import ray

    with cluster() as made:
        os.environ.update(RAY_TMPDIR=str(made.folder), RAY_USAGE_STATS_ENABLED="0")
        made.start("first", 1)
        ray.init(address=ADDRESS, log_to_driver=False, logging_level="ERROR")
        made.ready(2)
        yield made
        ray.shutdown()


@pytest.fixture
def nodes(ray_cluster: Cluster) -> Iterator[Cluster]:
    """The cluster, with no nodes but the first afterwards and no events before."""
    ray_cluster.forget_events()
    yield ray_cluster
    for name, node in list(ray_cluster.nodes.items()):
        if name not in ("head", "first"):
            ray_cluster.kill(node)
    ray_cluster.ready(2)


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


def tables(folder: Path) -> dict[str, bytes]:
    """The files with rows."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".csv", ".parquet")}


def begun(cluster: Cluster, node: str | None = None) -> list[str]:
    """The shards that were begun, in order."""
    return [event.shard for event in cluster.begun(node)]


def ended(cluster: Cluster, node: str | None = None) -> list[str]:
    """The shards that were played to their end, in order."""
    return [event.shard for event in cluster.events() if event.kind == "end" and node in (None, event.node)]


def segments(folder: Path) -> list[str]:
    """What tasks have written."""
    return sorted(path.name for path in (folder / "ledger").glob("shard-*.segment"))


def leftovers(folder: Path) -> list[str]:
    """What is not for good."""
    return [path.name for path in folder.rglob("*") if path.name.endswith(".partial") or path.name == "driver"]


@pytest.fixture(scope="session")
def whole(scenario: fs.Scenario, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one process writes."""
    out = tmp_path_factory.mktemp("whole") / "out"
    fs.sweep(scenario, axes=AXES, runs=RUNS, out=out, progress=False)
    return tables(out)
