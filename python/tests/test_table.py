"""Tables on their way to the libraries that people work with."""

import subprocess
import sys

import pandas
import polars
import pyarrow
import pytest

import failover_sim as fs


def test_types_and_nulls(small: fs.Scenario) -> None:
    """Nothing detects the fault where nobody probes: then there is no time to detection, and not 0."""
    blind = small.with_values({"gateway.health_check.interval": "1h"})
    runs = blind.run(runs=3).runs
    assert runs["time_to_detect_ms"] == [None, None, None]
    assert runs["scenario"] == ["small"] * 3

    frame = runs.to_polars()
    assert frame["time_to_detect_ms"].dtype == polars.Float64
    assert frame["time_to_detect_ms"].null_count() == 3
    assert frame["run"].dtype == polars.UInt64
    assert frame["scenario"].dtype == polars.String

    pandas_frame = runs.to_pandas()
    assert str(pandas_frame["time_to_detect_ms"].dtype) == "float64"
    assert pandas_frame["time_to_detect_ms"].isna().all()
    assert isinstance(pandas_frame["run"].dtype, pandas.UInt64Dtype)
    # Without a price there is no cost, and of a count without a value no 0.
    assert isinstance(pandas_frame["input_token_count"].dtype, pandas.UInt64Dtype)
    assert pandas_frame["input_token_count"].isna().all()
    assert pandas_frame["failed_count"].tolist() == runs["failed_count"]

    arrow = runs.to_arrow()
    assert arrow.column("time_to_detect_ms").null_count == 3
    assert (arrow.schema.field("run").type, arrow.schema.field("scenario").type) == (pyarrow.uint64(), pyarrow.string())
    assert arrow.column("failed_count").to_pylist() == runs["failed_count"]


def test_truths(small: fs.Scenario) -> None:
    both = fs.compare({"a": small, "b": small.with_values({"gateway.health_check.interval": "2s"})}, runs=3)
    assert set(both.differences["differs"]) == {True, False, None}
    assert both.to_polars()["differs"].dtype == polars.Boolean
    assert isinstance(both.to_pandas()["differs"].dtype, pandas.BooleanDtype)
    assert both.to_arrow().schema.field("differs").type == pyarrow.bool_()
    assert set(fs.compare({"a": small, "b": small}, runs=1).differences["differs"]) == {None}


def test_units_and_meanings_are_in_the_metadata(small: fs.Scenario) -> None:
    runs = small.run(runs=2)
    for name in fs.Runs.TABLES:
        table = runs.table(name)
        schema = table.to_arrow().schema
        assert schema.names == [column.name for column in table.columns] 
        for column in table.columns:
            assert schema.field(column.name).metadata == {b"unit": column.unit.encode(), b"meaning": column.meaning.encode()}
            assert column.unit
            assert column.meaning
    units = {column.name: column.unit for column in runs.runs.columns}
    assert (units["time_to_detect_ms"], units["cost_usd"], units["failed_count"]) == ("ms", "USD", "count")


def test_tables_by_name(small: fs.Scenario) -> None:
    runs = small.run(runs=2)
    assert runs.to_polars().columns == runs.to_polars("runs").columns
    assert [len(runs.table(name)) for name in fs.Runs.TABLES] == [2, 1, 2, 240]
    assert [runs.table(name).name for name in fs.Runs.TABLES] == list(fs.Runs.TABLES)
    with pytest.raises(KeyError, match="there is no table 'seconds': choose one of runs, points, faults, series"):
        runs.table("seconds")
    with pytest.raises(KeyError, match="there is no column `fail_count` in the table `runs`: did you mean `failed_count`?"):
        runs.runs["fail_count"]
    assert "failed_count" in runs.runs and "fail_count" not in runs.runs
    both = fs.compare({"a": small, "b": small}, runs=2)
    assert both.to_polars().columns == [column.name for column in both.differences.columns]
    assert both.to_pandas("points")["scenario"].tolist() == ["a", "b"]


def test_the_series_is_made_only_when_it_is_asked_for(small: fs.Scenario) -> None:
    runs = small.run(runs=2)
    assert "series" not in vars(runs)
    series = runs.series
    assert series is runs.series
    by_run = series.to_polars().group_by("run", maintain_order=True).agg(polars.col("failed_count").sum())
    assert by_run["failed_count"].to_list() == runs.runs["failed_count"]


def test_results_and_tables_are_arrow_streams(small: fs.Scenario) -> None:
    runs = small.run(runs=2)
    assert polars.DataFrame(runs).equals(runs.to_polars())
    assert pyarrow.table(runs.points).equals(runs.to_arrow("points"))
    # Each stream is one of its own.
    assert polars.DataFrame(runs).equals(polars.DataFrame(runs))


def test_a_table_is_no_list(small: fs.Scenario) -> None:
    """Its length is that of its rows: pandas would make rows of the names of columns, were these what one iterates over."""
    runs = small.run(runs=2).runs
    assert len(runs) == 2
    with pytest.raises(TypeError, match="not iterable"):
        iter(runs)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="DataFrame constructor"):
        pandas.DataFrame(runs)  # type: ignore[call-overload]


def test_a_table_outlives_its_runs(small: fs.Scenario) -> None:
    arrow = small.run(runs=2).to_arrow()
    copied = pyarrow.table(arrow.to_pydict(), schema=arrow.schema)
    assert copied.equals(arrow)


@pytest.mark.parametrize(
    ("extra", "missing"), [("polars", "polars"), ("pandas", "pandas"), ("pandas", "pyarrow"), ("arrow", "pyarrow")]
)
def test_a_library_that_is_not_there(
    extra: str, missing: str, small: fs.Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = small.run(runs=1)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError) as raised:
        getattr(runs, f"to_{extra}")()
    said = f'to_{extra}() needs {missing}, which is not installed: pip install "failover-sim[{extra}]"'
    assert str(raised.value) == said
    assert raised.value.name == missing


def test_nothing_is_imported_that_nobody_asked_for() -> None:
    code = """
import sys, failover_sim as fs
runs = fs.Scenario.load("experiments/01_incident_3am/any_phase_5s.toml").run(runs=2)
repr(runs), runs._repr_html_(), runs.runs._repr_html_(), runs.summary, runs.series["failed_count"]
print(sorted({"polars", "pandas", "pyarrow", "numpy", "tqdm", "IPython", "ray"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
