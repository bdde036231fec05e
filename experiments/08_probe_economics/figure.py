"""Prints the tables of README.md and draws frontier.svg from the results of the sweep.

python3 experiments/08_probe_economics/figure.py results/08_probe_economics [frontier.svg]

Python 3.11, no packages.
"""

import csv
import math
import sys
import tomllib
from pathlib import Path

LASTS_S, DURATION_S = 22 * 60, 30 * 60
# LiteLLM 1.109's probe: "test from litellm", and as many as it may answer.
INPUT_TOKENS, OUTPUT_TOKENS = 7, 16
PROVIDERS = ("claude-3-5-sonnet", "gpt-4o")
REPLICAS = 4
# Tokens in and out, and how many a day: probes every 60 s by all replicas of 2 providers; the story's traffic.
PROBES, REQUESTS = 1440 * REPLICAS * 2, 155.56 * 86_400
CALLS = {
    "a probe that may answer one token": (7, 1, PROBES),
    "a probe that may answer 16": (INPUT_TOKENS, OUTPUT_TOKENS, PROBES),
    "a probe that reasons, as in litellm#13668": (7, 977, PROBES),
    "a request of the median size in Azure's trace": (1020, 129, REQUESTS),
}
# More false ejections a day than this, over all replicas and providers, and a setting is not on a frontier.
FALSE_MAX = 1.0
OWN, SHARED, FREE = "completion, own health", "completion, shared health", "models endpoint"


def read(folder):
    with open(Path(folder) / "points.csv", newline="") as file:
        return list(csv.DictReader(file))


def mean(row, metric):
    return float(row[f"{metric}_mean"])


def lost(row):
    """The share of an outage's requests that fail, mean and the range of 95% of runs."""
    asked = mean(row, "request_count") * LASTS_S / DURATION_S
    return [float(row[f"failed_count_{what}"]) / asked for what in ("mean", "pi95_low", "pi95_high")]


def seconds(row, setting):
    return float(row[f"gateway.health_check.{setting}_ms"]) / 1000


def usd(input_tokens, output_tokens):
    """What a completion costs, the mean of the providers, each of which gets as many probes."""
    total = 0.0
    for provider in PROVIDERS:
        part = Path(__file__).parents[2] / "models" / "providers" / f"{provider}.toml"
        price = tomllib.loads(part.read_text())["price"]
        total += (input_tokens * price["input"] + output_tokens * price["output"]) / 1e6
    return total / len(PROVIDERS)


def setting(row):
    names = ("gateway.from", "gateway.health_check.interval_ms", "gateway.health_check.timeout_ms")
    return tuple(row[name] for name in (*names, "gateway.health_check.eject_after"))


def points(rows, is_busy):
    """Of each kind of probe: USD a day, share lost, false ejections a day, and the row."""
    calm = {setting(row): row for row in rows if row["scenario"] == "calm"}
    kinds = {OWN: [], SHARED: [], FREE: []}
    for row in rows:
        if row["scenario"] != "outage" or (float(row["traffic.arrivals.poisson_per_s"]) > 1) != is_busy:
            continue
        own = row["gateway.health"] == "own"
        kind = (OWN if own else SHARED) if "completion" in row["gateway.from"] else FREE
        if kind == FREE and not own:
            continue
        day = calm[setting(row)]
        # On the calm day one replica probes for all; with health of their own each of them does.
        cost = mean(day, "cost_probe_usd_per_day") * (REPLICAS if kind == OWN else 1)
        false = mean(day, "false_ejection_per_day")
        kinds[kind].append((cost, lost(row)[0], false, row))
    return kinds


def frontier(kind):
    """What no other setting beats in both, in order of cost."""
    best = []
    for point in sorted((p for p in kind if p[2] <= FALSE_MAX), key=lambda p: (p[0], p[1])):
        if not best or point[1] < best[-1][1]:
            best.append(point)
    return best


def passive(rows, is_busy, consecutive):
    """The detector that loses least of those with as many failures in a row."""
    fits = [
        row
        for row in rows
        if row["scenario"] == "passive_outage"
        and (float(row["traffic.arrivals.poisson_per_s"]) > 1) == is_busy
        and float(row["gateway.detector.errors.consecutive"]) == consecutive
    ]
    return min(fits, key=lambda row: mean(row, "failed_count"))


def percent(share):
    return f"{100 * share:.2g}%" if share < 0.1 else f"{100 * share:.0f}%"


def line(cells):
    print("| " + " | ".join(cells) + " |")


def probe_cells(point):
    cost, _, false, row = point
    mid, low, high = lost(row)
    name = f"{seconds(row, 'interval'):g} s, {seconds(row, 'timeout'):g} s, {float(row['gateway.health_check.eject_after']):g}"
    return [name, f"{cost:,.2f}", f"{mean(row, 'failed_count'):,.0f}", f"{percent(mid)} ({percent(low)} to {percent(high)})", f"{false:.2f}"]


