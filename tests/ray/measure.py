"""What a Ray cluster on this machine costs and gains: prints the tables of docs/how-to/ray.md. Takes some minutes.

    tests/ray/run PYTHON -- measure.py

PYTHON needs failover-sim, built for release, and ray. Nothing else should be at work on the machine.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import failover_sim as fs
from cluster import ADDRESS, Cluster, cluster

ROOT = Path(__file__).resolve().parents[2]
INCIDENT = ROOT / "experiments/01_incident_3am/any_phase_60s.toml"
WORK_SECONDS = 20.0


def seconds(do: Any) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


def interval_axis(points: int) -> dict[str, Any]:
    return {"gateway.health_check.interval": [f"{1000 + nth}ms" for nth in range(points)]}


def sweep(there: Cluster, points: int, runs: int, **how: Any) -> float:
    """How long a sweep takes, from the call to its tables."""
    out = there.folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    scenario = fs.Scenario.load(INCIDENT)
    return seconds(
        lambda: fs.sweep(scenario, axes=interval_axis(points), runs=runs, out=out, progress=False, yes=True, **how)
    )


def on_cluster(there: Cluster, points: int, runs: int, shards: int) -> float:
    return min(sweep(there, points, runs, engine="ray", shards=shards) for _ in range(3))


def scaling(there: Cluster, cores: int) -> None:
    points = 64
    runs = 100
    alone = sweep(there, points, runs, threads=1)
    runs = max(10, round(runs * WORK_SECONDS / alone))
    print(f"\n{points} points of {runs} runs each, seconds")
    print(f"{'one process, 1 thread':>24} {sweep(there, points, runs, threads=1):8.1f}")
    if cores > 1:
        print(f"{f'one process, {cores} threads':>24} {sweep(there, points, runs, threads=cores):8.1f}")
    count = 1
    while count <= cores:
        if count > 1:
            for nth in range(count // 2, count):
                there.start(f"node-{nth}", 1)
            there.ready(count + 1)
        for shards in (8, 32):
            taken = on_cluster(there, points, runs, shards)
            print(f"{f'{count} nodes, {shards} shards':>24} {taken:8.1f}")
        count *= 2


def overhead(there: Cluster, cores: int) -> None:
    """Two runs of each point: next to nothing to play."""
    print(f"\nmilliseconds of a core for each shard, beside its runs ({cores} cores)")
    print(f"{'points':>10} {'shards':>10} {'ms a shard':>12}")
    for points, few, many in ((1_000, 10, 500), (10_000, 10, 500), (100_000, 10, 200)):
        least = on_cluster(there, points, 1, few)
        most = on_cluster(there, points, 1, many)
        each = (most - least) / (many - few) * cores
        print(f"{points:10,} {many:10,} {each * 1e3:12.1f}")


def main() -> None:
    import ray

    cores = os.cpu_count() or 1
    print(f"{cores} cores, load {os.getloadavg()[0]:.1f} before")
    with cluster() as there:
        os.environ.update(RAY_TMPDIR=str(there.folder), RAY_USAGE_STATS_ENABLED="0")
        there.start("node-0", 1)
        ray.init(address=ADDRESS, log_to_driver=False, logging_level="ERROR")
        there.ready(2)
        # Workers start with the first tasks.
        sweep(there, 8, 1, engine="ray", shards=8)
        scaling(there, cores)
        overhead(there, cores)
        ray.shutdown()


if __name__ == "__main__":
    main()
