"""What a sweep costs: the numbers of docs/how-to/plan-past-one-machine.md, measured again on this machine.

    cargo build --release --no-default-features
    python3 benches/past_one_machine.py target/release/failover-sim

It counts CPU time, user and system, of all threads, so other work on the machine hardly shows. It takes about two
minutes of one core. `--at-once 1000000` also plays so many points in one process: a million take seven minutes, and 3 GB in
a temporary folder.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# The incident of experiments/02_health_check_interval: 56,000 requests in six minutes.
SCENARIO = """
duration = "6m"
traffic.arrivals = { poisson = "155.56/s" }
traffic.client_timeout = "30s"
[provider.claude_east]
labels = { vendor = "anthropic" }
latency = { lognormal = { p50 = "2.2s", p99 = "6s" } }
error_rate = 0.00015
[provider.gpt4o_west]
latency = { lognormal = { p50 = "2.4s", p99 = "7s" } }
[fault.outage]
on = { vendor = "anthropic" }
at = "1m"
lasts = "4m"
[gateway]
route = { prefer = ["claude_east", "gpt4o_west"] }
[gateway.health_check]
interval = "60s"
timeout = "1s"
latency = { lognormal = { p50 = "50ms", p99 = "400ms" } }
"""
BREAKER = """
[gateway.detector.breaker]
failures = ["any"]
ratio = { at_least = 0.5, min_calls = 100 }
window = { calls = 100 }
eject_for = "60s"
"""
EXPERIMENT = """
question = "What does a sweep cost?"
scenarios = ["incident.toml"]
runs = 1
[[sweep.axis]]
path = "gateway.health_check.interval"
range = { from = "10s", to = "120s", count = %d }
[[sweep.axis]]
path = "gateway.health_check.timeout"
range = { from = "250ms", to = "10s", count = %d }
[[sweep.axis]]
path = "gateway.health_check.eject_after"
values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
"""


class Bench:
    """Commands of one build, in a folder of their own."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder

    def experiment(self, name, scenario, intervals, timeouts):
        folder = self.folder / name
        folder.mkdir()
        (folder / "incident.toml").write_text(scenario)
        (folder / "experiment.toml").write_text(EXPERIMENT % (intervals, timeouts))
        return folder

    def play(self, *args):
        """CPU seconds and the most memory, in MiB."""
        command = [str(self.binary), *map(str, args), "--quiet"]
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.folder)
        told = child.stderr.read().decode()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            sys.exit(f"{' '.join(command)}\n{told}")
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024

    def sweep(self, experiment, *args, out="out"):
        return self.play("sweep", experiment, "--force", "--yes", "--out", self.folder / out, *args)

    def bytes_of(self, name, out="out"):
        path = self.folder / out / name
        return sum(f.stat().st_size for f in path.iterdir()) if path.is_dir() else path.stat().st_size


def row(*cells):
    print("| " + " | ".join(cells) + " |")


def millis(seconds):
    return f"{1000 * seconds:.2f} ms"


def starts(bench, million):
    print("\nThe start of a shard: a point or two of a sweep of a million\n")
    row("the design", "CPU", "memory", "plan.json", "manifest.json")
    row("---", "---:", "---:", "---:", "---:")
    text = (million / "experiment.toml").read_text()
    keep = '[sweep]\nkeep = ["gateway.health_check.timeout <= gateway.health_check.interval"]\n'
    random = re.sub(r", count = \d+", "", text)
    designs = {
        "a grid": text,
        "a grid with `keep`": text.replace("[[sweep.axis]]", keep + "[[sweep.axis]]", 1),
        "random": random.replace("[[sweep.axis]]", "[sweep]\ndesign = { random = 1000000 }\n[[sweep.axis]]", 1),
    }
    costs = []
    for name, text in designs.items():
        (million / "experiment.toml").write_text(text)
        cpu, memory = bench.sweep(million, "--shard", "1/900000")
        plan, manifest = bench.bytes_of("ledger/plan.json"), bench.bytes_of("manifest.json")
        row(name, f"{cpu:.2f} s", f"{memory:.0f} MiB", f"{plan / 1e3:.0f} kB", f"{manifest / 1e3:.0f} kB")
        costs.append(cpu)
    (million / "experiment.toml").write_text(designs["a grid"])
    return costs[0]