def tables(rows):
    busy = points(rows, True)
    line(["interval, timeout, `eject_after`", "USD a day", "failed in the outage", "of its requests", "false ejections a day"])
    line(["---"] * 5)
    for kind in (SHARED, OWN, FREE):
        best = frontier(busy[kind])
        for point in best if kind == SHARED else best[-1:]:
            cells = probe_cells(point)
            line([cells[0] + ("" if kind == SHARED else f" ({kind})"), *cells[1:]])
    print()
    line(["failures in a row", "failed, 155.56 requests/s", "of its requests", "1 request/min", "false ejections a day, 155.56 requests/s"])
    line(["---"] * 5)
    for consecutive in (1, 2, 3, 5):
        often, seldom = (passive(rows, is_busy, consecutive) for is_busy in (True, False))
        calm = next(r for r in rows if r["scenario"] == "passive_calm" and float(r["gateway.detector.errors.consecutive"]) == consecutive)
        cells = [f"{mean(often, 'failed_count'):,.0f}", percent(lost(often)[0]), percent(lost(seldom)[0])]
        line([str(consecutive), *cells, f"{mean(calm, 'false_ejection_per_day'):,.0f}"])


    print()
    line(["a call", "tokens in, out", "USD for 1,000", "a day", "USD a day"])
    line(["---"] * 5)
    for name, (read, written, calls) in CALLS.items():
        cost = usd(read, written)
        line([name, f"{read:,}, {written:,}", f"{1000 * cost:.3g}", f"{calls:,.0f}", f"{cost * calls:,.2f}"])


WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 460, 70, 190, 20, 60
X_RANGE, Y_RANGE = (0.1, 200.0), (0.0002, 1.0)
COLOURS = {OWN: "#d95f02", SHARED: "#1b6ca8", FREE: "#555555"}


def along(value, ends, low, high):
    share = math.log(value / ends[0]) / math.log(ends[1] / ends[0])
    return low + share * (high - low)


def x_of(cost):
    return along(cost, X_RANGE, LEFT, WIDTH - RIGHT)


def y_of(share):
    return along(share, Y_RANGE, HEIGHT - BOTTOM, TOP)


def text(x, y, words, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {extra}>{words}</text>'


def drawing(rows):
    busy, seldom = points(rows, True), passive(rows, False, 2)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for cost in (0.1, 1, 10, 100):
        x = x_of(cost)
        parts.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#e5e5e5"/>')
        parts.append(text(x, HEIGHT - BOTTOM + 18, f"${cost:g}", 'text-anchor="middle"'))
    for share in (0.001, 0.01, 0.1, 1.0):
        y = y_of(share)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#e5e5e5"/>')
        parts.append(text(LEFT - 8, y + 4, f"{100 * share:g}%", 'text-anchor="end"'))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(text(middle, HEIGHT - 14, "what probes cost in a day, 4 replicas, 2 providers", 'text-anchor="middle"'))
    y = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(text(16, y, "requests of the outage that fail", f'text-anchor="middle" transform="rotate(-90 16 {y})"'))
    for kind in (OWN, SHARED):
        for cost, share, false, _ in busy[kind]:
            hollow = false > FALSE_MAX
            fill = "none" if hollow else COLOURS[kind]
            parts.append(f'<circle cx="{x_of(cost):.1f}" cy="{y_of(share):.1f}" r="3" fill="{fill}" stroke="{COLOURS[kind]}" opacity="{0.35 if hollow else 0.6}"/>')
        best = frontier(busy[kind])
        path = "M" + "L".join(f"{x_of(cost):.1f} {y_of(share):.1f}" for cost, share, _, _ in best)
        parts.append(f'<path d="{path}" fill="none" stroke="{COLOURS[kind]}" stroke-width="2"/>')
        cost, share, _, _ = best[-1]
        anchor = "end" if kind == SHARED else "middle"
        parts.append(text(x_of(cost), y_of(share) + 22, kind, f'text-anchor="{anchor}" fill="{COLOURS[kind]}"'))
    levels = [
        (frontier(busy[FREE])[-1][1], "models endpoint, free"),
        (lost(passive(rows, True, 2))[0], "no probes, 155.56 requests/s"),
        (lost(seldom)[0], "no probes, 1 request/min"),
    ]
    for share, name in levels:
        y = y_of(share)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{COLOURS[FREE]}" stroke-dasharray="5 4"/>')
        parts.append(text(WIDTH - RIGHT + 6, y + 4, name, f'fill="{COLOURS[FREE]}"'))
    parts.append(text(LEFT + 8, HEIGHT - BOTTOM - 10, f"hollow: more than {FALSE_MAX:g} false ejection a day", 'fill="#777777"'))
    return "\n".join([*parts, "</svg>", ""])


table = read(sys.argv[1])
tables(table)
(Path(sys.argv[2]) if sys.argv[2:] else Path(__file__).parent / "frontier.svg").write_text(drawing(table))
