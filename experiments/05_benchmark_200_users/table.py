"""Prints the tables of README.md from the results of the sweep that it names.

python3 table.py results/05_benchmark_200_users
"""

import csv
import sys
from pathlib import Path


def read(folder):
    """The points of the sweep by scenario and case."""
    with open(Path(folder) / "points.csv", newline="") as file:
        return {(row["scenario"], row["case"]): row for row in csv.DictReader(file)}


points = read(sys.argv[1])
platforms = list(dict.fromkeys(case for _, case in points))


def mean(case, metric, scenario="benchmark"):
    return float(points[scenario, case][f"{metric}_mean"])


def line(cells):
    print("| " + " | ".join(cells) + " |")


def seconds(case, quantile, scenario="benchmark"):
    return f"{mean(case, f'request_latency_ms_{quantile}', scenario) / 1000:.2f} s"


heads = ["platform", "first token p50", "p99", "answer p50", "p95", "p99", "requests/s", "failed", "USD for 1,000"]
line(heads)
line(["---"] * len(heads))
for case in platforms:
    failed = mean(case, "failed_count") / mean(case, "request_count")
    cost = points["benchmark", case].get("cost_per_1k_usd_mean", "")
    line(
        [
            f"`{case}`",
            seconds(case, "p50", "first_token"),
            seconds(case, "p99", "first_token"),
            seconds(case, "p50"),
            seconds(case, "p95"),
            seconds(case, "p99"),
            f"{mean(case, 'throughput_per_second'):.1f}",
            f"{failed:.2%}",
            f"{float(cost):.2f}" if cost else "-",
        ]
    )
