"""Prints the table of README.md from the results of the sweep that it names.

python3 table.py results/07_ordinary_quarter
"""

import csv
import sys
from pathlib import Path

with open(Path(sys.argv[1]) / "points.csv", newline="") as file:
    points = {(Path(row["gateway.from"]).stem, row["case"]): row for row in csv.DictReader(file)}
gateways, severities = (list(dict.fromkeys(names)) for names in zip(*points))


def line(cells):
    print("| " + " | ".join(cells) + " |")


def failed(row):
    mean, low, high = (float(row[f"failed_count_{what}"]) for what in ("mean", "ci95_low", "ci95_high"))
    return f"{mean / 1000:,.1f} ({max(low, 0) / 1000:,.1f} to {high / 1000:,.1f})"


def availability(row):
    return f"{100 * float(row['availability_ratio_mean']):.3f}%"


def budget(row):
    return f"{float(row['budget_spent_ratio_mean']):.2f}"


def money(row):
    cost, lost = (float(row[f"{metric}_mean"]) for metric in ("cost_usd", "cost_lost_business_usd"))
    return [f"{(cost - lost) / 1000:,.1f}", f"{lost / 1000:,.1f}"]


def probes(row):
    return f"{float(row['probe_count_mean']):,.0f}"


line(["gateway", *(f"failed: {severity}" for severity in severities), "availability", "of the budget", "paid", "lost", "probes"])
line(["---"] * (6 + len(severities)))
for gateway in gateways:
    rows = [points[gateway, severity] for severity in severities]
    between = points[gateway, "5% to 100%"]
    of_run = [availability(between), budget(between), *money(between), probes(between)]
    line([f"`{gateway}`", *map(failed, rows), *of_run])
