"""A sweep from Python is the command line's: the same tables, the same folder, the same words."""

import functools
import json
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from conftest import ROOT, SMALL
from polars.testing import assert_frame_equal

import failover_sim as fs

INTERVAL = "gateway.health_check.interval"
INTERVALS = {INTERVAL: ["1s", "5s", "10s"]}

SWEEPS: dict[str, tuple[str, str, dict[str, Any], list[str]]] = {
    "detectors": ("03_gateway_shootout/outage.toml", "gateway.from", {"seed": 7}, ["--seed", "7"]),
    "people": ("10_pager_race/race.toml", "fault.night.lasts", {}, []),
    "money": ("06_cost_routing/routed.toml", "gateway.fee.markup", {"metrics": "counts"}, ["--metrics", "counts"]),
    "until": (
        "01_incident_3am/any_phase_5s.toml",
        INTERVAL,
        {"until": "failed_count 10%", "min_runs": 2, "max_runs": 6},
        ["--until", "failed_count 10%", "--min-runs", "2", "--max-runs", "6"],
    ),
}


VALUES = {
    INTERVAL: ["1s", "7s"],
    "gateway.from": ["models/gateways/envoy.toml", "models/gateways/story-portkey.toml"],
    "fault.night.lasts": ["5m", "20m"],
    "gateway.fee.markup": [0, 0.2],
}


def rows(swept: fs.Sweep) -> dict[str, pl.DataFrame]:
    return {table: swept.to_polars(table) for table in fs.Sweep.TABLES}


def assert_same(swept: fs.Sweep, folder: Path) -> None:
    """Every column of every table is the one that the command line has written."""
    for table, frame in rows(swept).items():
        written = pl.read_parquet(folder / f"{table}.parquet")
        assert frame.height > 0 or table == "faults"
        assert_frame_equal(frame, written, check_exact=True)
        assert len(swept.table(table)) == frame.height


def texts(folder: Path) -> dict[str, bytes]:
    """The bytes of the tables in a folder."""
    return {path.name: path.read_bytes() for path in folder.glob("*.csv")}


