"""Tables and figures of the monitored batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crystalgauge._version import __version__
from crystalgauge.io.atomic import replacing
from crystalgauge.reproduce.monitoring import (
    FEWEST,
    fit_line,
    of_variants,
    of_wild_type,
    quartiles,
    same_sizes,
    total_area,
)
from crystalgauge.reproduce.table import NOTHING, markdown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.measure.weighted_sizes import WeightedSizes
    from crystalgauge.reproduce.monitored import Observation, Plan

LEVEL = 0.05
"""Of the paper's tests."""

# Bischoff et al. 2022, Fig. 8: mean and standard deviation of the aspect ratio
PUBLISHED_RATIOS = {
    "wild type": (5.99, 2.64), "T102E": (5.50, 1.77), "Q126K": (6.70, 2.25),
    "Q126H": (7.97, 2.00),
}  # fmt: skip

NAMES = {"width_um": "width", "length_um": "length", "aspect_ratio": "aspect ratio"}


def write_monitoring(
    path: Path, observations: Sequence[Observation], plan: Plan, budget: str, model: str
) -> None:
    """Write the tables.

    Parameters
    ----------
    path
        Markdown file.
    observations
        Of all samples.
    plan, budget, model
        What made them.
    """
    replicates = range(plan.replicates)
    parts = [
        _head(plan, budget, model),
        _sizes_over_time(observations, replicates, "width_um"),
        _sizes_over_time(observations, replicates, "length_um"),
        _diluted_against_undiluted(observations, replicates),
        _area_and_concentration(observations, replicates),
        _variants(observations),
        _biases(observations),
    ]
    with replacing(path, "w") as file:
        file.write("\n\n".join(part for part in parts if part) + "\n")


def _head(plan: Plan, budget: str, model: str) -> str:
    warning = (
        "\n\n**A test of the machinery; too little to say anything.**" if budget == "smoke" else ""
    )
    height, width = plan.shape
    return (
        "# Process monitoring with synthetic protein crystals, made again\n\n"
        f"    crystalgauge reproduce pcs-monitoring --budget {budget} --n {plan.pictures} "
        f"--out DIR{warning}\n\n"
        "The experiments of Bischoff et al. (2022, doi 10.1007/s00216-022-04101-8; Figs 5, 6 and "
        "8, Table 2) on batches simulated by population balance (`scenes/growth`), photographed by "
        f"our renderer and measured by the model `{model}` of CrystalGauge {__version__}: "
        f"{plan.pictures} pictures a sample, each {width} x {height} px (0.84 µm). *Found* is what "
        "the model measured, *shown* the crystals in the same pictures, *batch* those of the "
        "crystallizer that a lens could show at all. Crystals that the frame cuts are left out and "
        "made up for (Miles-Lantuejoul weights). The model was trained on scenes of "
        "this regime among others, from other replicates and seeds."
    )


def _number(value: float, digits: int = 1) -> str:
    return f"{value:.{digits}f}" if np.isfinite(value) else NOTHING


def _spread(values: NDArray[np.float64]) -> str:
    if not np.isfinite(values).all():
        return NOTHING
    return f"{values[1]:.1f} ({values[0]:.1f} to {values[2]:.1f})"


def _sizes_over_time(observations: Sequence[Observation], replicates: range, column: str) -> str:
    titles = ["replicate", "h", "found, diluted", "shown", "batch", "found, undiluted", "shown"]
    lines = []
    for replicate in replicates:
        diluted = of_wild_type(observations, replicate, "diluted")
        undiluted = of_wild_type(observations, replicate, "undiluted")
        for clear, clouded in zip(diluted, undiluted, strict=True):
            cells = [
                clear.sizes(column), clear.sizes(column, shown=True), clear.in_batch(column),
                clouded.sizes(column), clouded.sizes(column, shown=True),
            ]  # fmt: skip
            spread = [_spread(quartiles(sizes)) for sizes in cells]
            lines.append([str(replicate + 1), f"{clear.sample.hour:g}", *spread])
    return (
        f"## Fig. 5: {NAMES[column]} over time\n\nMedian and quartiles in µm.\n\n"
        f"{markdown(titles, lines)}"
    )


