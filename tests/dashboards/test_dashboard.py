"""Every expression of the Grafana dashboard is asked of a real Prometheus."""

import json
import math
import re

import pytest
from conftest import ROOT, SCENARIOS

DASHBOARD = json.loads((ROOT / "dashboards/failover-sim.json").read_text())
VARIABLES = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [
    pytest.param(target, id=f"{panel['title']} {target['refId']}") for panel in PANELS for target in panel["targets"]
]
QUERIES += [pytest.param(note, id=note["name"]) for note in DASHBOARD["annotations"]["list"] if "expr" in note]


def substituted(expression, run):
    """With variables as Grafana has them; its rate interval is four scrapes."""
    values = {
        "scenario": run.name,
        "__rate_interval": f"{4 * run.step}s",
        "__range": f"{run.end - run.start}s",
        "step": f"{run.step}s",
    }
    for name, value in values.items():
        expression = re.sub(rf"\$({name}\b|{{{name}}})", value, expression)
    assert "$" not in expression, expression
    return expression


@pytest.mark.parametrize("query", QUERIES)
def test_every_expression_has_something_to_show(runs, prometheus, query):
    values = []
    for run in runs.values():
        expression = substituted(query["expr"], run)
        if query.get("instant"):
            series = prometheus.at(expression, run.end)
            values += [value for _, value in series]
        else:
            series = prometheus.between(expression, run.start, run.end, run.step)
            values += [value for _, points in series for value in points.values()]
        # What a legend names is there; labels that do not apply are empty.
        named = set(re.findall(r"{{(\w+)}}", query.get("legendFormat", query.get("titleFormat", ""))))
        shown = {label for labels, *_ in series for label in labels}
        assert named <= shown or not series or len(series) == 1, (named, shown)
    assert any(math.isfinite(value) for value in values), "no scenario has anything to show"


@pytest.mark.parametrize("title, outcome", [
    ("Requests", "request_count"),
    ("Failed requests", "failed_count"),
    ("Availability", "availability_ratio"),
    ("Error budget spent", "budget_spent_ratio"),
    ("False ejections", "false_ejection_count"),
    ("Cost", "cost_usd"),
])
def test_the_first_row_has_the_simulators_numbers(runs, prometheus, title, outcome):
    [panel] = [panel for panel in PANELS if panel["title"] == title]
    shown = 0
    for run in runs.values():
        expected = run.outcome(outcome) if run.scenario["metrics"][outcome] else None
        value = prometheus.value(substituted(panel["targets"][0]["expr"], run), run.end)
        if expected is None:
            assert value is None, run.name
        else:
            assert math.isclose(value, expected, rel_tol=1e-12), run.name
            shown += 1
    assert shown > 0


def test_the_scenario_variable_lists_what_was_backfilled(runs, prometheus):
    label_values = re.fullmatch(r"label_values\((\w+), (\w+)\)", VARIABLES["scenario"]["query"]["query"])
    metric, label = label_values.groups()
    whole = {"start": min(run.start for run in runs.values()), "end": max(run.end for run in runs.values())}
    assert prometheus.get(f"/api/v1/label/{label}/values", **{"match[]": metric}, **whole) == sorted(SCENARIOS)


def test_everything_that_is_exported_is_shown():
    from_code = (ROOT / "src/output/openmetrics/families.rs").read_text()
    families = set(re.findall(r'"(failover_sim_\w+)"', from_code))
    shown = set(re.findall(r"failover_sim_\w+", json.dumps(DASHBOARD)))
    suffixes = ["", "_total", "_bucket", "_info"]
    unknown = {name for name in shown if not any(name.removesuffix(s) in families for s in suffixes)}
    assert not unknown
    assert not {name for name in families if not any(f"{name}{suffix}" in shown for suffix in suffixes)}


def test_panels_tile_the_page_and_say_what_they_show():
    cells = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        its = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & its, panel["title"]
        cells |= its
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for panel in PANELS:
        assert panel["description"] and panel["datasource"]["uid"] == "${datasource}" and panel["interval"] == "$step"
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
    assert DASHBOARD["schemaVersion"] >= 41 and list(VARIABLES) == ["datasource", "scenario", "step"]