@pytest.mark.parametrize(("scenario", "setting", "arguments", "options"), SWEEPS.values(), ids=SWEEPS.keys())
def test_every_column_of_every_table(
    scenario: str, setting: str, arguments: dict[str, Any], options: list[str], cli: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / "mine"
    path.mkdir()
    axis = f'[[sweep.axis]]\npath = "{setting}"\nvalues = {json.dumps(VALUES[setting])}\n'
    scenarios = json.dumps([str(ROOT / "experiments" / scenario)])
    (path / "experiment.toml").write_text(f'question = "What then?"\nscenarios = {scenarios}\nruns = 3\n{axis}')
    printed = cli("sweep", path, *options, "--out", tmp_path / "cli")
    assert_same(fs.sweep(path, **arguments), tmp_path / "cli")
    kept = fs.sweep(path, **arguments, out=tmp_path / "kept")
    assert_same(kept, tmp_path / "cli")
    assert texts(tmp_path / "kept") == texts(tmp_path / "cli") != {}
    # What was played is said in the same words; a build of the package writes no Parquet.
    assert kept.summary.split(" in ")[0] == printed.split(" in ")[0]
    assert kept.folder == tmp_path / "kept"


TWO = 'question = "Does it matter?"\nscenarios = ["small.toml", "other.toml"]\nruns = 4\n'

WRITTEN: dict[str, tuple[str, Mapping[str, Any]]] = {
    "values": (
        '[[sweep.axis]]\npath = "gateway.health_check.interval"\nvalues = ["1500ms", "10s"]\n'
        '[[sweep.axis]]\npath = "gateway.health_check.eject_after"\nvalues = [1, 2]\n'
        '[[sweep.axis]]\npath = "provider.primary.error_rate"\nvalues = [0.0, 0.01]\n'
        '[[sweep.axis]]\npath = "traffic.arrivals"\nvalues = [{ poisson = "20/s" }, { constant = "10/s" }]\n',
        {
            "axes": {
                INTERVAL: (timedelta(milliseconds=1500), timedelta(seconds=10)),
                "gateway.health_check.eject_after": range(1, 3),
                "provider.primary.error_rate": [0.0, 0.01],
                "traffic.arrivals": [{"poisson": "20/s"}, {"constant": "10/s"}],
            }
        },
    ),
    "ranges": (
        '[sweep]\ndesign = { latin_hypercube = 7 }\nseed = 3\n'
        f'keep = ["gateway.health_check.timeout <= {INTERVAL}"]\n'
        f'[[sweep.axis]]\npath = "{INTERVAL}"\nrange = {{ from = "1s", to = "20s", scale = "log" }}\n'
        '[[sweep.axis]]\npath = "gateway.health_check.timeout"\nrange = { from = "250ms", to = "5s" }\n',
        {
            "axes": {
                INTERVAL: {"from": timedelta(seconds=1), "to": "20s", "scale": "log"},
                "gateway.health_check.timeout": {"from": "250ms", "to": "5s"},
            },
            "design": {"latin_hypercube": 7},
            "design_seed": 3,
            "keep": [f"gateway.health_check.timeout <= {INTERVAL}"],
        },
    ),
    "cases": (
        f'[[sweep.case]]\nname = "fast"\nset = {{ "{INTERVAL}" = "1s", "gateway.health_check.eject_after" = 2 }}\n'
        f'[[sweep.case]]\nname = "slow"\nset = {{ "{INTERVAL}" = "20s" }}\n'
        '[[sweep.axis]]\npath = "fault.outage.lasts"\nvalues = ["5s", "20s"]\nscenarios = ["small"]\n',
        {
            "cases": {
                "fast": {INTERVAL: "1s", "gateway.health_check.eject_after": 2},
                "slow": {INTERVAL: timedelta(seconds=20)},
            },
            "axes": {"fault.outage.lasts": {"values": ["5s", "20s"], "scenarios": ["small"]}},
        },
    ),
}


@pytest.mark.parametrize(("text", "arguments"), WRITTEN.values(), ids=WRITTEN.keys())
def test_axes_are_those_of_a_file(text: str, arguments: Mapping[str, Any], small: fs.Scenario, tmp_path: Path) -> None:
    other = SMALL.replace('"800ms"', '"300ms"')
    (tmp_path / "small.toml").write_text(SMALL)
    (tmp_path / "other.toml").write_text(other)
    (tmp_path / "experiment.toml").write_text(TWO + text)
    from_file = fs.sweep(tmp_path)
    scenarios = [small, fs.Scenario.from_toml(other, name="other")]
    for given in (scenarios, {"small": small, "other": scenarios[1].named("any")}):
        made = fs.sweep(given, **arguments, runs=4)
        assert len(made) == len(from_file)
        assert (repr(made), made.axes) == (repr(from_file), from_file.axes)
        for table, frame in rows(made).items():
            assert_frame_equal(frame, from_file.to_polars(table), check_exact=True)


def test_numbers_of_numpy_are_numbers(small: fs.Scenario) -> None:
    numpy = pytest.importorskip("numpy")
    path = "gateway.health_check.eject_after"
    assert_frame_equal(
        fs.sweep(small, axes={path: numpy.array([1, 3])}, runs=2).to_polars(),
        fs.sweep(small, axes={path: [1, 3]}, runs=2).to_polars(),
    )


def test_a_point_is_the_scenario_with_its_values(small: fs.Scenario) -> None:
    swept = fs.sweep(small, axes=INTERVALS, runs=5, seed=3)
    assert swept.axes == [f"{INTERVAL}_ms"]
    for point, interval in enumerate(INTERVALS[INTERVAL]):
        alone = small.with_values({INTERVAL: interval}).run(runs=5, seed=3).to_polars()
        own = swept.to_polars("runs").filter(pl.col("point") == point).drop(swept.axes)
        assert_frame_equal(own.drop("point"), alone.drop("point"), check_exact=True)


def test_results_without_a_folder_go_with_the_last_table(small: fs.Scenario) -> None:
    swept = fs.sweep(small, axes=INTERVALS, runs=2)
    assert swept.folder is None
    folder = Path(swept._native.folder)
    runs, stream = swept.runs, pa.RecordBatchReader.from_stream(swept.faults)
    del swept
    assert folder.exists()
    assert len(runs) == 6
    del runs
    assert folder.exists()
    assert stream.read_all().num_rows == 6
    del stream
    # It goes as soon as this thread has something to do with the package again.
    _ = small.name
    assert not folder.exists()


def test_rows_come_in_batches(small: fs.Scenario) -> None:
    """A table of all runs is never held at once."""
    still = small.with_values({"traffic.arrivals": {"constant": "1/s"}, "duration": "1m"})
    axes = {"fault.outage.at": {"from": "1ms", "to": "600ms", "step": "1ms"}}
    swept = fs.sweep(still, axes=axes, runs=3, metrics="counts")
    assert len(swept) == 600
    reader = pa.RecordBatchReader.from_stream(swept.runs)
    assert (reader.schema.field("failed_count").metadata or {})[b"unit"] == b"count"
    sizes = [batch.num_rows for batch in reader]
    assert sum(sizes) == 1800 == len(swept.runs)
    assert max(sizes) <= 800
    points = swept.to_polars()["point"].to_list()
    assert points == list(range(600)) == swept.points["point"]
    assert swept.points._native.column("point", 5) == points[:5]
    assert swept.runs._native.column("point", 800) == [point for point in points for _ in range(3)][:800]


FAILING = {"fault.outage.at": ["30s", "10m", "1m"]}
WARNING = (
    "1 of 3 points is no valid scenario, the others are played; the first is point 1: "
    "`fault.outage.at` is 10m, but the run ends after 2m"
)


def test_points_that_fail(small: fs.Scenario) -> None:
    with pytest.warns(UserWarning) as warned:
        swept = fs.sweep(small, axes=FAILING, runs=3)
    assert [str(warning.message) for warning in warned] == [WARNING]
    assert warned[0].filename == __file__
    assert swept.failed_count == 1
    assert repr(swept) == "<Sweep of 3 points: 3 runs, seed 1 each, 1 failed>"
    errors, failed = swept.points["error"], swept.points["failed_count_mean"]
    assert errors == [None, "`fault.outage.at` is 10m, but the run ends after 2m", None]
    assert [value is None for value in failed] == [False, True, False]
    assert swept.to_polars("runs")["point"].unique().to_list() == [0, 2]
    assert "but the run ends after 2m" in swept._repr_html_()


def test_no_point_is_valid(small: fs.Scenario) -> None:
    said = refusal(lambda: fs.sweep(small, axes={"fault.outage.at": ["10m", "11m"]}))
    assert said.startswith("error: `fault.outage.at` is 10m, but the run ends after 2m\n --> ")


def refusal(work: Callable[[], object]) -> str:
    with pytest.raises(fs.InputError) as raised:
        work()
    return str(raised.value)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no axis": (
        {"axes": {}},
        "error: `sweep` has no axis\n"
        '  = help: say which setting takes which values: axes={"gateway.health_check.interval": ["1s", "5s"]}',
    ),
    "no unit": (
        {"axes": {INTERVAL: ["1s", 5]}},
        "error: `gateway.health_check.interval` is 5, without a unit\n"
        " --> sweep:7:17\n"
        "  |\n"
        '7 | values = ["1s", 5]\n'
        "  |                 ^\n"
        "  |\n"
        '  = help: write "5s" for seconds or "5ms" for milliseconds',
    ),
    "another unit": (
        {"axes": {INTERVAL: ["5 parsecs"]}},
        'error: `gateway.health_check.interval` is "5 parsecs", and there is no unit `parsecs`\n'
        " --> sweep:7:11\n"
        "  |\n"
        '7 | values = ["5 parsecs"]\n'
        "  |           ^^^^^^^^^^^\n"
        "  |\n"
        "  = help: units are ns, us, ms, s, m, h and d",
    ),
    "unknown setting": (
        {"axes": {"gateway.helth_check.interval": ["1s"]}},
        "error: `gateway` has no setting `helth_check`\n"
        " --> sweep:6:8\n"
        "  |\n"
        '6 | path = "gateway.helth_check.interval"\n'
        "  |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "  |\n"
        "  = help: did you mean `health_check`?",
    ),
    "a range without an end": (
        {"axes": {INTERVAL: {"from": "1s", "to": "5s"}}},
        f"error: the range of the axis `{INTERVAL}` has no end of values\n"
        " --> sweep:8:13\n"
        "  |\n"
        "8 | [sweep.axis.range]\n"
        "  |             ^^^^^\n"
        "  |\n"
        "  = help: a grid needs `step` or `count` in the range; or sample it: design = { latin_hypercube = 200 }",
    ),
    "runs": ({"axes": INTERVALS, "runs": 0}, "error: `runs` is 0\n  = help: write a whole number from 1 to 1000000"),
    "min_runs": (
        {"axes": INTERVALS, "min_runs": 5},
        'error: `min_runs` needs `until`\n  = help: say how narrow an interval should be: until="failed_count 2%"',
    ),
    "max_runs": (
        {"axes": INTERVALS, "until": "failed_count 2%", "runs": 5, "max_runs": 5},
        "error: `runs` and `max_runs` say the same\n  = help: give only one of the two",
    ),
    "metrics": (
        {"axes": INTERVALS, "metrics": "count"},
        "error: `metrics` is 'count'\n  = help: choose \"all\" or \"counts\"",
    ),
    "resume": (
        {"axes": INTERVALS, "resume": True},
        "error: `resume` needs `out`\n  = help: name the folder with the results",
    ),
    "resume and force": (
        {"axes": INTERVALS, "resume": True, "force": True, "out": "results"},
        "error: `resume` goes on with what `force` would replace\n  = help: give only one of the two",
    ),
}


