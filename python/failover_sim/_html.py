"""What notebooks show: plain tables in the page's own colours, so that they look the same in light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple

from failover_sim import _native as native

Value = str | int | float | bool | None

MOST_ROWS = 5
MOST_COLUMNS = 9

STYLE = """<style>
.failover-sim { font-variant-numeric: tabular-nums; overflow-x: auto }
.failover-sim table { border-collapse: collapse; margin: .4em 0; color: inherit; font-size: inherit }
.failover-sim th, .failover-sim td { padding: .25em .6em; border: 0; background: none; color: inherit;
  text-align: right; white-space: nowrap; vertical-align: baseline }
.failover-sim th { font-weight: 600; vertical-align: bottom }
.failover-sim thead th { border-bottom: 1px solid rgba(128, 128, 128, .6) }
.failover-sim tbody tr { background: none }
.failover-sim tbody tr + tr > * { border-top: 1px solid rgba(128, 128, 128, .2) }
.failover-sim .text { text-align: left }
.failover-sim .long { white-space: normal; min-width: 16em; overflow-wrap: anywhere }
.failover-sim small { opacity: .75; font-weight: 400; font-size: .88em }
.failover-sim p { margin: .3em 0 }
.failover-sim summary { cursor: pointer }
</style>"""

LONG_TEXT = 48


class Heading(NamedTuple):
    """The head of a column, and what stands small below it."""

    title: str
    unit: str = ""
    is_text: bool = False


def page(parts: Iterable[str]) -> str:
    """A piece of a page."""
    return f'{STYLE}\n<div class="failover-sim">\n' + "\n".join(parts) + "\n</div>"


def paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def note(text: str) -> str:
    return f"<p><small>{escape(text)}</small></p>"


def folded(summary: str, inner: str) -> str:
    """Something to unfold."""
    return f"<details><summary><small>{escape(summary)}</small></summary>{inner}</details>"


def grid(headings: Sequence[Heading], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts."""

    def head(heading: Heading) -> str:
        kind = " class=text" if heading.is_text else ""
        unit = f"<br><small>{escape(heading.unit)}</small>" if heading.unit else ""
        return f"<th{kind}>{escape(heading.title)}{unit}</th>"

    def cell(heading: Heading, text: str) -> str:
        kind = "" if not heading.is_text else ' class="text long"' if len(text) > LONG_TEXT else " class=text"
        return f"<td{kind}>{escape(text)}</td>"

    def line(row: Sequence[str]) -> str:
        return f"<tr>{''.join(map(cell, headings, row))}</tr>"

    heads = "".join(map(head, headings))
    return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n" + "\n".join(map(line, rows)) + "\n</tbody>\n</table>"


def number(value: Value) -> str:
    """A value to the whole number, or to three digits where it is small; a dash if there is none."""
    if value is None:
        return "–"
    if isinstance(value, str | bool):
        return str(value)
    if isinstance(value, int) or value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}".replace("-", "−")
    return f"{value:.3g}".replace("-", "−")


def shortened(text: str) -> str:
    """A text of at most so many characters as a cell has on one line."""
    return text if len(text) <= LONG_TEXT else f"{text[: LONG_TEXT - 1].rstrip()}…"


def span(low: Value, high: Value, show: Callable[[Value], str] = number) -> str:
    """From one value to another, or the one if they are the same."""
    return show(low) if low == high else f"{show(low)} to {show(high)}"


def share(value: Value) -> str:
    """A ratio in percent. What is not 1 never reads as 100%."""
    if not isinstance(value, float):
        return number(value)
    percent = value * 100
    digits = next((digits for digits in (2, 3, 4) if value == 1 or f"{percent:.{digits}f}" != f"{100:.{digits}f}"), 5)
    return f"{percent:.{digits}f}%"


def seconds(value: Value) -> str:
    """Milliseconds in seconds."""
    return f"{value / 1000:,.1f}" if isinstance(value, float) else number(value)


def table(name: str, columns: Sequence[tuple[str, str]], count: int, head: Mapping[str, Sequence[Value]]) -> str:
    """The beginning of a table: its columns' names and units, how many rows it has, and the first of some columns."""
    shown = [(column, unit) for column, unit in columns if column in head]
    headings = [Heading(column, "" if unit in ("text", "number") else unit, unit == "text") for column, unit in shown]
    rows = zip(*([number(value) for value in head[column]] for column, _ in shown), strict=True)
    more = [f"{len(columns) - len(shown):,} more columns"] if len(columns) > len(shown) else []
    more += [f"{count - MOST_ROWS:,} more rows"] if count > MOST_ROWS else []
    parts = [paragraph(f"{name}: {counted(count, 'row')}, {counted(len(columns), 'column')}"), grid(headings, rows)]
    return page([*parts, note("and " + ", ".join(more))] if more else parts)


def counted(count: int, what: str) -> str:
    """So many of something: `1 run`, `1,000 runs`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def scenarios(points: native.Table, differences: native.Table | None) -> str:
    """A row for each scenario: how many of its requests fail, and how it came about."""

    def column(name: str) -> list[Value]:
        return points.column(name, None)

    def has(name: str) -> bool:
        return any(value is not None for value in column(name))

    columns: list[tuple[Heading, list[str]]] = [
        (Heading("scenario", is_text=True), [str(name) for name in column("scenario")]),
        (Heading("failed", "median run"), [number(value) for value in column("failed_count_p50")]),
        (
            Heading("failed", "95% of runs"),
            list(map(span, column("failed_count_pi95_low"), column("failed_count_pi95_high"))),
        ),
    ]
    if differences is not None:
        columns.append((Heading("failed − baseline's", "mean, 95% CI"), ["baseline", *_failed_differences(differences)]))
    columns.append((Heading("availability", "median run"), [share(value) for value in column("availability_ratio_p50")]))
    if has("time_to_detect_ms_p50"):
        texts = [seconds(value) for value in column("time_to_detect_ms_p50")]
        columns.append((Heading("detected after", "s, median run"), texts))
    if has("request_latency_ms_p99_p50"):
        texts = [seconds(value) for value in column("request_latency_ms_p99_p50")]
        columns.append((Heading("p99 latency", "s, median run"), texts))
    if has("cost_usd_mean"):
        columns.append((Heading("cost", "USD, mean"), [number(value) for value in column("cost_usd_mean")]))
    if has("verdict"):
        columns.append((Heading("verdict", "most runs", is_text=True), [number(value) for value in column("verdict")]))
    headings = [heading for heading, _ in columns]
    return grid(headings, zip(*(texts for _, texts in columns), strict=True))


def _failed_differences(differences: native.Table) -> list[str]:
    """What scenarios but the first have in failed requests, less the first's."""

    def signed(value: Value) -> str:
        text = number(value)
        return text if value is None or text.startswith("−") or value == 0 else f"+{text}"

    names = ("metric", "mean", "corrected_ci95_low", "corrected_ci95_high", "differs")
    rows = zip(*(differences.column(name, None) for name in names), strict=True)
    return [
        f"{signed(mean)} ({signed(low)} to {signed(high)})" if low is not None else signed(mean)
        for metric, mean, low, high, _ in rows
        if metric == "failed_count"
    ]
