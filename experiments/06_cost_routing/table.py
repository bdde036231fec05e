"""Prints the tables of README.md from the results of the sweep that it names.

python3 table.py results/06_cost_routing
"""

import csv
import json
import sys
from pathlib import Path

NOW, AT_LAUNCH = (0.8, 4.0), (1.0, 5.0)


def price(text):
    """The price of Haiku that a row has; None where it does not apply."""
    if not text:
        return None
    prices = json.loads(text.replace("=", ":").replace("input", '"input"').replace("output", '"output"'))
    return prices["input"], prices["output"]


with open(Path(sys.argv[1]) / "points.csv", newline="") as file:
    rows = list(csv.DictReader(file))

cost = {}
for row in rows:
    markup = float(row["gateway.fee.markup"]) if row["gateway.fee.markup"] else None
    key = row["case"], row["scenario"], markup, price(row["provider.haiku.price"])
    cost[key] = float(row["cost_per_1k_usd_mean"])
cases = list(dict.fromkeys(row["case"] for row in rows))


def saving(case, markup, haiku=NOW, baseline="direct"):
    return 1 - cost[case, "routed", markup, haiku] / cost[case, baseline, None, None]


def share_for(case, target, markup):
    """The share of requests at Haiku that saves so much, as cost is linear in it."""
    ratio = cost[case, "haiku", None, NOW] / cost[case, "direct", None, None]
    return (1 - (1 - target) / (1 + markup)) / (1 - ratio)


def line(cells):
    print("| " + " | ".join(cells) + " |")


percent = lambda share: f"{100 * share:.1f}%"
line(["tokens in : out", "Haiku / GPT-4o", "no markup", "3%", "**10%**", "20%", "10%, launch price", "at Haiku for 18% net of 10%", "10%, against the resold row"])
line(["---"] * 9)
for case in cases:
    ratio = cost[case, "haiku", None, NOW] / cost[case, "direct", None, None]
    cells = [percent(saving(case, markup)) for markup in (0, 0.03, 0.1, 0.2)]
    cells[2] = f"**{cells[2]}**"
    cells += [percent(saving(case, 0.1, AT_LAUNCH)), percent(share_for(case, 0.18, 0.1)), percent(saving(case, 0.1, baseline="resold"))]
    line([case, f"{ratio:.3f}", *cells])