@pytest.mark.parametrize(("arguments", "text"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(arguments: dict[str, Any], text: str, small: fs.Scenario) -> None:
    assert refusal(lambda: fs.sweep(small, **arguments)) == text


def test_what_is_refused_of_a_path(cli: Callable[..., str]) -> None:
    path = "experiments/02_health_check_interval"
    assert refusal(lambda: fs.sweep(path, axes=INTERVALS)) == (
        "error: `axes` goes with scenarios, and experiments/02_health_check_interval is to have a sweep of its own\n"
        "  = help: leave it out, or give scenarios: sweep(Scenario.load(path), axes=...)"
    )
    for wrong in ("experiments/01_incident_3am", "experiments/nowhere", "experiments/01_incident_3am/any_phase_5s.toml"):
        expected = cli("sweep", wrong, code=2).replace("or use `run`", "or use `compare`")
        assert refusal(functools.partial(fs.sweep, wrong)) == expected.rstrip("\n")
    expected = cli("sweep", path, "--runs", 1_000_000, code=2)
    expected = expected.replace("lower `--runs`, or go on with `--yes`", "lower `runs`, or go on with `yes=True`")
    assert refusal(lambda: fs.sweep(path, runs=1_000_000)) == expected.rstrip("\n")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            {"axes": {INTERVAL: "5s"}},
            f"the axis `{INTERVAL}` takes a list of values, or a range such as "
            '{"from": "1s", "to": "60s", "count": 5}, not str',
        ),
        (
            {"axes": {INTERVAL: [object()]}},
            f"`{INTERVAL}` takes str, bool, int, float, datetime.timedelta, or a list or dict of these, not object",
        ),
        ({"axes": {5: ["5s"]}}, "`axes` has texts as keys, as in {\"gateway.health_check.interval\": [\"1s\", \"5s\"]}, not int"),
        ({"axes": INTERVALS, "runs": "5"}, "`runs` takes a whole number, not str"),
        ({"axes": INTERVALS, "seed": 1.5}, "`seed` takes a whole number, not float"),
    ],
)
def test_wrong_types(arguments: dict[str, Any], text: str, small: fs.Scenario) -> None:
    with pytest.raises(TypeError) as raised:
        fs.sweep(small, **arguments)
    assert str(raised.value) == text


