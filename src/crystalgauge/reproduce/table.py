"""The table as a page of Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge._version import __version__
from crystalgauge.io.atomic import replacing
from crystalgauge.reproduce.rows import PUBLISHED_PICTURES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from crystalgauge.reproduce.contest import Contest
    from crystalgauge.reproduce.result import RowResult
    from crystalgauge.reproduce.rows import Precision, Row
    from crystalgauge.reproduce.scoring import Figures

SIZES = ("ap", "ap_small", "ap_medium", "ap_large")
SETS = {
    "clean": "`pcs-val`, clean",
    "augmented": "`pcs-val`, augmented",
    "path-traced": "`pcs-path`, path traced",
}
NOTHING = "-"


def write_table(
    path: Path, rows: Sequence[Row], results: Sequence[RowResult], contest: Contest
) -> None:
    """Write the page.

    Parameters
    ----------
    path
        File.
    rows, results
        One of each per line.
    contest
        What they share.
    """
    pairs = list(zip(rows, results, strict=True))
    parts = [
        _head(rows, contest),
        *(_precisions(name, pairs) for name in SETS),
        _costs(pairs, contest),
    ]
    parts.append(_notes(pairs, contest))
    with replacing(path, "w") as file:
        file.write("\n\n".join(part for part in parts if part) + "\n")


def _head(rows: Sequence[Row], contest: Contest) -> str:
    names = ",".join(row.name for row in rows)
    minutes = "" if contest.minutes is None else f" --minutes-per-row {contest.minutes:g}"
    warning = (
        "**A test of the machinery: networks of eight channels after a few steps. Its figures say "
        "nothing of any method.**\n\n"
        if contest.budget.name == "smoke"
        else ""
    )
    return (
        "# Table 1 of synthetic protein crystals in suspension, made again\n\n"
        f"{warning}    crystalgauge reproduce pcs --budget {contest.budget.name}{minutes} "
        f"--n {contest.pictures} --threads {contest.threads} --rows {names} --out DIR\n\n"
        "S2A-Net in the five variants of Bischoff et al. (2022, doi 10.1007/s00216-022-04101-8) "
        "and the outline model, each in one run of CrystalGauge "
        f"{__version__}. Average precision in percent as COCO defines it (overlaps 0.50 to 0.95), "
        "of oriented boxes, without a cap on their number; by the area of the box below 8² px² "
        "(AP_s), up to 24² px² (AP_m) and above (AP_l). Every crystal counts, as in the paper; in "
        "`fair` those that cannot be made out count neither way. The paper's figures come from its "
        "own pictures: compare differences between rows before the figures themselves."
    )


def _precisions(name: str, pairs: list[tuple[Row, RowResult]]) -> str:
    judged = [(row, result) for row, result in pairs if name in result.scores]
    if not judged:
        return ""
    published = [(row.clean if name == "clean" else row.augmented) for row, _ in judged]
    beside = name in ("clean", "augmented")
    titles = ["row", "compared", *(_beside("AP", beside)), *(_beside("AP_s", beside)),
              *(_beside("AP_m", beside)), *(_beside("AP_l", beside)), "fair AP"]  # fmt: skip
    lines = []
    for (row, result), paper in zip(judged, published, strict=True):
        for kind in ("boxes", "outlines"):
            if kind in result.scores[name]:
                lines.append(_line(row, kind, result.scores[name], paper, beside))
    figures = judged[0][1].scores[name]["boxes"]
    counts = f"{figures['n_pictures']} pictures, {figures['n_truth']} crystals."
    return f"## {SETS[name]}\n\n{markdown(titles, lines)}\n\n{counts}"


def _beside(title: str, beside: bool) -> tuple[str, ...]:
    return (title, "paper") if beside else (title,)


def _line(
    row: Row, kind: str, scores: dict[str, Figures], paper: Precision | None, beside: bool
) -> list[str]:
    printed = (
        (None,) * 4
        if paper is None or kind != "boxes"
        else (paper.ap, paper.small, paper.medium, paper.large)
    )
    cells = [row.title, kind]
    for figure, value in zip(SIZES, printed, strict=True):
        cells.append(_percent(scores[kind][figure]))
        if beside:
            cells.append(NOTHING if value is None else f"{value:.1f}")
    return [*cells, _percent(scores[f"{kind} fair"]["ap"])]


def _percent(value: float | None) -> str:
    return NOTHING if value is None else f"{100 * value:.1f}"


def _costs(pairs: list[tuple[Row, RowResult]], contest: Contest) -> str:
    titles = ["row", "network", "parameters", "pictures seen", "of the paper's", "minutes",
              "time, s", "published size: parameters", "its time, s"]  # fmt: skip
    lines = []
    for row, result in pairs:
        full = result.published_cost
        lines.append(
            [
                row.title,
                network_words(result),
                f"{result.cost.parameters / 1e6:.2f} M",
                f"{result.pictures_seen:,}",
                f"{100 * _share(row, result):.2g} %" if row.epochs else NOTHING,
                f"{result.minutes:.1f}",
                f"{result.cost.latency_s:.2f}",
                NOTHING if full is None else f"{full.parameters / 1e6:.2f} M",
                NOTHING if full is None else f"{full.latency_s:.2f}",
            ]
        )
    engines = sorted({f"{r.cost.engine}, {r.cost.threads} threads" for _, r in pairs})
    return (
        f"## What they cost\n\n{markdown(titles, lines)}\n\n"
        "Time: a whole prediction of a picture of 1224 x 920 px on the CPU (normalisation, "
        "network, decoding, suppression) at magnification 1 unless the row says otherwise, from "
        "the least score on its card, "
        f"median of five after a first one; {'; '.join(engines)}. "
        "Time and parameters of the published size are those of the network before training."
    )


def network_words(result: RowResult) -> str:
    """Return a network in a few words."""
    settings = result.network
    if "backbone" not in settings:
        return "one pass, outlines"
    width = f", width {settings['width']}" if settings["backbone"].startswith("resnet") else ""
    return f"{settings['backbone']}{width}, {settings['channels']} channels, {settings['norm']}"


def _share(row: Row, result: RowResult) -> float:
    return result.pictures_seen / (PUBLISHED_PICTURES * row.epochs)


def _notes(pairs: list[tuple[Row, RowResult]], contest: Contest) -> str:
    notes = []
    for row, result in pairs:
        said = []
        if row.epochs:
            if _share(row, result) < 1:
                window = contest.recipe(row).schedule.window
                said.append(
                    f"not trained fully: {result.pictures_seen:,} windows of {window} px for the "
                    f"paper's {PUBLISHED_PICTURES * row.epochs:,} of 384 px"
                )
            if result.network["backbone"] != "resnet50" or result.network["width"] != 64:
                said.append("a narrower network than the paper's ResNet-50")
            if "ImageNet" in row.title and contest.imagenet_weights is None:
                said.append("started at random: no ImageNet weights were given")
        if said:
            notes.append(f"* {row.title}: {'; '.join(said)}.")
    missing = [name for name in SETS if not any(name in result.scores for _, result in pairs)]
    notes += [f"* {SETS[name]}: not part of the installation that made this." for name in missing]
    same = _same_trainings(pairs)
    notes += [f"* {', '.join(names)} came to one training within this budget." for names in same]
    return "## What to know\n\n" + "\n".join(notes) if notes else ""


def _same_trainings(pairs: list[tuple[Row, RowResult]]) -> list[list[str]]:
    by_source: dict[str, list[str]] = {}
    for row, result in pairs:
        by_source.setdefault(result.made_from, []).append(row.name)
    return [names for names in by_source.values() if len(names) > 1]


def markdown(titles: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table, its first column to the left.

    Parameters
    ----------
    titles, lines
        Cells.
    """
    rule = ["---", *(["--:"] * (len(titles) - 1))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (titles, rule, *lines))
