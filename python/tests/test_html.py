"""What notebooks show."""

import json
from html.parser import HTMLParser

import polars as pl
import pytest
from conftest import ROOT

import failover_sim as fs
from failover_sim import _html

EVIL = '<script>alert("1")</script>&'


class Shown(HTMLParser):
    """The texts of cells, and every tag; all that is opened is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style" and data.strip():
            self.texts.append(data.strip())


def shown(thing: object) -> Shown:
    html = thing._repr_html_()  # type: ignore[attr-defined]
    assert isinstance(html, str)
    return Shown(html)


def test_names_are_escaped(small: fs.Scenario) -> None:
    evil = small.named(EVIL).with_values({"about": EVIL})
    runs = evil.run(runs=2)
    both = fs.compare({"base": small, EVIL: evil}, runs=2)
    for thing in (evil, runs, runs.runs, runs.faults, both, both.differences, both.points):
        page = shown(thing)
        assert EVIL in page.texts or any(EVIL in text for text in page.texts)
        assert "script" not in page.tags


def test_a_scenario_shows_what_was_set_here_and_little_else() -> None:
    path = "gateway.health_check.eject_after"
    scenario = fs.Scenario.load("experiments/01_incident_3am/any_phase_60s.toml").with_values(
        {path: 3, "gateway.source": "measured " * 20}
    )
    texts = shown(scenario).texts
    given = sum(setting.origin != "default" for setting in scenario.settings)
    at = texts.index("from") + 1
    *cells, note = texts[at:]
    assert len(cells) == 15 * 3
    assert note == f"and {given - 15} more; all are in .settings"
    assert {cells[0], cells[3]} == {path, "gateway.source"}
    assert f"{('measured ' * 20)[:47].rstrip()}…" in cells
    assert max(map(len, cells[1::3])) <= 48
    assert "all are in .settings" in shown(fs.Scenario.from_toml('duration = "10m"')).texts


def test_runs_show_what_they_lost_first(small: fs.Scenario) -> None:
    texts = shown(small.run(runs=30)).texts
    assert texts[0].startswith("30 runs, seed 1: requests without a good answer")
    row = texts[texts.index("small") :]
    runs = small.run(runs=30).to_polars("points").row(0, named=True)
    assert row[1] == f"{runs['failed_count_p50']:.0f}"
    assert row[3] == f"{runs['availability_ratio_p50']:.2%}"
    assert row[6] == "recovered"


def test_a_comparison_shows_differences(small: fs.Scenario) -> None:
    both = fs.compare({"slow": small, "fast": small.with_values({"gateway.health_check.interval": "2s"})}, runs=30)
    texts = shown(both).texts
    assert "baseline" in texts
    difference = next(text for text in texts if text.startswith("−"))
    row = both.to_polars().row(by_predicate=pl.col("metric") == "failed_count", named=True)
    low, high = (f"−{-row[f'corrected_ci95_{end}']:.3g}" for end in ("low", "high"))
    assert difference == f"−{-row['mean']:.3g} ({low} to {high})"


def test_a_table_shows_few_rows_and_columns(small: fs.Scenario) -> None:
    texts = shown(small.run(runs=1000).runs).texts
    assert texts[0] == "runs: 1,000 rows, 59 columns"
    assert texts[-1] == "and 50 more columns, 995 more rows"
    assert len(texts) < 90
    assert shown(small.run(runs=1).faults).texts[0] == "faults: 1 row, 10 columns"


def test_what_there_is_not_is_a_dash(small: fs.Scenario) -> None:
    blind = small.with_values({"gateway.health_check.interval": "1h"}).run(runs=2)
    assert "–" in shown(blind.faults).texts
    assert "detected after" not in shown(blind).texts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (1234567, "1,234,567"),
        (-1234.5, "−1,234"),
        (345.6, "346"),
        (0.0123456, "0.0123"),
        (2.5, "2.5"),
        (True, "True"),
        ("text", "text"),
    ],
)
def test_numbers(value: str | float | None, text: str) -> None:
    assert _html.number(value) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(1.0, "100.00%"), (0.5, "50.00%"), (0.999999, "99.9999%"), (0.99999, "99.999%"), (0.9999999, "99.99999%"), (None, "–"), (0.0, "0.00%")],
)
def test_a_share_that_is_not_all_never_reads_as_all(ratio: float | None, text: str) -> None:
    assert _html.share(ratio) == text


def test_a_committed_notebook_shows_the_tables_of_this_package() -> None:
    """A change of how a comparison looks is one of the notebook that shows it, long before all notebooks are executed."""
    notebook = json.loads((ROOT / "notebooks/04_retry_storm.ipynb").read_text(encoding="utf-8"))
    outputs = [output.get("data", {}) for cell in notebook["cells"] for output in cell.get("outputs", [])]
    shown = ["".join(data["text/html"]) for data in outputs if "text/html" in data]
    assert shown == [fs.compare("experiments/04_retry_storm")._repr_html_()]
