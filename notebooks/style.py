"""One look for the figures of all notebooks; `import style` sets it.

A colour means the same everywhere. The colours are Okabe and Ito's, which are told apart whatever one's colour vision, and
differ in lightness, so that they print. Figures are about 660 px wide and shown at twice that resolution. One that lacks a
title, of itself or of an axis, is an error.
"""

import os
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import altair as alt
import polars as pl
from altair.utils.mimebundle import spec_to_mimebundle

FAILED = "#D55E00"  # vermilion: requests that are lost
SUCCEEDED = "#009E73"  # green: requests that are answered
BASELINE = "#5E5E5E"  # grey: what one has
CANDIDATE = "#0072B2"  # blue: what one could have instead
ALTERNATIVE = "#CC79A7"  # reddish purple: another thing one could have
COST = "#E69F00"  # orange: money
LOAD = "#56B4E9"  # sky blue: what is done rather than what comes of it: attempts, probes
FAULT = "#E3E3E3"  # light grey, behind the data: while a fault lasts
INK = "#222222"  # lines and words on the data

ROOT = Path(__file__).resolve().parent.parent  # of the repository
WIDTH = 520  # px, of a figure's data; the labels left of it come on top


def results(name: str) -> Path:
    """The folder that the command has written, below `results` or the folder that FAILOVER_SIM_RESULTS names."""
    return Path(os.environ.get("FAILOVER_SIM_RESULTS", ROOT / "results")) / name


def finding(sentence: str, note: str = "") -> alt.Title:
    """A figure's title: what it shows, in one sentence, and in smaller letters how to read it."""
    sentence = re.sub(r"(\d) (m?s)\b", "\\1\N{NO-BREAK SPACE}\\2", sentence)
    lines = textwrap.wrap(sentence, 78)
    narrowest = next(width for width in range(20, 79) if len(textwrap.wrap(sentence, width)) <= len(lines))
    return alt.Title(textwrap.wrap(sentence, narrowest), subtitle=textwrap.wrap(note, 98))


def ranges(points: pl.DataFrame, metric: str, title: str, *more: alt.SchemaBase, **x: object) -> alt.LayerChart:
    """For each row of a table of points a bar, the range in which 95% of its runs fall, and a dot, their mean.

    `more` are the other encodings, `x` what else the axis of the metric needs.
    """
    bar = alt.Chart(points).mark_bar(height=9, cornerRadius=4, opacity=0.45)
    dot = alt.Chart(points).mark_point(filled=True, size=70, opacity=1)
    low = alt.X(f"{metric}_pi95_low:Q", title=title, **x)
    return alt.layer(
        bar.encode(low, alt.X2(f"{metric}_pi95_high"), *more),
        dot.encode(alt.X(f"{metric}_mean:Q", title=title, **x), *more),
    )


@alt.theme.register("failover_sim", enable=True)
def _theme() -> alt.theme.ThemeConfig:
    quiet = {"labelFontSize": 12, "titleFontSize": 13, "titleFontWeight": "normal"}
    axis = {**quiet, "gridColor": "#EBEBEB", "domainColor": "#888888", "tickColor": "#888888", "labelLimit": 260, "labelSeparation": 6}
    title = {"fontSize": 16, "subtitleFontSize": 12.5, "subtitleColor": "#555555", "subtitlePadding": 6}
    return {
        "config": {
            "background": "white",
            "font": "Liberation Sans, Arial, sans-serif",  # the first comes with the program that draws
            "title": {**title, "anchor": "start", "frame": "bounds", "offset": 14, "color": INK},
            "axis": axis,
            "header": {"labelFontSize": 13, "labelFontWeight": "bold", "labelAnchor": "start", "title": None},
            "legend": {**quiet, "symbolOpacity": 1, "orient": "top", "titleOrient": "left", "labelLimit": 260},
            "view": {"stroke": None},
        }
    }


def _views(spec: dict) -> Iterator[dict]:
    """The parts of a figure that have axes of their own; layers share theirs."""
    parts = [*spec.get("hconcat", []), *spec.get("vconcat", []), *spec.get("concat", [])]
    if isinstance(spec.get("spec"), dict):
        parts.append(spec["spec"])
    if not parts:
        yield spec
    for part in parts:
        yield from _views(part)


def _titled(encoding: dict) -> bool:
    return bool(encoding.get("title") or (encoding.get("axis") or {}).get("title"))


def _encodings(view: dict) -> Iterator[dict]:
    yield view.get("encoding", {})
    for layer in view.get("layer", []):
        yield from _encodings(layer)


def _picture(spec: dict) -> tuple[dict, dict]:
    if not spec.get("title", {}).get("text"):
        raise ValueError("a figure without a finding as its title")
    for view in _views(spec):
        for axis in ["x", "y"]:
            if not any(_titled(encoding.get(axis, {})) for encoding in _encodings(view)):
                raise ValueError(f"a figure without a title for its {axis} axis")
    data, size = spec_to_mimebundle(spec, format="png", mode="vega-lite", ppi=144)
    words = " ".join(spec["title"]["text"]).replace("\N{NO-BREAK SPACE}", " ")
    size["image/png"]["alt"] = words
    return {**data, "text/plain": words}, size


alt.renderers.register("titled_png", _picture)
alt.renderers.enable("titled_png")
pl.Config(tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, thousands_separator=",", float_precision=0)
