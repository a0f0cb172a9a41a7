"""Tables I and II and Fig. 2 of the agglomeration paper as a page of Markdown."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from crystalgauge._version import __version__
from crystalgauge.io.atomic import replacing
from crystalgauge.reproduce.agglomeration_rows import (
    OTHER,
    OWN,
    PATH_TRACED,
    PUBLISHED_EPOCHS,
    RECIPES,
    RENDERED,
)
from crystalgauge.reproduce.table import NOTHING, markdown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from crystalgauge.reproduce.agglomeration_focus import Bar
    from crystalgauge.reproduce.agglomeration_rows import Budget, Row

FIGURES = {"acc": "ACC", "f1": "F1", "iou": "IoU", "precision": "AP", "recall": "recall"}
"""Of Table I, by what the paper calls them."""

PUBLISHED_NAMES = {"precision": "ap"}
"""Figures whose published column has another name."""

WINDOWS_AS_PUBLISHED = 55 * PUBLISHED_EPOCHS
"""Pictures times epochs, at most."""

BAR_WIDTH, BAR_HEIGHT, NAME_WIDTH = 300, 12, 240
COLOURS = {"single": "#1f5fa8", "agglomerated": "#c2571a"}


def write_page(
    path: Path,
    rows: Sequence[Row],
    results: Mapping[str, Mapping[str, Any]],
    bars: Sequence[Bar],
    budget: Budget,
    command: str,
) -> None:
    """Write the page, and Fig. 2 beside it.

    Parameters
    ----------
    path
        Markdown file.
    rows, results
        Lines, and what is known of each by name.
    bars
        Of Fig. 2, none to leave it out.
    budget
        What was spent.
    command
        That made it.
    """
    parts = [_head(budget, command), _table_1(rows, results), _table_2(rows, results)]
    if bars:
        figure = path.with_suffix(".svg")
        with replacing(figure, "w") as file:
            file.write(fig_2(bars))
        parts.append(_figure_words(bars, figure.name))
    parts += [
        _path_traced(rows, results),
        _spent(rows, results, budget),
        _notes(rows, results, budget),
    ]
    with replacing(path, "w") as file:
        file.write("\n\n".join(part for part in parts if part) + "\n")


def _head(budget: Budget, command: str) -> str:
    warning = (
        "**A test of the machinery: half the channels, two steps. Its figures say nothing of any "
        "method.**\n\n"
        if budget.name == "smoke"
        else ""
    )
    return (
        "# The agglomeration paper's method beside our graph\n\n"
        f"{warning}    {command}\n\n"
        "Ji et al., *Instance Camera Focus Prediction for Crystal Agglomeration Classification*: "
        "YOLO12 with masks, once with the classes single and agglomerated (Yolo-segmentation), "
        "once with in focus and out of focus (Yolo-focus), and the contrast of a crystal's focus "
        f"with its neighbours'. Made with CrystalGauge {__version__}; our own graph has a page of "
        "its own, [agglomeration.md](agglomeration.md). The paper's figures come from its own "
        "pictures, ours from rendered ones: compare differences between rows first."
    )


def _table_1(rows: Sequence[Row], results: Mapping[str, Mapping[str, Any]]) -> str:
    titles = ["row"]
    for name in FIGURES.values():
        titles += [f"{name}, %", "paper"]
    titles += ['ACC of "all agglomerated"', "AP50, any class", "found, any class"]
    lines, figures = [], None
    for row in rows:
        measured = results[row.name].get(OWN)
        figures = measured or figures
        cells = [row.title]
        for name in FIGURES:
            printed = row.published and getattr(row.published, PUBLISHED_NAMES.get(name, name))
            cells += [_percent(measured and measured[name]),
                      NOTHING if printed is None else f"{printed:.1f}"]  # fmt: skip
        for name in ("acc_all", "ap50", "found"):
            cells.append(_percent(measured and measured[name]))
        lines.append(cells)
    counts = f"{figures['n_truth']} crystals. " if figures else ""
    return (
        f"## Table I: {OWN}\n\n{markdown(titles, lines)}\n\n{counts}"
        "ACC is the share of right classes among outlines that match a crystal at an intersection "
        "over union of 0.5. F1, AP and recall count a find as right when its class is right too, "
        "IoU counts pixels of the same class; all pictures and both classes together. What the "
        "paper calls AP is its precision (with its recall it gives its F1). ACC knows nothing of "
        "crystals that were not found: read it beside the last column. A method that calls every "
        "outline agglomerated has the ACC in the third column from the right."
    )


def _table_2(rows: Sequence[Row], results: Mapping[str, Mapping[str, Any]]) -> str:
    titles = ["row", "ACC, %", "paper", "ACC of \"all agglomerated\"", "F1, %",
              "found, any class", "matched"]  # fmt: skip
    lines, figures = [], None
    for row in rows:
        measured = results[row.name].get(OTHER)
        figures = measured or figures
        printed = row.published.acc_other if row.published else None
        lines.append([
            row.title, _percent(measured and measured["acc"]),
            NOTHING if printed is None else f"{printed:.1f}",
            _percent(measured and measured["acc_all"]),
            _percent(measured and measured["f1"]), _percent(measured and measured["found"]),
            str(measured["n_matched"]) if measured else NOTHING,
        ])  # fmt: skip
    counts = f"\n\n{figures['n_truth']} crystals, a substance nobody trained on." if figures else ""
    return f"## Table II: {OTHER}\n\n{markdown(titles, lines)}{counts}"


def _path_traced(rows: Sequence[Row], results: Mapping[str, Mapping[str, Any]]) -> str:
    if not any(PATH_TRACED[OWN] in results[row.name] for row in rows):
        return ""
    titles, lines = ["row"], []
    for substance in (OWN, OTHER):
        titles += [f"{substance}: ACC, %", "rendered by us", 'ACC of "all agglomerated"',
                   "found, any class", "rendered by us"]  # fmt: skip
    for row in rows:
        cells = [row.title]
        for substance in (OWN, OTHER):
            traced, ours = (results[row.name].get(by[substance]) for by in (PATH_TRACED, RENDERED))
            cells += [_percent(traced and traced["acc"]), _percent(ours and ours["acc"]),
                      _percent(traced and traced["acc_all"]), _percent(traced and traced["found"]),
                      _percent(ours and ours["found"])]  # fmt: skip
        lines.append(cells)
    counted = next(results[row.name] for row in rows if PATH_TRACED[OWN] in results[row.name])
    asked = " and ".join(
        f"{counted[PATH_TRACED[substance]]['n_truth']} crystals of {substance}"
        for substance in (OWN, OTHER)
    )
    return (
        f"## Path-traced pictures\n\n{markdown(titles, lines)}\n\n{asked}. The set "
        "`agglomerates-path`: scenes and shapes of their own seeds, by the path tracer Mitsuba, "
        "and beside them the same scenes by our renderer. Pictures of ammonium perchlorate have "
        "half the paper's edge, their crystals half its size. Intergrown crystals are one body of "
        "glass, bubbles balls of gas, every depth is seen through the whole aperture; absorption, "
        "glare, rough faces, inclusions, growth steps and lines along edges are left out of both."
    )


def _percent(value: float | None) -> str:
    return NOTHING if value is None else f"{100 * value:.1f}"


def _figure_words(bars: Sequence[Bar], name: str) -> str:
    lines = [
        [bar.name, _share(bar.single), _share(bar.agglomerated), _share(bar.separation),
         f"{bar.n_single} and {bar.n_agglomerated}"]
        for bar in bars
    ]  # fmt: skip
    titles = ["measure", "single", "agglomerated", "separation", "crystals with neighbours"]
    return (
        f"## Fig. 2: contrast of focus\n\n![Contrast of each class by measure]({name})\n\n"
        f"{markdown(titles, lines)}\n\n"
        "Mean contrast of the crystals of each class that have neighbours, over the largest "
        "contrast of the measure; Contrast 1 unless the name says 2. Separation: the probability "
        "that of two crystals, one of each class, the single one has the larger contrast; 0.5 is "
        "chance. Classical measures and the true blur see the true outlines; networks are asked "
        "on the outlines they found."
    )


def _share(value: float) -> str:
    return NOTHING if math.isnan(value) else f"{value:.2f}"


def _spent(rows: Sequence[Row], results: Mapping[str, Mapping[str, Any]], budget: Budget) -> str:
    spent = _trainings(rows, results)
    if not spent:
        return ""
    titles = ["network", "windows seen", "of the paper's", "minutes", "device"]
    lines = [
        [RECIPES[name], f"{used['crops']:,}", f"{100 * used['crops'] / WINDOWS_AS_PUBLISHED:.2g} %",
         f"{used['minutes']:.1f}", str(used["device"])]
        for name, used in spent.items()
    ]  # fmt: skip
    return (
        f"## What was spent\n\n{markdown(titles, lines)}\n\n"
        f"Both learn from the same 11 pictures and 44 copies with blurred crystals, reduced to a "
        f"longer edge of {budget.longer_edge} px, in windows of {budget.window} px."
    )


def _trainings(
    rows: Sequence[Row], results: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        found |= results[row.name].get("spent", {})
    return found


def _notes(rows: Sequence[Row], results: Mapping[str, Mapping[str, Any]], budget: Budget) -> str:
    notes = []
    for name, used in _trainings(rows, results).items():
        if used["crops"] < WINDOWS_AS_PUBLISHED:
            lines = [row.title for row in rows if name in results[row.name].get("spent", {})]
            notes.append(
                f"* {RECIPES[name]} is not trained fully: {used['crops']:,} windows of at most "
                f"{WINDOWS_AS_PUBLISHED:,} in the paper. It decides in: {'; '.join(lines)}."
            )
    if budget.longer_edge < 1224:
        notes.append(
            f"* Networks of the paper saw pictures of {budget.longer_edge} px instead of 1224 px, "
            "in training and in the test; our graph saw them whole."
        )
    if any(row.masks in ("agglomerated", "focus") for row in rows):
        notes.append(
            "* Yolo-segmentation starts at random here, from COCO weights in the paper: those are "
            "not free to use."
        )
    for row in rows:
        if "skipped" in results[row.name]:
            notes.append(f"* {row.title}: left out, {results[row.name]['skipped']}.")
    return "## What to know\n\n" + "\n".join(notes) if notes else ""


def fig_2(bars: Sequence[Bar]) -> str:
    """Return Fig. 2 as SVG: two bars for each measure.

    Parameters
    ----------
    bars
        From top to bottom.
    """
    step = 3 * BAR_HEIGHT
    height, width = step * len(bars) + 40, NAME_WIDTH + BAR_WIDTH + 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for row, bar in enumerate(bars):
        top = 8 + row * step
        parts.append(
            f'<text x="{NAME_WIDTH - 8}" y="{top + BAR_HEIGHT + 4}" text-anchor="end">'
            f"{bar.name}</text>"
        )
        for line, kind in enumerate(COLOURS):
            value = getattr(bar, kind)
            shown = 0.0 if math.isnan(value) else value
            y = top + line * BAR_HEIGHT
            parts.append(
                f'<rect x="{NAME_WIDTH}" y="{y}" width="{shown * BAR_WIDTH:.1f}" '
                f'height="{BAR_HEIGHT - 1}" fill="{COLOURS[kind]}"/>'
                f'<text x="{NAME_WIDTH + shown * BAR_WIDTH + 4:.1f}" y="{y + BAR_HEIGHT - 2}" '
                f'font-size="10">{_share(value)}</text>'
            )
    for column, (kind, colour) in enumerate(COLOURS.items()):
        x = NAME_WIDTH + 110 * column
        parts.append(
            f'<rect x="{x}" y="{height - 22}" width="10" height="10" fill="{colour}"/>'
            f'<text x="{x + 14}" y="{height - 13}">{kind}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