def _diluted_against_undiluted(observations: Sequence[Observation], replicates: range) -> str:
    titles = ["replicate", "h", "p, found", "N diluted", "N undiluted", "p, shown", "N diluted",
              "N undiluted"]  # fmt: skip
    lines, kept, judged = [], 0, 0
    for replicate in replicates:
        diluted = of_wild_type(observations, replicate, "diluted")
        undiluted = of_wild_type(observations, replicate, "undiluted")
        for clear, clouded in zip(diluted, undiluted, strict=True):
            found = same_sizes(clear.sizes("width_um"), clouded.sizes("width_um"))
            shown = same_sizes(
                clear.sizes("width_um", shown=True), clouded.sizes("width_um", shown=True)
            )
            judged += bool(np.isfinite(found.p_value))
            kept += found.p_value > LEVEL
            bold = "**" if found.p_value > LEVEL else ""
            lines.append([
                str(replicate + 1), f"{clear.sample.hour:g}",
                f"{bold}{_number(found.p_value, 3)}{bold}", str(found.n_first),
                str(found.n_second), _number(shown.p_value, 3), str(shown.n_first),
                str(shown.n_second),
            ])  # fmt: skip
    return (
        "## Table 2: widths, diluted against undiluted\n\nTwo-sided two-sample Kolmogorov-Smirnov "
        f"test; bold where it does not reject at 5 %. It did not in {kept} of {judged} samples "
        "(paper: 21 of 21).\n\n" + markdown(titles, lines)
    )


def _area_and_concentration(observations: Sequence[Observation], replicates: range) -> str:
    titles = ["replicate", "slope, found", "R², found", "slope, shown", "R², shown"]
    lines = []
    for replicate in replicates:
        samples = of_wild_type(observations, replicate, "diluted")
        amount = np.array([o.sample.dissolved_g_per_l for o in samples])
        cells = [str(replicate + 1)]
        for shown in (False, True):
            area = np.array([total_area(o, shown=shown) for o in samples])
            line = fit_line(area, amount)
            cells += [_number(line.slope, 2), _number(line.r_squared, 3)]
        lines.append(cells)
    return (
        "## Fig. 6: dissolved protein against total crystal area\n\nFitted line of the "
        "concentration (g/l) on the crystals' area in a diluted picture (mm²).\n\n"
        + markdown(titles, lines)
        + "\n\nA straight line is what the paper reports. The truth bends: the concentration goes "
        "with the crystals' volume, which grows faster than their area."
    )


def _variants(observations: Sequence[Observation]) -> str:
    titles = ["variant", "N", "ratio, found", "shown", "batch", "paper", "width, found", "batch",
              "length, found", "batch"]  # fmt: skip
    lines, medians, truths = [], {}, {}
    for one in of_variants(observations):
        name = one.sample.variant
        ratios = [_mean_spread(one.sizes("aspect_ratio")),
                  _mean_spread(one.sizes("aspect_ratio", shown=True)),
                  _mean_spread(one.in_batch("aspect_ratio"))]  # fmt: skip
        mean, deviation = PUBLISHED_RATIOS[name]
        sizes = []
        for column in ("width_um", "length_um"):
            found, batch = (quartiles(x)[1] for x in (one.sizes(column), one.in_batch(column)))
            sizes += [_number(found), _number(batch)]
            if column == "width_um":
                medians[name], truths[name] = found, batch
        count = str(len(one.sizes("width_um")))
        lines.append([name, count, *ratios, f"{mean:.2f} ± {deviation:.2f}", *sizes])
    order, true_order = (
        " > ".join(sorted(values, key=lambda name: -values[name])) for values in (medians, truths)
    )
    return (
        "## Fig. 8: variants after 24 h\n\nAspect ratio as mean ± standard deviation, width and "
        f"length as medians in µm.\n\n{markdown(titles, lines)}\n\n"
        f"Order of the widths, found: {order}; true: {true_order}; the paper's: wild type > Q126H "
        "> Q126K > T102E."
    )


def _mean_spread(sizes: WeightedSizes) -> str:
    if len(sizes) < FEWEST:
        return NOTHING
    mean = sizes.mean(1, 0)
    variance = float(np.average((sizes.sizes - mean) ** 2, weights=sizes.weights))
    return f"{mean:.2f} ± {variance**0.5:.2f}"


def _biases(observations: Sequence[Observation]) -> str:
    titles = ["drop", "quantity", "median of found over shown", "of found over batch",
              "found of shown"]  # fmt: skip
    lines = []
    for drop in ("diluted", "undiluted"):
        samples = [o for o in observations if o.sample.drop == drop]
        for column, name in NAMES.items():
            seen, true, share = [], [], []
            for one in samples:
                found, shown = one.sizes(column), one.sizes(column, shown=True)
                if min(len(found), len(shown)) < FEWEST:
                    continue
                seen.append(quartiles(found)[1] / quartiles(shown)[1])
                true.append(quartiles(found)[1] / quartiles(one.in_batch(column))[1])
                share.append(len(found) / len(shown))
            if seen:
                lines.append([drop, name, *(f"{np.median(x):.2f} ({min(x):.2f} to {max(x):.2f})"
                                            for x in (seen, true, share))])  # fmt: skip
    return "## Bias of each quantity\n\nMedian over the samples, and range.\n\n" + markdown(
        titles, lines
    )
