"""The package and the command line give the same numbers, and say the same words."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import failover_sim as fs

RUNS = 6
"""Enough for the interval of a median."""

SCENARIOS = {
    "detectors": "experiments/03_gateway_shootout/outage.toml",
    "faults": "experiments/01_incident_3am/any_phase_5s.toml",
    "people": "experiments/10_pager_race/race.toml",
    "storm": "experiments/04_retry_storm/storm.toml",
    "money": "experiments/06_cost_routing/routed.toml",
}


@pytest.mark.parametrize("path", SCENARIOS.values(), ids=SCENARIOS.keys())
def test_every_column_of_every_table_of_a_run(path: str, cli: Callable[..., str], tmp_path: Path) -> None:
    cli("run", path, "--runs", RUNS, "--seed", 7, "--out", tmp_path / "out")
    runs = fs.Scenario.load(path).run(runs=RUNS, seed=7)
    for table in fs.Runs.TABLES:
        assert_same_as_file(runs.to_polars(table), tmp_path / "out" / f"{table}.parquet")


def test_every_column_of_every_table_of_an_experiment(cli: Callable[..., str], tmp_path: Path) -> None:
    cli("run", "experiments/01_incident_3am", "--runs", RUNS, "--out", tmp_path / "out")
    both = fs.compare("experiments/01_incident_3am", runs=RUNS)
    for table in fs.Runs.TABLES:
        assert_same_as_file(both.to_polars(table), tmp_path / "out" / f"{table}.parquet")


def assert_same_as_file(frame: pl.DataFrame, path: Path) -> None:
    written = pl.read_parquet(path)
    assert frame.height > 0 or path.stem == "faults"
    assert_frame_equal(frame, written, check_exact=True)
    # What is not a number is equal to nothing, and to itself above.
    assert not any(column.is_nan().any() for column in frame.iter_columns() if column.dtype.is_float())


def test_differences_are_those_of_the_json(cli: Callable[..., str]) -> None:
    printed = json.loads(cli("run", "experiments/01_incident_3am", "--runs", RUNS, "--format", "json"))
    differences = fs.compare("experiments/01_incident_3am", runs=RUNS).to_polars()
    first, *others = printed["scenarios"]
    expected = []
    for scenario in others:
        for metric, difference in scenario["difference_to_baseline"].items():
            row = {"scenario": scenario["name"], "baseline": first["name"], "metric": metric}
            for name, value in difference.items():
                if name.endswith("ci95"):
                    row |= {f"{name}_{end}": value and value[end] for end in ("low", "high")}
                else:
                    row[name] = value
            expected.append(row)
    assert differences.drop("unit").to_dicts() == expected
    assert differences["p50_ci95_low"].null_count() < differences.height
    assert differences["unit"].to_list()[:3] == ["count", "count", "count"]


def test_the_words_and_the_json_are_the_same(cli: Callable[..., str]) -> None:
    experiment = ("run", "experiments/01_incident_3am", "--runs", RUNS)
    both = fs.compare("experiments/01_incident_3am", runs=RUNS)
    # One of its objectives is missed with so few runs, or not: the words are the same.
    assert both.summary == cli(*experiment)
    assert both.to_json() == cli(*experiment, "--format", "json")
    path = SCENARIOS["faults"]
    scenario = fs.Scenario.load(path)
    assert str(scenario.run(runs=2)) == cli("run", path, "--runs", 2)
    assert scenario.explain(25_000, run=1) == cli("run", path, "--explain", 25_000, "--run-index", 1)


def test_settings_are_the_resolved_ones(cli: Callable[..., str]) -> None:
    path = SCENARIOS["faults"]
    resolved = json.loads(cli("run", path, "--resolved", "--format", "json"))["scenarios"][0]
    scenario = fs.Scenario.load(path)
    assert scenario.name == resolved["name"]
    assert [(s.path, s.origin) for s in scenario.settings] == [(s["path"], s["origin"]) for s in resolved["settings"]]
    assert scenario.values["gateway.health_check.interval"] == "5s"
    assert scenario["gateway.route.prefer"] == ["claude_east", "gpt4o_west"]


def test_a_setting_means_what_it_means_on_the_command_line(cli: Callable[..., str], tmp_path: Path) -> None:
    path = SCENARIOS["faults"]
    values: dict[str, fs.SettingValue] = {"gateway.health_check.interval": "7s", "gateway.health_check.eject_after": 2}
    settings = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    cli("run", path, "--runs", RUNS, "--out", tmp_path / "out", *settings)
    changed = fs.Scenario.load(path).with_values(values)
    assert_same_as_file(changed.run(runs=RUNS).to_polars(), tmp_path / "out" / "runs.parquet")
    assert changed.run(runs=RUNS).runs["probe_count"] != fs.Scenario.load(path).run(runs=RUNS).runs["probe_count"]


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_number_of_threads_changes_nothing(threads: int, small: fs.Scenario) -> None:
    alone, many = small.run(runs=40, threads=1), small.run(runs=40, threads=threads)
    for table in fs.Runs.TABLES:
        assert alone.to_arrow(table).equals(many.to_arrow(table), check_metadata=True)
