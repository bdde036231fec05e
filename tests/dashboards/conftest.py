"""Runs of the simulator, as metrics in a real Prometheus and as traces.

Needs `promtool` and `prometheus`, and the command itself: FAILOVER_SIM names it, without it target/release/failover-sim.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SIM = Path(os.environ.get("FAILOVER_SIM", ROOT / "target/release/failover-sim")).resolve()
# 2024-01-01, on which runs begin unless told otherwise, and the end of that day.
DAY = 1_704_067_200
NEXT_DAY = DAY + 86_400

# A health check, beside it a breaker or a fallback; a person, alerts and a budget; prices; replicas and prices.
SCENARIOS = {
    name: f"experiments/{path}.toml"
    for name, path in {
        "any_phase_60s": "01_incident_3am/any_phase_60s",
        "config_two_as_printed": "01_incident_3am/config_two_as_printed",
        "fallback_only": "01_incident_3am/fallback_only",
        "real_traffic_5s": "01_incident_3am/real_traffic_5s",
        "person": "10_pager_race/person",
        "routed": "06_cost_routing/routed",
        "outage": "08_probe_economics/outage",
    }.items()
}
STEP = {"person": 30, "outage": 15}
# No experiment has a gateway that fails itself.
SET = {"outage": ['gateway.fault={ crash = { at = "10m", lasts = "1m", effect = "crash", replicas = 1 } }']}


def run(*args):
    """What a command prints, given that it goes well."""
    done = subprocess.run([str(arg) for arg in args], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{args}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Run:
    """One run of a scenario, exported in every way."""

    def __init__(self, name, folder):
        self.name, self.step = name, STEP.get(name, 5)
        self.metrics_file, self.events_file = folder / f"{name}.om", folder / f"{name}.events.jsonl"
        self.traces_file = folder / f"{name}.otlp.jsonl"
        printed = run(
            *[SIM, "run", SCENARIOS[name], "--runs", 1, "--format", "json", "--events", self.events_file],
            *[word for setting in SET.get(name, []) for word in ["--set", setting]],
            *["--openmetrics", self.metrics_file, "--step", f"{self.step}s"],
            *["--otlp", self.traces_file, "--otlp-sample", 200],
        )
        self.scenario = json.loads(printed)["scenarios"][0]
        # Times of all samples.
        times = {int(time) for time in re.findall(r" (\d{10})$", self.metrics_file.read_text(), re.M)}
        self.start, self.end = min(times), max(times)

    def outcome(self, metric):
        return self.scenario["metrics"][metric]["mean"]

    def events(self):
        return [json.loads(line) for line in self.events_file.read_text().splitlines()]


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Prometheus:
    """A server that has just been started."""

    def __init__(self, url, process):
        self.url = url
        for _ in range(300):
            assert process.poll() is None, "Prometheus has ended"
            try:
                with urllib.request.urlopen(f"{url}/-/ready", timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        pytest.fail("Prometheus does not start")

    def get(self, path, **parameters):
        url = f"{self.url}{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            pytest.fail(f"{parameters}: {error.read().decode()}")

    def at(self, expression, when):
        """The series of an instant query: labels and value."""
        data = self.get("/api/v1/query", query=expression, time=when)
        assert data["resultType"] == "vector", expression
        return [(series["metric"], float(series["value"][1])) for series in data["result"]]

    def value(self, expression, when):
        """What an expression comes to that has one value, or none."""
        series = self.at(expression, when)
        assert len(series) <= 1, (expression, series)
        return series[0][1] if series else None

    def between(self, expression, start, end, step):
        """The series of a range query: labels, and values by time."""
        data = self.get("/api/v1/query_range", query=expression, start=start, end=end, step=step)
        return [
            (series["metric"], {int(float(at)): float(value) for at, value in series["values"]})
            for series in data["result"]
        ]


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return {name: Run(name, folder) for name in SCENARIOS}


@pytest.fixture(scope="session")
def prometheus(runs, tmp_path_factory):
    for tool in ["promtool", "prometheus"]:
        assert shutil.which(tool), f"{tool} is not installed: apt-get install prometheus"
    data = tmp_path_factory.mktemp("prometheus")
    for one in runs.values():
        run("promtool", "tsdb", "create-blocks-from", "openmetrics", one.metrics_file, data)
    port = free_port()
    log = (data / "log.txt").open("w")
    server = subprocess.Popen(
        [
            *["prometheus", "--config.file=dashboards/prometheus.yml", f"--storage.tsdb.path={data}"],
            *["--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{port}"],
        ],
        cwd=ROOT,
        stdout=log,
        stderr=log,
    )
    try:
        yield Prometheus(f"http://127.0.0.1:{port}", server)
    finally:
        server.terminate()
        server.wait(timeout=30)
        log.close()
        # pytest keeps it, and shows it where a test has failed.
        print((data / "log.txt").read_text())
