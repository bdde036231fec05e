"""What the tests of Ray share: a cluster, and sweeps whose shards take long enough to be killed in."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import failover_sim as fs
import pytest
from cluster import ADDRESS, Cluster, cluster

if not os.environ.get("FAILOVER_SIM_ALONE"):
    pytest.exit("these tests start a Ray cluster, which needs a network of its own: run them with tests/ray/run", 2)

# What is limited is an event for each request, so that a run takes its time on any build.
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


@pytest.fixture(scope="session")
def scenario() -> fs.Scenario:
    return fs.Scenario.from_toml(SCENARIO, name="small")


@pytest.fixture(scope="session")
def runs(scenario: fs.Scenario) -> int:
    """So many that two points take about a quarter of a second."""
    scenario.run(runs=1, threads=1)
    started = time.perf_counter()
    scenario.run(runs=4, threads=1, progress=False)
    each = (time.perf_counter() - started) / 4
    return max(3, round(0.12 / each))


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


def tables(folder: Path) -> dict[str, bytes]:
    """The files with rows."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".csv", ".parquet")}


def begun(cluster: Cluster, node: str | None = None) -> list[str]:
    """The shards that were begun, in order."""
    return [event.shard for event in cluster.events() if event.kind == "begin" and node in (None, event.node)]


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
def whole(scenario: fs.Scenario, runs: int, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one process writes."""
    out = tmp_path_factory.mktemp("whole") / "out"
    fs.sweep(scenario, axes=AXES, runs=runs, out=out, progress=False)
    return tables(out)
