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
has_costs = "cost_per_1k_usd_mean" in points["benchmark", "direct"]


def mean(case, metric, scenario="benchmark"):
    return float(points[scenario, case][f"{metric}_mean"])


def latency(case, quantile, scenario="benchmark"):
    return mean(case, f"request_latency_ms_{quantile}", scenario)


def seconds(milliseconds):
    return f"{milliseconds / 1000:.2f} s"


def line(cells):
    print("| " + " | ".join(cells) + " |")


heads = ["platform", "first token, p50", "p99", "answer, p50", "p95", "p99", "answers/s", "failed"]
heads += ["USD for 1,000"] if has_costs else []
line(heads)
line(["---"] * len(heads))
for case in platforms:
    failed = mean(case, "failed_count") / mean(case, "request_count")
    cells = [seconds(latency(case, quantile, "first_token")) for quantile in ("p50", "p99")]
    cells += [seconds(latency(case, quantile)) for quantile in ("p50", "p95", "p99")]
    cells += [f"{mean(case, 'throughput_per_second'):.1f}", f"{failed:.2%}"]
    cells += [f"{mean(case, 'cost_per_1k_usd'):.2f}"] if has_costs else []
    line([f"`{case}`", *cells])
print()

fastest = min(platforms, key=lambda case: latency(case, "p50", "first_token"))
line(["what the claims are about", "value"])
line(["---"] * 2)
line(["fastest first token, p50", f"{seconds(latency(fastest, 'p50', 'first_token'))} (`{fastest}`)"])
for case in ("direct", "openrouter", "azure", "groq"):
    spike = latency(case, "p99", "first_token") / latency(case, "p50", "first_token")
    line([f"first token of `{case}`, p99/p50", f"{spike:.1f}"])
added = latency("portkey", "p50") / latency("direct", "p50") - 1.0
line(["what 30 ms add to the median answer", f"{added:.1%}"])
