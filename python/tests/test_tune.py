"""Tuning from Python is the command line's: the same candidates, the same answer, the same words."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import SMALL
from polars.testing import assert_frame_equal

import failover_sim as fs

INTERVAL = "gateway.health_check.interval"
EJECT = "gateway.health_check.eject_after"
AXES: dict[str, Any] = {INTERVAL: {"from": "2s", "to": "60s", "scale": "log"}, EJECT: [1, 2, 3]}
CALM = SMALL.split("[fault.outage]")[0] + "[gateway]" + SMALL.split("[gateway]")[1]

TEXT = f"""
question = "How often, and how many?"
scenarios = ["small.toml", "calm.toml"]
runs = 20

[sweep]
design = {{ latin_hypercube = 12 }}

[[sweep.axis]]
path = "{INTERVAL}"
range = {{ from = "2s", to = "60s", scale = "log" }}

[[sweep.axis]]
path = "{EJECT}"
values = [1, 2, 3]

[tune]
minimize = "failed_count"
subject_to = ["probe_per_day <= 40000", {{ expect = "false_ejection_per_day <= 1", scenarios = ["calm"] }}]
weights = {{ small = 2, calm = 1 }}
"""


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    folder = tmp_path / "experiment"
    folder.mkdir()
    (folder / "small.toml").write_text(SMALL)
    (folder / "calm.toml").write_text(CALM)
    (folder / "experiment.toml").write_text(TEXT)
    return folder


@pytest.fixture
def calm() -> fs.Scenario:
    return fs.Scenario.from_toml(CALM, name="calm")


def test_everything_is_the_command_lines(experiment: Path, cli: Callable[..., str], tmp_path: Path) -> None:
    tuned = fs.tune(experiment, seed=3, out=tmp_path / "python")
    options = (experiment, "--seed", 3)
    assert tuned.to_json() == cli("tune", *options, "--format", "json")
    printed = cli("tune", *options, "--out", tmp_path / "cli")
    assert tuned.summary == printed.replace(str(tmp_path / "cli"), str(tmp_path / "python"))
    assert_frame_equal(tuned.to_polars(), pl.read_parquet(tmp_path / "cli" / "candidates.parquet"), check_exact=True)
    for name in ("candidates.csv", "best.toml", "best_calm.toml", "tune.json"):
        assert (tmp_path / "python" / name).read_bytes() == (tmp_path / "cli" / name).read_bytes()
    assert f"{INTERVAL} = " in repr(tuned)
    assert str(tuned) == tuned.summary
    assert len(tuned) == tuned.to_polars().height
    cli("report", tmp_path / "python", "--output", tmp_path / "report.html")


def test_what_is_said_here_is_what_a_file_says(
    experiment: Path, small: fs.Scenario, calm: fs.Scenario, tmp_path: Path
) -> None:
    from_file = fs.tune(experiment)
    made = fs.tune(
        [small, calm],
        axes=AXES,
        design={"latin_hypercube": 12},
        minimize="failed_count",
        subject_to=["probe_per_day <= 40000", {"expect": "false_ejection_per_day <= 1", "scenarios": ["calm"]}],
        weights={"small": 2, "calm": 1},
        runs=20,
    )
    assert_frame_equal(made.to_polars(), from_file.to_polars(), check_exact=True)
    answers = [json.loads(tuned.to_json()) for tuned in (made, from_file)]
    assert [answer.pop("question") for answer in answers] == [
        f"Which `{INTERVAL}` and `{EJECT}` is best?",
        "How often, and how many?",
    ]
    assert answers[0] == answers[1]
    # What is said beside a file goes over it.
    maximized = fs.tune(experiment, maximize=INTERVAL, subject_to="failed_count <= 300", runs=10)
    assert maximized._native.direction == "maximize"
    assert [maximized._native.constraints, maximized.run_count] == [["failed_count <= 300"], 10]


def test_the_best_runs_to_the_same_numbers(experiment: Path) -> None:
    tuned = fs.tune(experiment, seed=5)
    best = tuned.best
    assert best is not None
    assert tuned.recommended is not None
    assert list(tuned.recommended) == [INTERVAL, EJECT]
    assert {path: best[path] for path in tuned.recommended} == tuned.recommended
    assert list(tuned.best_by_name) == ["small", "calm"]
    assert tuned.best_by_name["small"] == best
    row = tuned.to_polars().row(by_predicate=pl.col("standing") == "recommended", named=True)
    assert row["run_count"] >= tuned.run_count
    for name, scenario in tuned.best_by_name.items():
        runs = scenario.run(runs=row["run_count"], seed=5)
        assert runs.points["failed_count_mean"] == [pytest.approx(row[f"failed_count_in_{name}"], rel=1e-12)]


def test_several_objectives_are_traded(small: fs.Scenario) -> None:
    tuned = fs.tune(
        small, axes={INTERVAL: ["2s", "5s", "20s"]}, minimize=["failed_count", "probe_per_day"], runs=10
    )
    assert tuned.recommended is None
    assert tuned.best is None
    assert tuned.best_by_name == {}
    assert tuned.front == [{INTERVAL: interval} for interval in ("2s", "5s", "20s")]
    assert tuned.certain is None
    assert repr(tuned) == "<Tuning: 3 candidates that none beats in all of minimize failed_count, probe_per_day>"
    assert tuned._repr_html_().count("<tr>") == 1 + 3


def test_what_is_sure_to_hold(small: fs.Scenario) -> None:
    """The answer that the text of the command line has, and the columns of what has to hold."""
    axes = {INTERVAL: ["2s", "5s", "10s", "20s"]}
    candidates = fs.tune(small, axes=axes, minimize="probe_per_day", subject_to="failed_count <= 1e6", runs=20).to_polars()
    assert candidates["constraint_0_standing"].unique().to_list() == ["met"]
    assert candidates["constraint_0"].is_sorted()
    # One that half of the intervals of the third is above.
    third = candidates.row(2, named=True)
    limit = (third["constraint_0"] + third["constraint_0_ci95_high"]) / 2
    tuned = fs.tune(small, axes=axes, minimize="probe_per_day", subject_to=f"failed_count <= {limit}", runs=20)
    assert tuned.constraints == [f"failed_count <= {limit}"]
    assert tuned.recommended == {INTERVAL: "10s"}
    assert tuned.certain == {INTERVAL: "5s"}
    assert json.loads(tuned.to_json())["certain"]["settings"] == [{"path": INTERVAL, "value": '"5s"'}]
    assert tuned.front == []


def test_what_a_notebook_shows(experiment: Path) -> None:
    shown = fs.tune(experiment)._repr_html_()
    assert "minimize failed_count, subject to probe_per_day &lt;= 40000 and false_ejection_per_day &lt;= 1 in calm" in shown
    assert "<td class=text>recommended</td>" in shown


def refusal(work: Callable[[], object]) -> str:
    with pytest.raises(fs.InputError) as raised:
        work()
    return str(raised.value)


FEW = {INTERVAL: ["2s", "5s"]}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing to find": (
        {"axes": FEW},
        'error: nobody has said what is to be found\n  = help: give a metric: minimize="failed_count"',
    ),
    "no axis": (
        {"minimize": "failed_count"},
        "error: `tune` has no axis\n"
        '  = help: say which setting takes which values: axes={"gateway.health_check.interval": ["1s", "5s"]}',
    ),
    "no metric": (
        {"axes": FEW, "minimize": "failed_counts"},
        "error: there is no metric `failed_counts`\n"
        "  --> tune:10:13\n"
        "   |\n"
        '10 | minimize = ["failed_counts"]\n'
        "   |             ^^^^^^^^^^^^^^^\n"
        "   |\n"
        "   = help: did you mean `failed_count`?",
    ),
    "both": (
        {"axes": FEW, "minimize": "failed_count", "maximize": INTERVAL},
        "error: `minimize` and `maximize` exclude each other\n  = help: give only one of the two",
    ),
    "budget": (
        {"axes": FEW, "minimize": "failed_count", "budget": 0},
        "error: `budget` is 0\n  = help: write a whole number from 1 to 18446744073709551615",
    ),
    "force": (
        {"axes": FEW, "minimize": "failed_count", "force": True},
        "error: `force` needs `out`\n  = help: name the folder with the results",
    ),
}


@pytest.mark.parametrize(("arguments", "text"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(arguments: dict[str, Any], text: str, small: fs.Scenario) -> None:
    assert refusal(lambda: fs.tune(small, **arguments)) == text


def refused(experiment: Path, arguments: dict[str, Any]) -> str:
    return refusal(lambda: fs.tune(experiment, **arguments))


def test_what_is_refused_of_a_path(experiment: Path, cli: Callable[..., str], tmp_path: Path) -> None:
    asked: list[tuple[tuple[str, str], dict[str, Any]]] = [
        (("--minimize", "failed_counts"), {"minimize": "failed_counts"}),
        (("--subject-to", "failed_count < many"), {"subject_to": ["failed_count < many"]}),
        (("--out", "/proc/tuned"), {"out": "/proc/tuned"}),
    ]
    for options, arguments in asked:
        said = refused(experiment, arguments)
        # Places of options are called as the command line calls them.
        assert said == cli("tune", experiment, *options, code=2).rstrip("\n")
    given: list[tuple[str, Any]] = [("weights", {"small": 1}), ("guesses", {"x": [1]}), ("axes", FEW), ("keep", ["a < b"])]
    for name, value in given:
        assert refused(experiment, {name: value}).startswith(f"error: `{name}` goes with scenarios")
    assert refusal(lambda: fs.tune("experiments/02_health_check_interval")) == cli(
        "tune", "experiments/02_health_check_interval", code=2
    ).rstrip("\n")
    fs.tune(experiment, out=tmp_path / "out")
    assert "exists already: choose another name, or replace it with `--force`" in refusal(
        lambda: fs.tune(experiment, out=tmp_path / "out")
    )
    fs.tune(experiment, out=tmp_path / "out", force=True)


def test_nothing_meets_what_has_to_hold(experiment: Path, cli: Callable[..., str]) -> None:
    with pytest.raises(fs.FailoverSimError) as raised:
        fs.tune(experiment, subject_to="failed_count <= 0")
    assert not isinstance(raised.value, fs.InputError)
    said = cli("tune", experiment, "--subject-to", "failed_count <= 0", code=1)
    assert str(raised.value) == said.rstrip("\n")
    assert "none of 38 candidates meets every constraint" in said


def test_a_callback_that_raises_stops_it(experiment: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        raise StopIteration

    with pytest.raises(StopIteration):
        fs.tune(experiment, runs=1_000_000, progress=stop, out=tmp_path / "out")
    assert told
    assert list((tmp_path / "out").glob("*")) == []
