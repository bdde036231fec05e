"""Prints the tables of README.md from the results of the sweep that it names.

python3 table.py results/10_pager_race
"""

import csv
import sys
from pathlib import Path

PATHS = "slo.objective", "fault.night.fraction"


def line(cells):
    print("| " + " | ".join(cells) + " |")


def heads(cells):
    line(cells)
    line(["---"] * len(cells))


def count(row, statistic):
    return f"{float(row[f'failed_count_{statistic}']):,.0f}"


def time(row, metric, unit="s"):
    """The mean of the runs that have it, and how many these are if not all."""
    runs, all_runs = int(row[f"time_to_{metric}_ms_n"]), int(row["run_count"])
    if runs == 0:
        return "never"
    seconds = float(row[f"time_to_{metric}_ms_mean"]) / 1000
    mean = f"{seconds / 60:.1f} min" if unit == "min" else f"{seconds:,.0f} s"
    return mean if runs == all_runs else f"{mean}, in {runs} of {all_runs}"


with open(Path(sys.argv[1]) / "points.csv", newline="") as file:
    rows = list(csv.DictReader(file))
swept = {tuple(float(row[path]) for path in PATHS): row for row in rows if row["scenario"] == "person"}

heads(["scenario", "failed, mean", "in 95% of runs", "of the budget", "alert", "pager", "ejection", "switch by hand"])
for row in rows:
    if row["scenario"] == "person" and row is not swept[0.999, 1.0]:
        continue
    times = [time(row, metric) for metric in ("alert", "page", "detect")]
    between = f"{count(row, 'pi95_low')} to {count(row, 'pi95_high')}"
    budget = f"{100 * float(row['budget_spent_ratio_mean']):.1f}%"
    line([f"`{row['scenario']}`", count(row, "mean"), between, budget, *times, time(row, "switch", "min")])
print()

objectives, shares = (list(dict.fromkeys(values)) for values in zip(*swept))
heads(["share that fails", *(f"{100 * objective:g}%" for objective in objectives)])
for share in shares:
    points = [swept[objective, share] for objective in objectives]
    line([f"{share:g}", *(f"{time(row, 'alert')}; {count(row, 'mean')}" for row in points)])
