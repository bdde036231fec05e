"""What dashboards/README.md tells people to do works, and what it says is exported is."""

import json
import re
import shlex
import subprocess
from datetime import datetime

from conftest import ROOT, SIM, Prometheus, free_port, run

README = (ROOT / "dashboards/README.md").read_text()


def test_the_three_commands_lead_to_grafana(tmp_path):
    lines = [line for block in re.findall(r"```sh\n(.*?)```", README, re.S) for line in block.splitlines()]
    commands = [
        [word.replace("incident", str(tmp_path / "incident"), 1) if "incident." in word or "incident-" in word else word
         for word in shlex.split(line)]
        for line in lines
    ]
    export, backfill, serve, *_ = commands
    assert [export[0], backfill[0], serve[0]] == ["failover-sim", "promtool", "prometheus"]
    run(SIM, *export[1:], "--runs", 1)
    run(*backfill)
    port = free_port()
    server = subprocess.Popen(
        [*serve, f"--web.listen-address=127.0.0.1:{port}"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        prometheus = Prometheus(f"http://127.0.0.1:{port}", server)
        scenarios = re.search(r"scenarios = \[(.*?)\]", (ROOT / "experiments/01_incident_3am/experiment.toml").read_text(), re.S)
        names = {name.removesuffix(".toml") for name in re.findall(r'"([^"]+)"', scenarios.group(1))}
        # When the dashboard opens, it shows the moment at which the story's provider fails.
        dashboard = json.loads((ROOT / "dashboards/failover-sim.json").read_text())
        begin, end = (datetime.fromisoformat(dashboard["time"][at]).timestamp() for at in ["from", "to"])
        faults = prometheus.between("failover_sim_truth_faults_active", begin, end, 5)
        assert {labels["scenario"] for labels, _ in faults} == names
        for labels, values in faults:
            if labels["provider"] == "claude_east":
                assert {0, 1} <= set(values.values()), labels
    finally:
        server.terminate()
        server.wait(timeout=30)


def test_the_table_has_what_is_exported(runs):
    told = {}
    for line in README.splitlines():
        if row := re.match(r"\| `(failover_sim_\w+)` \| (\w+) \| (.*?) \|", line):
            told[row.group(1)] = (row.group(2), set(re.findall(r"`(\w+)`", row.group(3))))
    exported = {}
    for one in runs.values():
        kinds = {}
        for line in one.metrics_file.read_text().splitlines():
            if line.startswith("# TYPE"):
                _, _, family, kind = line.split()
                name = family + {"counter": "_total", "info": "_info"}.get(kind, "")
                kinds[name] = kind
            elif not line.startswith("#") and line.endswith(f" {one.end}"):
                name, labels = re.match(r"(\w+){(.*)}", line).groups()
                name = re.sub(r"_(bucket|count|sum)$", "", name)
                of = exported.setdefault(name, (kinds[name], set()))[1]
                of |= set(re.findall(r"(\w+)=\"", labels)) - {"scenario", "le"}
    assert told == exported
