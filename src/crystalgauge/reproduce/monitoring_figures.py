"""Figures of the monitored batches, on one page that needs no network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.io.atomic import replacing
from crystalgauge.reproduce.monitoring import (
    FEWEST,
    fit_line,
    of_variants,
    of_wild_type,
    quartiles,
    total_area,
)
from crystalgauge.scenes.growth import HOURS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from crystalgauge.reproduce.monitored import Observation

COLOURS = ("#1f5fa8", "#c2571a", "#3f8f4f", "#7a4fa3")
TITLES = {"width_um": "width, µm", "length_um": "length, µm", "aspect_ratio": "aspect ratio"}
LOOKS = (
    ("diluted", "found, diluted", COLOURS[0], False),
    ("undiluted", "found, undiluted", COLOURS[1], False),
    ("diluted", "shown, diluted", "#888888", True),
)
"""Drop, name, colour, and whether it is the truth, of the lines of Fig. 5."""


def write_figures(path: Path, observations: Sequence[Observation]) -> None:
    """Write Figs 5, 6 and 8.

    Parameters
    ----------
    path
        HTML file.
    observations
        Of all samples.
    """
    from plotly.offline import get_plotlyjs

    replicates = sorted({o.sample.replicate for o in observations if o.sample.hour < HOURS[-1]})
    figures = (
        (_over_time(observations, replicates), "Width and length over time (Fig. 5)", 620),
        (_areas(observations, replicates), "Dissolved protein and crystal area (Fig. 6)", 420),
        (_variants(observations), "Variants after 24 h (Fig. 8)", 420),
    )
    body = []
    for figure, title, height in figures:
        figure.update_layout(title=title, height=height, template="plotly_white", margin={"t": 90})
        body.append(figure.to_html(full_html=False, include_plotlyjs=False))
    # a closing tag inside a string literal of the library would end the script element
    script = str(get_plotlyjs()).replace("</script", "<\\/script")
    with replacing(path, "w") as file:
        file.write(
            "<!doctype html><html lang=en><meta charset=utf-8><title>Monitored batches</title>"
            f"<script>{script}</script><body style='font-family:sans-serif'>{''.join(body)}"
        )


def _over_time(observations: Sequence[Observation], replicates: Sequence[int]) -> Any:
    from plotly.subplots import make_subplots

    figure = make_subplots(
        rows=2,
        cols=len(replicates),
        shared_xaxes=True,
        subplot_titles=[f"replicate {number + 1}" for number in replicates],
    )
    for col, replicate in enumerate(replicates, 1):
        for row, column in enumerate(("width_um", "length_um"), 1):
            for shift, look in enumerate(LOOKS):
                line = _quartile_line(observations, replicate, column, look, 0.06 * (shift - 1))
                line["showlegend"] = row == col == 1
                figure.add_trace(line, row=row, col=col)
            figure.update_yaxes(title=TITLES[column] if col == 1 else None, row=row, col=col)
        figure.update_xaxes(title="h", row=2, col=col)
    return figure


def _quartile_line(
    observations: Sequence[Observation],
    replicate: int,
    column: str,
    look: tuple[str, str, str, bool],
    shift: float,
) -> dict[str, Any]:
    drop, name, colour, shown = look
    samples = of_wild_type(observations, replicate, drop)
    low, middle, high = np.array([quartiles(o.sizes(column, shown=shown)) for o in samples]).T
    return {
        "type": "scatter", "mode": "lines+markers", "name": name, "legendgroup": name,
        "x": [o.sample.hour + shift for o in samples], "y": middle,
        "line": {"color": colour, "dash": "dot" if shown else "solid"},
        "error_y": {"type": "data", "symmetric": False, "array": high - middle,
                    "arrayminus": middle - low, "thickness": 1},
    }  # fmt: skip


def _areas(observations: Sequence[Observation], replicates: Sequence[int]) -> Any:
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=2, subplot_titles=["found", "shown"], shared_yaxes=True)
    for replicate in replicates:
        samples = of_wild_type(observations, replicate, "diluted")
        amount = np.array([o.sample.dissolved_g_per_l for o in samples])
        colour = COLOURS[replicate % len(COLOURS)]
        for col, shown in enumerate((False, True), 1):
            area = np.array([total_area(o, shown=shown) for o in samples])
            name = f"replicate {replicate + 1}"
            points = {"type": "scatter", "x": area, "y": amount, "mode": "markers", "name": name,
                      "marker": {"color": colour}, "showlegend": not shown}  # fmt: skip
            fitted = fit_line(area, amount)
            ends = np.array([area.min(), area.max()])
            line = {"type": "scatter", "x": ends, "y": fitted.intercept + fitted.slope * ends,
                    "mode": "lines", "line": {"color": colour, "width": 1},
                    "showlegend": False}  # fmt: skip
            for trace in (points, line):
                figure.add_trace(trace, row=1, col=col)
    figure.update_xaxes(title="crystal area in a picture, mm²")
    figure.update_yaxes(title="dissolved, g/l", row=1, col=1)
    return figure


def _variants(observations: Sequence[Observation]) -> Any:
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=len(TITLES), shared_yaxes=True)
    for number, one in enumerate(of_variants(observations)):
        for col, column in enumerate(TITLES, 1):
            for shown in (False, True):
                sizes = one.sizes(column, shown=shown)
                if len(sizes) < FEWEST:
                    continue
                name = f"{one.sample.variant}, {'shown' if shown else 'found'}"
                dash = "dot" if shown else "solid"
                steps = {
                    "type": "scatter", "x": sizes.sizes, "y": sizes.cumulative(sizes.sizes),
                    "mode": "lines", "name": name, "showlegend": col == 1,
                    "line": {"color": COLOURS[number % 4], "shape": "hv", "dash": dash},
                }  # fmt: skip
                figure.add_trace(steps, row=1, col=col)
    for col, title in enumerate(TITLES.values(), 1):
        figure.update_xaxes(title=title, row=1, col=col)
    figure.update_yaxes(title="share of crystals up to", row=1, col=1)
    return figure
