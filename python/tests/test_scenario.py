"""A scenario, its settings, and how it travels."""

import copy
import pickle
import tomllib
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import numpy
import pandas
import pytest
from conftest import SMALL

import failover_sim as fs

INTERVAL = "gateway.health_check.interval"
INCIDENT = "experiments/01_incident_3am/any_phase_60s.toml"


def test_settings_are_made_in_a_copy(small: fs.Scenario) -> None:
    fast = small.with_values({INTERVAL: "2s"}).named("fast")
    assert (small.name, small[INTERVAL], fast.name, fast[INTERVAL]) == ("small", "10s", "fast", "2s")
    assert small.run(runs=1).runs["failed_count"] != fast.run(runs=1).runs["failed_count"]
    assert [s.origin for s in fast.settings if s.path == INTERVAL] == ["with_values"]
    assert small.with_values({}) == small


@pytest.mark.parametrize(
    ("delta", "text"),
    [
        (timedelta(seconds=5), "5s"),
        (timedelta(milliseconds=1500), "1500ms"),
        (timedelta(microseconds=1_000_001), "1000001us"),
        (timedelta(days=1, seconds=1), "86401s"),
        (pandas.Timedelta("90s"), "90s"),
        (numpy.timedelta64(250, "ms"), "250ms"),
    ],
)
def test_a_time_may_be_a_timedelta(small: fs.Scenario, delta: timedelta, text: str) -> None:
    assert small.with_values({INTERVAL: delta})[INTERVAL] == text


def test_values_of_all_kinds(small: fs.Scenario) -> None:
    values: dict[str, fs.SettingValue] = {
        "gateway.health_check.eject_after": 2,
        "provider.primary.error_rate": 0.25,
        "provider.backup.error_rate": numpy.float64(0.5),
        "gateway.health_check.readmit_after": numpy.int32(3),  # type: ignore[dict-item]
        "gateway.route.prefer": ("backup", "primary"),
        "traffic.arrivals": {"constant": "5/s"},
        "about": "Something else",
    }
    changed = small.with_values(values)
    changed.check()
    found = changed.values
    assert found["gateway.health_check.eject_after"] == 2
    assert found["provider.primary.error_rate"] == 0.25
    assert found["provider.backup.error_rate"] == 0.5
    assert found["gateway.health_check.readmit_after"] == 3
    assert found["gateway.route.prefer"] == ["backup", "primary"]
    assert found["traffic.arrivals.constant"] == "5/s"
    assert (changed.about, small.about) == ("Something else", "One provider, half a minute of outage")


def test_its_text_stands_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts are in it, and it says the same anywhere."""
    envoy = fs.Scenario.load("experiments/03_gateway_shootout/outage.toml").with_values({"gateway.from": "models/gateways/envoy.toml"})
    text, runs = envoy.to_toml(), envoy.run(runs=2).to_arrow()
    assert "from" not in tomllib.loads(text)["gateway"]
    monkeypatch.chdir(tmp_path)
    again = fs.Scenario.from_toml(text, name="outage")
    assert again == envoy
    assert again.to_toml() == text
    assert again.run(runs=2).to_arrow().equals(runs)


def test_equality(small: fs.Scenario) -> None:
    assert small == fs.Scenario.from_toml(SMALL, name="small")
    assert hash(small) == hash(fs.Scenario.from_toml(SMALL, name="small"))
    assert small != small.named("other")
    assert small != small.with_values({INTERVAL: "11s"})
    assert small != "small"
    one, other = {INTERVAL: "1s", "duration": "3m"}, {"duration": "3m", INTERVAL: "1s"}
    assert small.with_values(one) == small.with_values(other)


def failed(scenario: fs.Scenario) -> object:
    return scenario.run(runs=3).runs["failed_count"]


def test_it_travels_to_other_processes() -> None:
    scenario = fs.Scenario.load("experiments/03_gateway_shootout/outage.toml").with_values({"gateway.from": "models/gateways/envoy.toml"})
    for copied in (pickle.loads(pickle.dumps(scenario)), copy.deepcopy(scenario)):
        assert copied == scenario
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(failed, scenario).result() == failed(scenario)


def test_reprs(small: fs.Scenario) -> None:
    assert repr(small) == "<Scenario small>"
    with pytest.raises(TypeError, match="Scenario.load"):
        fs.Scenario()


def test_paths_may_be_paths() -> None:
    assert fs.Scenario.load(Path(INCIDENT)) == fs.Scenario.load(INCIDENT)
