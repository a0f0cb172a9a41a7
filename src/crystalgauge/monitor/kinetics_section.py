"""Growth, nucleation and induction time on the trend page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.monitor.figures import Line, time_figure
from crystalgauge.monitor.section import Section, local_time, symbol_of
from crystalgauge.report.figures import NUMBER_COLOUR, VOLUME_COLOUR

if TYPE_CHECKING:
    from datetime import datetime

    from crystalgauge.measure.kinetics_results import Course, Kinetics
    from crystalgauge.monitor.process_kinetics import ProcessKinetics
    from crystalgauge.monitor.trends import Trend
    from crystalgauge.report import Figure

TITLE = "Kinetics"
_FAR_WIDER = 5.0


def kinetics_section(trend: Trend, times: list[datetime]) -> Section | None:
    """Return growth and nucleation rate and induction time, or why there are none."""
    found = trend.kinetics
    if found is None or not times:
        return None
    if found.kinetics is None:
        return Section(TITLE, [], [f"No kinetics can be told: {found.reason}.", f"{found.pools}."])
    return Section(
        TITLE,
        _figures(trend, found, found.kinetics),
        [
            _induction(trend, found.kinetics),
            *_growth(trend, found, found.kinetics),
            f"{found.pools}; slopes are taken over ± {found.kinetics.bandwidth_h:.3g} h.",
            f"Crystals from {found.kinetics.least_size:.3g} {symbol_of(trend)} on; right if every "
            "one of that size is found. The equations are those of a well-mixed vessel without "
            "breakage and agglomeration, and numbers are per area of the pictures.",
        ],
    )


def _figures(trend: Trend, found: ProcessKinetics, kinetics: Kinetics) -> list[Figure]:
    symbol, area = symbol_of(trend), _area(trend)
    times = [local_time(time) for time in found.times_utc]
    counts = found.n_crystals.astype(np.float64)
    behind = (
        f"n = {found.n_crystals.sum()} crystals in {len(times)} samples of "
        f"{_range(found.n_pictures.min(), found.n_pictures.max())}"
    )

    def line(label: str, course: Course, colour: str = NUMBER_COLOUR) -> Line:
        low, high = (np.where(np.isfinite(e), e, np.nan) for e in (course.low, course.high))
        return Line(label, (), course.value, low, high, counts, colour)

    density = line("number density", kinetics.number_density)
    rates = [
        line("from quantiles", kinetics.growth_rate),
        line("from moments", kinetics.growth_rate_moments, VOLUME_COLOUR),
    ]
    born = line("nucleation rate", kinetics.nucleation_rate)
    words = (
        "Growth rate with its 95 % interval: of the sizes above which fixed numbers of crystals "
        f"lie, and from the first two moments; {behind}. Bars may leave the plot."
    )
    return [
        time_figure(
            "Number density of samples", times, [density], unit=f"crystals per {area}",
            caption=f"Crystals per area with 95 % intervals; {behind}.{_shading(kinetics)}",
            shaded=_induction_interval(found, kinetics),
        ),
        time_figure(
            "Growth rate", times, rates, unit=f"G in {symbol}/h", caption=words,
            heights=_heights(rates),
        ),
        time_figure(
            "Nucleation rate", times, [born], unit=f"B in 1/({area} h)",
            caption=f"Crystals that grow past the least size, with 95 % intervals; {behind}.",
        ),
    ]  # fmt: skip


def _heights(lines: list[Line]) -> tuple[float, float] | None:
    """Return limits that hold every value, and every interval but those far wider than the rest.

    The first samples after induction have a handful of crystals, and say next to nothing.
    """
    values, low, high = (
        np.concatenate([getattr(line, name) for line in lines])
        for name in ("values", "low", "high")
    )
    known = np.isfinite(values)
    if not known.any():
        return None
    width = np.where(np.isfinite(low + high), high - low, 0.0)
    shown = known & (width <= _FAR_WIDER * np.median(width[known]))
    ends = np.concatenate([values[known], low[shown], high[shown]])
    ends = ends[np.isfinite(ends)]
    pad = 0.05 * float(np.ptp(ends)) or 1.0
    return float(ends.min()) - pad, float(ends.max()) + pad


def _shading(kinetics: Kinetics) -> str:
    seen = np.isfinite(kinetics.induction.low_h)
    return " Shaded: the interval of the induction time." if seen else ""


def _induction_interval(
    found: ProcessKinetics, kinetics: Kinetics
) -> tuple[datetime, datetime] | None:
    from datetime import timedelta

    ends = (kinetics.induction.low_h, kinetics.induction.high_h)
    if not np.isfinite(ends).all():
        return None
    first, last = (local_time(found.start_utc + timedelta(hours=end)) for end in ends)
    return first, last


def _induction(trend: Trend, kinetics: Kinetics) -> str:
    found = kinetics.induction
    passed = f"{found.threshold:.3g} crystals per {_area(trend)}, 5 % of the greatest density"
    if found.status == "observed":
        around = f"95 % interval {found.low_h:.3g} to {found.high_h:.3g} h"
        return (
            f"Induction time: {found.time_h:.3g} h after the first picture ({around}), when the "
            f"number density passed {passed}."
        )
    if found.status == "before the first sample":
        return f"Induction time: over before the first sample, which has more than {passed}."
    return "Induction time: not reached."


def _growth(trend: Trend, found: ProcessKinetics, kinetics: Kinetics) -> list[str]:
    """Say what the rates do not tell."""
    remarks = []
    for name, course in (
        ("growth rate", kinetics.growth_rate),
        ("nucleation rate", kinetics.nucleation_rate),
    ):
        known = np.isfinite(course.value)
        if not known.any():
            remarks.append(f"No {name} can be told from these samples.")
        elif not ((course.low > 0) | (course.high < 0))[known].any():
            remarks.append(f"The interval of the {name} holds 0 at all times: none is proved.")
    trend_of_size = kinetics.size_trend
    if trend_of_size.p_value < 0.05:
        remarks.append(
            f"Growth depends on size (dG/dx = {trend_of_size.slope_per_h:.3g} 1/h, p = "
            f"{trend_of_size.p_value:.2g}): do not use the rate from moments."
        )
    few = int((found.n_pictures < 3).sum())
    if few:
        remarks.append(
            f"{few} of {len(found.n_pictures)} samples have fewer than 3 pictures; their intervals "
            "take crystals of a picture as independent."
        )
    return remarks


def _area(trend: Trend) -> str:
    return "mm²" if trend.unit == "um" else "Mpx"


def _range(low: int, high: int) -> str:
    if low == high:
        return f"{low} picture{'' if low == 1 else 's'} each"
    return f"{low} to {high} pictures each"