def test_scenarios_of_one_name(small: fs.Scenario) -> None:
    assert refusal(lambda: fs.sweep([small, small], axes=INTERVALS)).startswith("error: two scenarios are called `small`")
    with pytest.raises(TypeError, match="`experiment` has a str in it, which is no scenario: write Scenario.load"):
        fs.sweep([small, "small"], axes=INTERVALS)  # type: ignore[list-item]


def test_a_folder_is_not_written_over(small: fs.Scenario, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def swept(**arguments: Any) -> fs.Sweep:
        return fs.sweep(small, axes=INTERVALS, out=out, **({"runs": 2} | arguments))

    swept()
    before = texts(out)
    assert refusal(swept) == (
        f"error: {out} has a sweep's results: go on with it with `resume=True`, start over with `force=True`, "
        "or choose another folder"
    )
    assert refusal(lambda: swept(resume=True, seed=2)) == (
        f"error: {out} has another sweep's results: it has seed 1, and not 2: choose another folder, "
        "or start over with `force=True`"
    )
    assert texts(out) == before
    more = swept(resume=True, runs=4)
    assert texts(out) != before
    with pytest.warns(UserWarning, match="the tables have 2 runs of each point, and the ledger has up to 4"):
        swept(resume=True)
    assert texts(out) == before
    (out / "mine.txt").write_text("mine")
    assert repr(swept(force=True, runs=4)) == repr(more)
    assert (out / "mine.txt").read_text() == "mine"


def test_parquet_files_that_would_be_out_of_date(small: fs.Scenario, tmp_path: Path) -> None:
    fs.sweep(small, axes=INTERVALS, runs=2, out=tmp_path)
    for name in ("points.parquet", "mine.parquet"):
        (tmp_path / name).write_text(name)
    with pytest.warns(UserWarning) as warned:
        fs.sweep(small, axes=INTERVALS, runs=4, out=tmp_path, resume=True)
    assert [str(warning.message) for warning in warned] == [
        f"this build writes CSV only, of runs and points: the Parquet files in {tmp_path} are removed, as they would be out "
        "of date; `failover-sim sweep --resume` writes them anew"
    ]
    assert [path.name for path in tmp_path.glob("*.parquet")] == ["mine.parquet"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fs.sweep(small, axes=INTERVALS, runs=5, out=tmp_path, resume=True)


def test_a_folder_that_cannot_be_written(small: fs.Scenario, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    assert refusal(lambda: fs.sweep(small, axes=INTERVALS, out=tmp_path / "file")) == (
        f"error: {tmp_path / 'file'} is not a folder: results go into a folder of their own, choose another name"
    )
    said = refusal(lambda: fs.sweep(small, axes=INTERVALS, out="/proc/results"))
    assert said.startswith("error: cannot create /proc/results: ")
    assert said.endswith(": choose a place that you may write to")


def test_results_that_are_gone(small: fs.Scenario, tmp_path: Path) -> None:
    swept = fs.sweep(small, axes=INTERVALS, runs=2, out=tmp_path / "out")
    for segment in (tmp_path / "out" / "ledger").glob("*.segment"):
        segment.unlink()
    with pytest.raises(fs.FailoverSimError, match="were replaced or removed since: run the sweep again"):
        _ = swept.points["point"]
    with pytest.raises(pa.ArrowException, match="replaced or removed"):
        swept.to_arrow()


def test_results_that_another_sweep_has_replaced(small: fs.Scenario, tmp_path: Path) -> None:
    """An object has its own numbers or none, and never those of the sweep that took its folder."""
    out = tmp_path / "out"
    axes = {"fault.outage.at": {"from": "1ms", "to": "600ms", "step": "1ms"}}

    def swept(seed: int, **arguments: Any) -> fs.Sweep:
        return fs.sweep(small, axes=axes, metrics="counts", seed=seed, out=out, **({"runs": 3} | arguments))

    first = swept(1)
    numbers, stream = first.runs["failed_count"], pa.RecordBatchReader.from_stream(first.runs)
    stream.read_next_batch()
    swept(1, runs=5, resume=True)
    assert first.runs["failed_count"] == numbers
    second = swept(2, force=True)
    said = f"the results in {out} were replaced or removed since: run the sweep again"
    for table in (first.runs, first.points):
        with pytest.raises(fs.FailoverSimError) as raised:
            _ = table["failed_count" if table is first.runs else "point"]
        assert str(raised.value).endswith(said)
    with pytest.raises(pa.ArrowException, match="replaced or removed"):
        stream.read_all()
    assert set(second.runs["seed"]) == {2}


def test_damaged_segments_are_played_again(small: fs.Scenario, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fs.sweep(small, axes=INTERVALS, runs=3, out=out)
    before = texts(out)
    segment = next((out / "ledger").glob("*.segment"))
    segment.write_bytes(segment.read_bytes()[:-1])
    with pytest.warns(UserWarning, match="it is removed, and its runs are played again"):
        fs.sweep(small, axes=INTERVALS, runs=3, out=out, resume=True)
    assert texts(out) == before


def test_the_command_line_takes_the_folder(cli: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    axis = f'[[sweep.axis]]\npath = "{INTERVAL}"\nvalues = ["1s", "5s", "10s"]\n'
    (tmp_path / "experiment.toml").write_text(f'question = "?"\nscenarios = ["small.toml"]\n{axis}')
    fs.sweep(tmp_path, runs=2, out=tmp_path / "python")
    cli("sweep", tmp_path, "--runs", 5, "--resume", "--out", tmp_path / "python")
    cli("sweep", tmp_path, "--runs", 5, "--out", tmp_path / "cli")
    assert texts(tmp_path / "python") == texts(tmp_path / "cli")
    # And the other way round.
    assert any((tmp_path / "cli").glob("*.parquet"))
    with pytest.warns(UserWarning, match="writes CSV only, of runs and points: the Parquet files in .*cli are removed") as warned:
        fs.sweep(tmp_path, runs=6, resume=True, out=tmp_path / "cli")
    assert [warning.filename for warning in warned] == [__file__]
    assert not any((tmp_path / "cli").glob("*.parquet"))
    fs.sweep(tmp_path, runs=6, out=tmp_path / "whole")
    assert texts(tmp_path / "cli") == texts(tmp_path / "whole")
    # Which can be undone.
    cli("sweep", tmp_path, "--runs", 6, "--resume", "--out", tmp_path / "cli")
    assert {path.name for path in (tmp_path / "cli").glob("*.parquet")} == {f"{name}.parquet" for name in fs.Sweep.TABLES}
    report = tmp_path / "report.html"
    assert "report.html" in cli("report", tmp_path / "cli", "--output", report)


def test_a_report_of_a_sweep_that_has_no_file(small: fs.Scenario, cli: Callable[..., str], tmp_path: Path) -> None:
    fs.sweep([small, small.named("twin")], axes=INTERVALS, runs=3, out=tmp_path / "out")
    cli("report", tmp_path / "out", "--output", tmp_path / "report.html")
    assert f"How does it depend on `{INTERVAL}`?" in (tmp_path / "report.html").read_text()
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["finished"]
    assert [scenario["name"] for scenario in manifest["scenarios"]] == ["small", "twin"]


def test_two_writers(small: fs.Scenario, tmp_path: Path) -> None:
    """While one writes, another one is told so, and nothing is mixed."""

    class Enough(Exception):
        pass

    out = tmp_path / "out"
    said: list[str] = []

    def another(done: int, total: int) -> None:
        said.append(refusal(lambda: fs.sweep(small, axes=INTERVALS, runs=3, out=out, resume=True)))
        said.append(refusal(lambda: fs.sweep(small, axes=INTERVALS, runs=3, out=out, force=True)))
        raise Enough

    with pytest.raises(Enough):
        fs.sweep(small, axes=LONG, runs=1000, out=out, threads=1, progress=another)
    being_written = (
        f"error: {out / 'manifest.json'} is being written by another process: wait for it to end, "
        "or choose another name"
    )
    assert said == [being_written, being_written]
    # It is free again, and still the first one's.
    assert "has another sweep's results" in refusal(lambda: fs.sweep(small, axes=INTERVALS, runs=3, out=out, resume=True))


def test_progress_counts_all_runs(small: fs.Scenario, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    out = tmp_path / "out"
    arguments: dict[str, Any] = {"axes": INTERVALS, "out": out, "progress": lambda *counts: told.append(counts)}
    fs.sweep(small, **arguments, runs=20)
    assert told[-1] == (60, 60)
    assert all(done <= total for done, total in told if total)
    assert {total for _, total in told} <= {0, 60}
    told.clear()
    fs.sweep(small, **arguments, runs=30, resume=True)
    assert all(done >= 60 for done, total in told if total)
    assert told[-1] == (90, 90)


LONG_RUNS = 3_000
"""So many, of sixty points on one thread, that whoever stops them comes in time."""

LONG = {"fault.outage.at": {"from": "1ms", "to": "2s", "step": "1ms"}}
"""More points than any test sees the end of, in blocks of a second each."""


def test_a_callback_that_raises_stops_it(small: fs.Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Enough(Exception):
        pass

    folders: list[Path] = []

    def stop(done: int, total: int) -> None:
        folders[:] = tmp_path.iterdir()
        if done:
            raise Enough

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(Enough) as raised:
        fs.sweep(small, axes=LONG, runs=100, progress=stop)
    assert len(folders) == 1
    # The traceback, which a notebook keeps, does not keep it.
    assert raised.tb is not None
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_free_after_a_warning_that_was_made_an_error(small: fs.Scenario, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning) as raised:
            fs.sweep(small, axes=FAILING, runs=3, out=out)
    assert raised.tb is not None
    with pytest.warns(UserWarning):
        assert len(fs.sweep(small, axes=FAILING, runs=3, out=out, resume=True)) == 3


FORK = """
import os, sys
import failover_sim as fs
from conftest import SMALL
swept = fs.sweep(fs.Scenario.from_toml(SMALL), axes={"fault.outage.at": ["30s", "1m"]}, runs=2)
if os.fork() == 0:
    sys.exit()
os.wait()
print(len(swept.runs), swept._native.folder)
"""


def test_a_process_that_was_forked_leaves_the_folder_alone() -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    rows, folder = done.stdout.split()
    assert rows == "4"
    assert not Path(folder).exists()


def test_ctrl_c_in_this_process_and_the_same_bytes_later(small: fs.Scenario, tmp_path: Path) -> None:
    out, axes = tmp_path / "out", {"fault.outage.at": {"from": "1s", "to": "60s", "step": "1s"}}
    def press(done: int, total: int) -> None:
        if any((out / "ledger").glob("*.segment")):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fs.sweep(small, axes=axes, runs=LONG_RUNS, out=out, threads=1, progress=press)
    assert not (out / "manifest.json").exists()
    assert not (out / ".manifest.json.partial").exists()
    kept = sorted((out / "ledger").glob("*.segment"))
    before = [path.read_bytes() for path in kept]
    assert before
    told: list[tuple[int, int]] = []
    resumed = fs.sweep(small, axes=axes, runs=LONG_RUNS, out=out, resume=True, progress=lambda *counts: told.append(counts))
    # What was played then is not played again.
    assert all(done > 0 for done, total in told if total)
    assert [path.read_bytes() for path in kept] == before
    whole = fs.sweep(small, axes=axes, runs=LONG_RUNS, out=tmp_path / "whole")
    assert texts(out) == texts(tmp_path / "whole")
    assert resumed.to_arrow("faults").equals(whole.to_arrow("faults"))


WORK = """
import sys
import failover_sim as fs
try:
    fs.sweep(sys.argv[1], out=sys.argv[2], threads=1)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(130)
"""


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """An experiment of some blocks of a second each."""
    (tmp_path / "small.toml").write_text(SMALL)
    axis = '[[sweep.axis]]\npath = "fault.outage.at"\nrange = { from = "1s", to = "60s", step = "1s" }\n'
    text = f'question = "When?"\nscenarios = ["small.toml"]\nruns = {LONG_RUNS}\n{axis}'
    (tmp_path / "experiment.toml").write_text(text)
    return tmp_path


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_a_process_that_was_stopped_and_the_same_bytes_later(stop: signal.Signals, large: Path) -> None:
    out, whole = large / "out", large / "whole"
    process = subprocess.Popen([sys.executable, "-c", WORK, str(large), str(out)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while not any((out / "ledger").glob("*.segment")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(stop)
    said = process.stdout.read()
    assert process.wait(timeout=60) == (130 if stop == signal.SIGINT else -signal.SIGKILL)
    assert said == ("interrupted\n" if stop == signal.SIGINT else "")
    assert not (out / "manifest.json").exists()
    assert not (out / "points.csv").exists()
    resumed = fs.sweep(large, out=out, resume=True)
    assert_frame_equal(resumed.to_polars("faults"), fs.sweep(large, out=whole).to_polars("faults"), check_exact=True)
    assert texts(out) == texts(whole)


def test_python_goes_on_while_points_are_played(small: fs.Scenario) -> None:
    """Another thread counts: with the global lock held it would have no turn until the end."""
    turns, is_done = 0, threading.Event()

    def count() -> None:
        nonlocal turns
        while not is_done.is_set():
            turns += 1
            time.sleep(0.001)

    def enough(done: int, total: int) -> None:
        seen.append(turns)
        if turns > seen[0] + 100:
            raise StopIteration

    seen: list[int] = []
    counting = threading.Thread(target=count)
    counting.start()
    try:
        with pytest.raises(StopIteration):
            fs.sweep(small, axes=LONG, runs=1_000, yes=True, progress=enough)
    finally:
        is_done.set()
        counting.join()
    assert seen[-1] > seen[0]


def test_what_a_notebook_shows(small: fs.Scenario) -> None:
    swept = fs.sweep([small, small.named("<twin>")], axes=INTERVALS | {"gateway.health_check.eject_after": range(1, 5)}, runs=2)
    shown = swept._repr_html_()
    assert "24 points, 2 runs each, seed 1" in shown
    assert "and 14 more points" in shown
    assert shown.count("<tr>") == 1 + 10
    assert "<twin>" not in shown
    assert str(swept) == "24 points of 2 runs"
