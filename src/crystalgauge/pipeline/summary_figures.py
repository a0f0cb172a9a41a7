"""The pooled figures of a batch as cards, plots, tables and remarks of its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge.report import (
    Card,
    CumulativeCurve,
    Figure,
    FigureRow,
    FigureTable,
    Percentile,
    cumulative_figure,
    density_figure,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crystalgauge.measure import Estimate, Summary

_SINGLE = (
    "d_1_0",
    "d_3_2",
    "d_4_3",
    "geometric_sd",
    *(f"moment_{k}" for k in range(5)),
    "coverage",
)
_KINDS = ("number", "length", "area", "volume")
_PERCENTILES = {"D10": "d10", "D50": "d50", "D90": "d90", "span": "span"}


def counted(noun: str, number: int) -> str:
    """Return ``1 picture``, ``3 pictures``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def rounded(value: float) -> str:
    """Return three digits of a figure, with an exponent where they have many noughts.

    Parameters
    ----------
    value
        Finite.
    """
    if 1e3 <= abs(value) < 1e6:
        return f"{float(f'{value:.3g}'):,.0f}"
    text = f"{value:#.3g}" if value else "0"
    return text.rstrip(".").replace("e+0", "e").replace("e-0", "e-")


def cards(pooled: Summary, number: int, measured: int) -> list[Card]:
    """Return the main figures of a batch.

    Parameters
    ----------
    pooled
        Of all pictures together.
    number
        Crystals found.
    measured
        Pictures measured.
    """
    from crystalgauge.measure import column_name, define

    where = f"in {counted('picture', measured)}"
    found = [Card("Crystals", str(number), "", where, define("n_crystals").definition)]
    for name, label in (
        ("number_d50", "D50 by number"),
        ("volume_d50", "D50 by volume"),
        ("d_4_3", "D[4,3]"),
        ("moment_0", "Crystals per area"),
    ):
        estimate, term = pooled[name], define(column_name(name, pooled.unit))
        if estimate.value is not None and pooled.n_sized:
            detail = f"{_interval(estimate)}, n = {pooled.n_sized}"
            shown = _of_sized(label, pooled)
            found.append(Card(shown, rounded(estimate.value), term.unit, detail, term.definition))
    if pooled.coverage.value is not None:
        share = 100 * pooled.coverage.value
        detail = f"{_interval(pooled.coverage, 100)}, n = {counted('picture', pooled.n_pictures)}"
        found.append(Card("Coverage", f"{share:.2g}", "%", detail, define("coverage").definition))
    return found


def _of_sized(label: str, pooled: Summary) -> str:
    """Return a label of what is sized: where agglomerates are, they are called particles."""
    return label.replace("Crystals", f"{pooled.sized.capitalize()}s")


def _interval(estimate: Estimate, factor: float = 1.0) -> str:
    if estimate.low is None or estimate.high is None:
        return "no interval"
    return f"95 % interval {rounded(factor * estimate.low)} to {rounded(factor * estimate.high)}"


def drawings(pooled: Summary) -> list[Figure]:
    """Return the plots of the size distribution; none without crystals.

    Parameters
    ----------
    pooled
        With its curves.
    """
    curves = pooled.curves
    if curves is None:
        return []
    symbol = "µm" if pooled.unit == "um" else "px"
    number, volume = (
        CumulativeCurve(
            curves.sizes,
            curves.shares[:, r],
            None if curves.low is None else curves.low[:, r],
            None if curves.high is None else curves.high[:, r],
            _marks(pooled, _KINDS[r]),
        )
        for r in (0, 3)
    )
    densities = (curves.densities[:, 0], curves.densities[:, 3])
    return [
        cumulative_figure(number, volume, symbol, _count(pooled)),
        density_figure(curves.edges, *densities, symbol, _count(pooled)),
    ]


def _marks(pooled: Summary, kind: str) -> list[Percentile]:
    marks = []
    for name in ("d10", "d50", "d90"):
        each = pooled[f"{kind}_{name}"]
        if each.value is not None:
            marks.append(Percentile(name.upper(), each.value, each.low, each.high))
    return marks


def _count(pooled: Summary) -> str:
    sized, pictures = counted(pooled.sized, pooled.n_sized), counted("picture", pooled.n_pictures)
    return f"n = {sized} in {pictures}"


def tables(pooled: Summary) -> list[FigureTable]:
    """Return every figure with its interval; none without crystals.

    Parameters
    ----------
    pooled
        Of all pictures together.
    """
    from crystalgauge.measure import column_name, define

    if not pooled.n_sized:
        return []
    symbol = "µm" if pooled.unit == "um" else "px"
    by_kind = [
        FigureRow(
            title if key == "span" else f"{title} in {symbol}",
            [estimate_cell(pooled[f"{kind}_{key}"]) for kind in _KINDS],
            define(column_name(f"number_{key}", pooled.unit)).definition,
        )
        for title, key in _PERCENTILES.items()
    ]
    single = []
    for name in _SINGLE:
        term = define(column_name(name, pooled.unit))
        if pooled[name].value is not None:
            title = _of_sized(f"{term.title} in {term.unit}" if term.unit else term.title, pooled)
            single.append(FigureRow(title, [estimate_cell(pooled[name])], term.definition))
    caption = f"{_count(pooled)}; in brackets the 95 % interval."
    return [
        FigureTable([f"by {kind}" for kind in _KINDS], by_kind, caption),
        FigureTable(["figure"], single, caption),
    ]


def estimate_cell(estimate: Estimate) -> str:
    """Return a figure with its interval in brackets, as tables of the page show it."""
    if estimate.value is None:
        return ""
    if estimate.low is None or estimate.high is None:
        return f"{rounded(estimate.value)} (no interval)"
    return f"{rounded(estimate.value)} ({rounded(estimate.low)} to {rounded(estimate.high)})"


def remarks(pooled: Summary) -> Sequence[str]:
    """Return what a reader must know of the figures.

    Parameters
    ----------
    pooled
        Of all pictures together.
    """
    found = list(pooled.notes)
    for name, label in (("number_d50", "D50 by number"), ("d_4_3", "D[4,3]")):
        needed = pooled.needed[name]
        if needed.crystals is None:
            continue
        goal = f"an interval of {label} of ±{100 * pooled.precision:.2g} %"
        if needed.crystals == 0:
            found.append(f"Sampling gives {goal} already.")
            continue
        more = f"{_about(needed.crystals)} more {pooled.sized}s"
        if needed.pictures is not None:
            more += f", or {_about(needed.pictures)} more pictures like these"
        found.append(f"For {goal} it takes some {more}.")
    return found


def _about(number: int) -> str:
    """Return a count that is an estimate itself, to two digits."""
    return f"{float(f'{number:.2g}'):,.0f}"