def paths(bench, start):
    print("\nCPU time of one core, everything included\n")
    row("engine's path", "recorded", "a run", "a point", "runs in a core hour")
    row("---", "---", "---:", "---:", "---:")
    counting = bench.experiment("counting", SCENARIO, 100, 1 + 1)
    plain = bench.experiment("plain", SCENARIO + BREAKER, 10, 1 + 1)
    costs = {}
    for name, experiment, points, runs in [("counting", counting, 2000, 21), ("plain, a breaker", plain, 200, 6)]:
        for recorded in ["counts", "all"]:
            one, _ = bench.sweep(experiment, "--metrics", recorded)
            many, _ = bench.sweep(experiment, "--metrics", recorded, "--runs", runs)
            run = (many - one) / (points * (runs - 1))
            point = max((one - start) / points - run, 0.0)
            costs[name, recorded] = run, point
            row(name, recorded, millis(run), millis(point), f"{3600 / run:,.0f}")
    return costs


def sizes(bench):
    print("\nBytes, with `--metrics counts`\n")
    experiment = bench.folder / "counting"
    points, runs = 2000, 21
    bench.sweep(experiment, "--metrics", "counts", "--runs", runs)
    row("", "a run", "a point")
    row("---", "---:", "---:")
    row("`ledger/`", f"{bench.bytes_of('ledger') / points / runs:,.0f}", "")
    row("`runs.csv`", f"{bench.bytes_of('runs.csv') / points / runs:,.0f}", "")
    row("`points.csv`", "", f"{bench.bytes_of('points.csv') / points:,.0f}")
    if (bench.folder / "out/runs.parquet").exists():
        row("`runs.parquet`", f"{bench.bytes_of('runs.parquet') / points / runs:,.0f}", "")
        row("`points.parquet`", "", f"{bench.bytes_of('points.parquet') / points:,.0f}")


def merges(bench):
    print("\nThe merge, 2,000 points of one run\n")
    row("shards", "playing, in all", "merge", "memory of the merge")
    row("---:", "---:", "---:", "---:")
    for count in [1, 10, 100]:
        shards = [f"shards{count}/{index}" for index in range(1, count + 1)]
        played = 0.0
        for index, out in enumerate(shards, 1):
            args = ["--shard", f"{index}/{count}", "--metrics", "counts"]
            played += bench.sweep(bench.folder / "counting", *args, out=out)[0]
        cpu, memory = bench.play("merge", *shards, "--out", f"merged{count}")
        row(str(count), f"{played:.2f} s", f"{cpu:.2f} s", f"{memory:.0f} MiB")


def all_at_once(bench, points):
    print(f"\n{points:,} points of one run, in one process\n")
    experiment = bench.experiment("at_once", SCENARIO, 1000, max(points // 10_000, 2))
    cpu, memory = bench.sweep(experiment, "--metrics", "counts")
    row("CPU", "memory", "plan.json", "ledger/", "runs.csv", "points.csv")
    row("---:", "---:", "---:", "---:", "---:", "---:")
    names = ["ledger/plan.json", "ledger", "runs.csv", "points.csv"]
    row(f"{cpu:.0f} s", f"{memory:.0f} MiB", *(f"{bench.bytes_of(name) / 1e6:,.0f} MB" for name in names))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=Path, help="a release build of failover-sim")
    parser.add_argument("--at-once", type=int, metavar="N", help="also play N points, a multiple of 10,000, in one process")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args.binary.resolve(), Path(folder))
        million = bench.experiment("million", SCENARIO, 1000, 100)
        start = starts(bench, million)
        paths(bench, start)
        sizes(bench)
        merges(bench)
        if args.at_once:
            all_at_once(bench, args.at_once)


if __name__ == "__main__":
    main()
