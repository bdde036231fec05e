"""Prints the tables of README.md from the results of the two sweeps that it names.

python3 table.py results/03_gateway_shootout results/03_with_timeout
"""

import csv
import sys
from pathlib import Path

# Gateways that differ only where this experiment does not look.
SAME = {
    "models/gateways/litellm-1.80.toml": "models/gateways/litellm-1.74.toml",
    "models/gateways/portkey.toml": "models/gateways/direct.toml",
    "models/gateways/cloudflare-ai-gateway.toml": "gateways/portkey-fallback.toml",
    "models/gateways/tensorzero.toml": "gateways/portkey-fallback.toml",
    "models/gateways/caddy.toml": "models/gateways/traefik.toml",
}
OUTAGES = ["refused", "error_502", "brownout", "hang"]


def read(folder):
    """The points of a sweep by gateway and outage."""
    with open(Path(folder) / "points.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    outage = lambda row: Path(row["fault.outage.from"]).stem or "calm"
    return {(row["gateway.from"] or row["scenario"], outage(row)): row for row in rows}


def failed(row):
    mean, low, high = (float(row[f"failed_count_{what}"]) for what in ("mean", "pi95_low", "pi95_high"))
    return f"{mean:,.0f} ({low:,.0f} to {high:,.0f})"


def p99(row):
    value = row["request_latency_ms_p99_mean"]
    return f"{float(value) / 1000:.1f} s" if value else "-"


def attempts(row):
    return f"{float(row['attempt_count_mean']) / float(row['request_count_mean']):.2f}"


def label(gateway):
    names = [gateway] + [twin for twin, first in SAME.items() if first == gateway]
    stems = [f"`{Path(name).stem}`" + (" *" if name.startswith("gateways/") else "") for name in names]
    return ", ".join(stems).replace("`outage_model_groups`", "`litellm-1.109`, model groups *")


def line(cells):
    print("| " + " | ".join(cells) + " |")


plain, timed = (read(folder) for folder in sys.argv[1:3])
for twin, first in SAME.items():
    for table, outages in ((plain, OUTAGES), (timed, ["hang"])):
        for outage in outages:
            a, b = table[twin, outage], table[first, outage]
            assert failed(a) == failed(b), f"{twin} is not {first} in {outage}"
gateways = [gateway for gateway, outage in plain if outage == "refused" and gateway not in SAME]
total = lambda gateway: sum(float(plain[gateway, outage]["failed_count_mean"]) for outage in OUTAGES[:3])
gateways.sort(key=lambda gateway: (total(gateway), float(timed[gateway, "hang"]["failed_count_mean"])))

line(["gateway", "refused", "502", "half 503", "hang", "hang, 20 s timeout"])
line(["---"] * 6)
for gateway in gateways:
    cells = [failed(plain[gateway, outage]) for outage in OUTAGES]
    line([label(gateway), *cells, failed(timed[gateway, "hang"])])
print()
line(["gateway", "p99: 502", "half 503", "hang, 20 s timeout", "attempts: 502", "half 503", "false ejections a day", "failed, calm"])
line(["---"] * 8)
for gateway in gateways:
    calm = plain.get((gateway, "calm"))
    cells = [p99(plain[gateway, "error_502"]), p99(plain[gateway, "brownout"]), p99(timed[gateway, "hang"])]
    cells += [attempts(plain[gateway, "error_502"]), attempts(plain[gateway, "brownout"])]
    cells += [f"{float(calm['false_ejection_per_day_mean']):.1f}", f"{float(calm['failed_count_mean']):.1f}"] if calm else ["-", "-"]
    line([label(gateway), *cells])
