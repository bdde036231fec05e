"""A sweep in shards by the very job files of docs/cluster, as processes here.

The command itself is the one that FAILOVER_SIM names, without it target/release/failover-sim.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "docs/cluster"
SIM = Path(os.environ.get("FAILOVER_SIM", ROOT / "target/release/failover-sim")).resolve()
SHARDS = 6

# What a provider takes is limited, which makes everything an event: so there is time to kill a shard.
SCENARIO = """
duration = "8m"
[traffic]
arrivals = { poisson = "150/s" }
client_timeout = "5s"
[provider.a]
labels = { vendor = "x" }
latency = { lognormal = { p50 = "800ms", p99 = "3s" } }
capacity = { slots = 1000 }
[provider.b]
latency = { exponential = { mean = "900ms" } }
[fault.outage]
on = { vendor = "x" }
at = "2m"
lasts = "2m"
requests = { status = 502 }
probes = "hang"
[gateway]
route = { prefer = ["a", "b"] }
health_check = { interval = "5s", timeout = "1s" }
"""
# A fault after the end is none: those points have no result.
EXPERIMENT = """
question = "?"
scenarios = ["small.toml"]
runs = 100
[[sweep.axis]]
path = "gateway.health_check.interval"
values = ["3s", "5s", "10s", "20s", "30s", "60s"]
[[sweep.axis]]
path = "fault.outage.at"
values = ["1m", "2m", "9m", "4m"]
"""


def documents(name):
    """The objects of a manifest."""
    return list(yaml.safe_load_all((FILES / name).read_text()))


def container(name):
    """The one container of a Job."""
    (job,) = documents(name)
    (only,) = job["spec"]["template"]["spec"]["containers"]
    return only


class Folder:
    """A folder with an experiment, and the environment in which job files find it."""

    def __init__(self, path):
        self.path = path
        path.mkdir()
        (path / "small.toml").write_text(SCENARIO)
        (path / "experiment.toml").write_text(EXPERIMENT)
        # As on a cluster, the command is on the PATH, and nothing else of the environment is.
        (path / "bin").mkdir()
        (path / "bin/failover-sim").symlink_to(SIM)
        self.results = path / "results"
        self.environment = {
            "PATH": f"{path / 'bin'}:{os.environ['PATH']}",
            "EXPERIMENT": ".",
            "RESULTS": str(self.results),
            "SHARDS": str(SHARDS),
        }

    def shard(self, shard):
        return self.results / f"shards/{shard}"

    def segments(self, shard):
        """What is kept of a shard, by name."""
        return {path.name: path.read_bytes() for path in self.shard(shard).glob("ledger/*.segment")}

    def outcome(self):
        """What was merged: every table, and all that the manifest says of the sweep."""
        return outcome(self.results / "merged")


def outcome(results):
    tables = {path.name: path.read_bytes() for path in results.iterdir() if path.suffix in (".csv", ".parquet")}
    manifest = json.loads((results / "manifest.json").read_text())
    del manifest["command"], manifest["created"], manifest["sweep"]["ledger_bytes"]
    assert len(tables) >= 2, "there are tables"
    return tables, manifest


class Task:
    """A task of a Slurm array or a pod of a Job, as a process of its own here."""

    def __init__(self, folder, command, environment):
        self.process = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder.path,
            env={**folder.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def end(self, how):
        """Sends a signal to all its processes, as Slurm does, and tini in a container."""
        os.killpg(self.process.pid, how)

    def wait(self):
        """What it printed, and its exit code."""
        printed, _ = self.process.communicate(timeout=120)
        return printed, self.process.returncode

    def is_at_work(self):
        return self.process.poll() is None


class Slurm:
    """The scripts of the array and of the merge, as Slurm's node daemon starts them."""

    needed = "SHARDS"

    def shard(self, folder, shard, **environment):
        own = {"SLURM_ARRAY_TASK_ID": str(shard), "SLURM_CPUS_PER_TASK": "1", **environment}
        return Task(folder, ["bash", FILES / "shards.sbatch"], own)

    def merge(self, folder):
        return Task(folder, ["bash", FILES / "merge.sbatch"], {})


class Kubernetes:
    """The containers' arguments, as the image's entry point starts them."""

    needed = "JOB_COMPLETION_INDEX"

    def shard(self, folder, shard, **environment):
        return self._start(folder, "shards.yaml", {"JOB_COMPLETION_INDEX": str(shard - 1), "THREADS": "1", **environment})

    def merge(self, folder):
        return self._start(folder, "merge.yaml", {})

    def _start(self, folder, name, environment):
        return Task(folder, container(name)["args"], environment)


@pytest.fixture(params=[Slurm, Kubernetes], ids=["slurm", "kubernetes"])
def scheduler(request):
    return request.param()


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "experiment")


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """What one process makes of the same experiment."""
    folder = Folder(tmp_path_factory.mktemp("whole") / "experiment")
    done = subprocess.run(
        [SIM, "sweep", ".", "--out", "whole"], cwd=folder.path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 3, done.stderr
    assert "6 of 24 points failed" in done.stderr, done.stderr
    return outcome(folder.path / "whole")
