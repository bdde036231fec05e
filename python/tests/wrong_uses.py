"""Uses that a strict type checker must complain of, each with the code of its complaint. Nobody calls them."""

from datetime import timedelta

import failover_sim as fs


def wrong(scenario: fs.Scenario) -> None:
    fs.Scenario.load(5)  # wrong: arg-type
    fs.Scenario.from_toml(b"duration")  # wrong: arg-type
    scenario.with_values({"gateway.health_check.interval": None})  # wrong: dict-item
    scenario.with_values({"gateway.health_check.interval": object()})  # wrong: dict-item
    scenario.with_values(["gateway.health_check.interval=5s"])  # wrong: arg-type
    scenario.run(30)  # wrong: call-arg
    scenario.run(runs="30")  # wrong: arg-type
    scenario.run(runs=30, sed=1)  # wrong: call-arg
    scenario.run(progress=lambda done: None)  # wrong: arg-type,misc
    scenario.run(progress="bar")  # wrong: arg-type
    scenario.name = "other"  # wrong: misc
    scenario.named(None)  # wrong: arg-type
    scenario.values["duration"].seconds  # wrong: union-attr
    scenario.explain("3")  # wrong: arg-type
    scenario.execute()  # wrong: attr-defined
    fs.compare(scenario)  # wrong: arg-type
    fs.compare([scenario, "fast"])  # wrong: list-item
    fs.compare({"fast": "fast.toml"})  # wrong: dict-item
    runs = scenario.run(runs=3)
    runs.run  # wrong: attr-defined
    runs.differences  # wrong: attr-defined
    runs.to_polars(3)  # wrong: arg-type
    runs.to_polars().no_such_method()  # wrong: attr-defined
    runs.to_pandas().no_such_method()  # wrong: operator
    runs.to_arrow().no_such_method()  # wrong: attr-defined
    runs.runs["failed_count"].sum()  # wrong: attr-defined
    fs.sweep(5)  # wrong: arg-type
    fs.sweep(scenario, axes=["5s"])  # wrong: arg-type
    fs.sweep(scenario, axes={"gateway.health_check.interval": 5})  # wrong: dict-item
    fs.sweep(scenario, axes={"gateway.health_check.interval": [None]})  # wrong: list-item
    fs.sweep("experiment", metrics="none")  # wrong: arg-type
    fs.sweep("experiment", keep="a < b", design=5)  # wrong: arg-type
    fs.sweep("experiment").series  # wrong: attr-defined
    fs.tune("experiment", minimise="failed_count")  # wrong: call-arg
    fs.tune("experiment", subject_to=[5])  # wrong: list-item
    fs.tune("experiment").best.run()  # wrong: union-attr
    number: int = runs.summary  # wrong: assignment
    column: str = runs.points.columns[0]  # wrong: assignment
    error: fs.InputError = fs.FailoverSimError("")  # wrong: assignment


def right(scenario: fs.Scenario) -> tuple[str, int, list[str]]:
    """What it must not complain of."""
    values: dict[str, fs.SettingValue] = {"a": timedelta(seconds=1), "b": [1, "2", {"c": 0.5}], "d": True}
    runs = scenario.with_values(values).with_values({"duration": "5m"}).run(runs=3, progress=print)
    axes: fs.Axes = {"a": [timedelta(seconds=1)], "b": {"from": "1s", "to": "5s", "count": 3}, "c": range(3)}
    swept = fs.sweep([scenario], axes=axes, design={"sobol": 64}, keep=["a < b"], out="results")
    tuned = fs.tune(scenario, axes=axes, subject_to=[{"expect": "a < 5", "scenarios": ["b"]}], weights={"b": 1})
    assert swept.folder is not None and tuned.recommended is not None
    both = fs.compare({"a": scenario, "b": scenario}, runs=3)
    return both.summary, len(runs.runs), runs.scenarios
