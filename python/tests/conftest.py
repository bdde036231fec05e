"""What tests share: the working directory, the command line, and scenarios that take no time."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import failover_sim as fs

ROOT = Path(__file__).resolve().parents[2]

SMALL = """
about = "One provider, half a minute of outage"
duration = "2m"
traffic.arrivals = { poisson = "20/s" }

[provider.primary]
latency = { constant = "800ms" }

[provider.backup]
latency = { constant = "900ms" }

[fault.outage]
on = { name = "primary" }
at = "30s"
lasts = "30s"
requests = { status = 503 }
probes = "hang"
in_flight = "finish"

[gateway]
route = { prefer = ["primary", "backup"] }

[gateway.health_check]
interval = "10s"
timeout = "1s"
"""


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples name files as seen from the root of the repository."""
    monkeypatch.chdir(ROOT)


@pytest.fixture
def small() -> fs.Scenario:
    return fs.Scenario.from_toml(SMALL, name="small")


@pytest.fixture(scope="session")
def cli() -> Callable[..., str]:
    """The command line: what it prints. It is the one that FAILOVER_SIM names, or else that of a build."""
    named = os.environ.get("FAILOVER_SIM")
    builds = [Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / kind / "failover-sim" for kind in ("release", "debug")]
    program = Path(named) if named else next((build for build in builds if build.exists()), None)
    assert program is not None, "build the command line first: cargo build --release"

    def run(*arguments: object, code: int = 0) -> str:
        command = [str(program), *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
        # 1 is for an objective that is missed, which is a result.
        assert done.returncode == code or (code == 0 and done.returncode == 1), done.stderr
        return done.stdout if code == 0 else done.stderr

    return run
