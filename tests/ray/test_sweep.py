"""Sweeps on a cluster come to what one process writes, to the byte."""

from pathlib import Path
from typing import Any

import failover_sim as fs
import pytest
from cluster import Cluster, wait_for
from conftest import AXES, RUNS, ended, meanwhile, segments, tables

# The last begins after the end, so that it is no valid scenario.
SOME = {"fault.outage.at": ["10s", "20s", "30s", "40s", "3m"]}


def test_tables_are_those_of_one_process(
    nodes: Cluster, scenario: fs.Scenario, whole: dict[str, bytes], tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    out = tmp_path / "out"
    all_runs = 32 * RUNS

    def step() -> None:
        nodes.step(1)
        wait_for("news", lambda: told[-1] == (all_runs // 8, all_runs))
        nodes.let_go()

    nodes.hold(8)
    stepped = meanwhile(step)
    swept = fs.sweep(
        scenario, axes=AXES, runs=RUNS, engine="ray", shards=8, out=out, progress=lambda *counts: told.append(counts)
    )
    stepped()
    assert len(swept) == 32 and swept.points["run_count"] == [RUNS] * 32
    assert tables(out) == whole
    assert ended(nodes) == [f"{nth}/8" for nth in range(1, 9)]
    assert len(segments(out)) == 8
    assert {path.name for path in (out / "ledger").iterdir()} == {"plan.json", *segments(out)}
    assert told[0] == (0, all_runs) and told[-1] == (all_runs, all_runs)
    done = [done for done, total in told if total]
    assert done == sorted(done)


@pytest.mark.parametrize(
    "how",
    [
        {"until": "failed_count 20%", "min_runs": 3, "max_runs": 12},
        {"runs": 4, "metrics": "counts"},
        {"runs": 4, "threads": 1, "shards": 5},
    ],
    ids=["until", "counts", "a point a shard"],
)
def test_so_are_those_of_other_sweeps_and_of_points_that_fail(
    how: dict[str, Any], nodes: Cluster, scenario: fs.Scenario, tmp_path: Path
) -> None:
    plain = {name: value for name, value in how.items() if name != "shards"}
    with pytest.warns(UserWarning, match="no valid scenario"):
        fs.sweep(scenario, axes=SOME, out=tmp_path / "whole", **plain)
    with pytest.warns(UserWarning, match="no valid scenario"):
        swept = fs.sweep(scenario, axes=SOME, out=tmp_path / "out", engine="ray", **how)
    assert swept.failed_count == 1
    assert tables(tmp_path / "out") == tables(tmp_path / "whole")


def test_a_sweep_goes_on_from_engine_to_engine(nodes: Cluster, scenario: fs.Scenario, tmp_path: Path) -> None:
    def sweep(out: str, runs: int, **how: Any) -> dict[str, bytes]:
        fs.sweep(scenario, axes=SOME, runs=runs, out=tmp_path / out, **how)
        return tables(tmp_path / out)

    with pytest.warns(UserWarning, match="no valid scenario"):
        sweep("out", 2)
        assert sweep("out", 5, engine="ray", shards=3, resume=True) == sweep("whole", 5)
        # As many shards again: the names of what is there are not in the way.
        assert sweep("out", 7, engine="ray", shards=3, resume=True) == sweep("whole", 7, force=True)
        assert len(segments(tmp_path / "out")) == 6
        assert sweep("out", 8, resume=True) == sweep("whole", 8, force=True)
        nodes.forget_events()
        assert sweep("out", 8, engine="ray", resume=True) == sweep("whole", 8, force=True)
        assert nodes.events() == [], "there was nothing to play"
        sweep("out", 2, engine="ray", shards=2, force=True)
        assert len(segments(tmp_path / "out")) == 2
