"""Reports that the command makes, and a browser that complains: of what a page logs, and of what it wants from anywhere."""

import json
import os
import pathlib
import re
import shutil
import subprocess
from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("FAILOVER_SIM", ROOT / "target/release/failover-sim")).resolve()
EXPERIMENT = "experiments/01_incident_3am"
STORY = [f"{EXPERIMENT}/any_phase_60s.toml", f"{EXPERIMENT}/any_phase_5s.toml"]

# A scenario whose author tries to get markup into the page from every place that holds a text.
EVIL_NAME = "<img src=x onerror=alert(2)>"
EVIL = r"""
about = "</script><img src=x onerror=alert(1)> & <!-- \u2028 <b>bold</b> {{data}} {{title}} {{style}}"
clock = "02:45:00 <i>UTC"
duration = "4m"
[[objective]]
expect = "failed_count.p95 <= 1"
about = "<script>alert(7)</script>"
[traffic]
arrivals = { poisson = "5/s" }
client_timeout = "30s"
[provider.main]
source = "<svg onload=alert(5)>"
evidence = "assumed"
labels = { vendor = "<a>" }
latency = { constant = "1s" }
[provider.backup]
latency = { constant = "1s" }
[fault.night]
on = { vendor = "<a>" }
at = "1m"
lasts = "1m"
requests = { status = 502 }
[gateway]
route = { prefer = ["main", "backup"] }
health_check = { interval = "30s", timeout = "1s" }
"""
# Nothing succeeds, so latencies do not exist.
DEAD = """
duration = "1m"
[traffic]
arrivals = { constant = "1/s" }
client_timeout = "1s"
[provider.dead]
latency = { constant = "30s" }
"""
# As many points as a page has to bear.
MANY = """
question = "Which of ten thousand?"
scenarios = ["scenario.toml"]
runs = 2
[sweep]
design = { sobol = 10000 }
[[sweep.axis]]
path = "gateway.health_check.interval"
range = { from = "1s", to = "60s", scale = "log" }
[[sweep.axis]]
path = "gateway.health_check.timeout"
range = { from = "100ms", to = "1s" }
"""


def command(*arguments, expect=(0, 1)):
    """Runs the command at the root of the repository and returns what it printed."""
    done = subprocess.run([BINARY, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode in expect, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("reports")


class Reports:
    """Makes each report once, when it is first asked for."""

    def __init__(self, folder):
        self.folder, self.printed = folder, {}

    def make(self, name, *arguments):
        path = self.folder / f"{name}.html"
        if name not in self.printed:
            self.printed[name] = command(*arguments, "--report", path)
        return path

    def pair(self):
        return self.make("pair", "run", *STORY, "--runs", 60, "--format", "json")

    def single(self):
        return self.make("single", "run", STORY[1], "--runs", 20)

    def experiment(self):
        return self.make("experiment", "run", EXPERIMENT, "--runs", 5)

    def replicas(self):
        return self.make("replicas", "run", STORY[0], "--runs", 3, "--set", "gateway.replicas=3")

    def quarter(self):
        return self.make("quarter", "run", "experiments/07_ordinary_quarter/quarter.toml", "--runs", 2, "--yes")

    def evil(self):
        scenario = self.folder / f"{EVIL_NAME}.toml"
        scenario.write_text(EVIL)
        return self.make("evil", "run", scenario, "--runs", 20)

    def dead(self):
        scenario = self.folder / "dead.toml"
        scenario.write_text(DEAD)
        return self.make("dead", "run", scenario, "--runs", 3)

    def sweep(self):
        return self.make("sweep", "sweep", "experiments/02_health_check_interval", "--runs", 5, "--out", self.folder / "sweep")

    def many(self):
        experiment = self.folder / "many"
        experiment.mkdir(exist_ok=True)
        (experiment / "scenario.toml").write_text((ROOT / EXPERIMENT / "any_phase_60s.toml").read_text())
        (experiment / "experiment.toml").write_text(MANY)
        return self.make("many", "sweep", experiment, "--metrics", "counts", "--out", self.folder / "many-results", "--yes")

    def tune(self):
        return self.make("tune", "tune", "experiments/09_tune_health_check", "--runs", 10, "--out", self.folder / "tune", "--yes")

    def of(self, kind):
        return getattr(self, kind)()


KINDS = ["pair", "single", "experiment", "replicas", "quarter", "evil", "dead", "sweep", "many", "tune"]


@pytest.fixture(scope="session")
def reports(folder):
    return Reports(folder)


def document(path):
    """The data inside a report."""
    text = path.read_text(encoding="utf-8")
    (data,) = re.findall(r'<script type="application/json" id="report">(.*?)</script>', text, re.S)
    return json.loads(data)


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        assert path, "chromium is not on PATH: apt-get install chromium"
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium):
    """Opens a report; at its end there may be nothing in the console, no dialog, and no request but for the file."""

    @contextmanager
    def open_report(path, width=1280, height=900, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        page = context.new_page()
        wrong = []
        page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: request.url.startswith(path.as_uri()) or wrong.append(f"request: {request.url}"))
        page.goto(path.as_uri())
        page.wait_for_selector("#summary")
        yield page
        page.wait_for_timeout(50)
        assert wrong == []
        context.close()

    return open_report
