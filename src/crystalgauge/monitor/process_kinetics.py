"""Induction time, growth and nucleation of a watched process from its stored crystals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.core import ArgumentError
from crystalgauge.measure import TimedSample, estimate_kinetics
from crystalgauge.monitor.pooling import Pools, pool_pictures

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl
    from numpy.typing import NDArray

    from crystalgauge.measure import Kinetics
    from crystalgauge.monitor.store import Store

COURSES = {
    "number_density": "number_per_{area}",
    "median_size": "number_d50_{length}",
    "growth_rate": "growth_rate_{length}_per_h",
    "growth_rate_moments": "growth_rate_moments_{length}_per_h",
    "nucleation_rate": "nucleation_rate_per_{area}_h",
}
"""What is told over time, by the names of the glossary."""


@dataclass(frozen=True, eq=False)
class ProcessKinetics:
    """Kinetics of the pictures of a store, pooled into samples.

    Parameters
    ----------
    start_utc
        Time of the first picture, from which hours count.
    time_h
        ``(P,)`` mean time of the pictures of each sample.
    n_pictures, n_crystals
        ``(P,)`` pictures of each sample, and crystals in them of the least size or more.
    pools
        Which pictures are taken together.
    unit
        Of the lengths.
    kinetics
        None when the pictures do not carry any.
    reason
        Why they do not.
    """

    start_utc: datetime
    time_h: NDArray[np.float64]
    n_pictures: NDArray[np.int64]
    n_crystals: NDArray[np.int64]
    pools: Pools
    unit: str
    kinetics: Kinetics | None
    reason: str = ""

    @property
    def times_utc(self) -> list[datetime]:
        """Times of the samples."""
        return [self.start_utc + timedelta(hours=float(hours)) for hours in self.time_h]

    def table(self) -> pl.DataFrame:
        """Return one row per sample: time, what it rests on, and every figure with its interval."""
        import polars as pl

        columns = {
            "time_utc": pl.Series(self.times_utc, dtype=pl.Datetime("us")),
            "time_h": pl.Series(self.time_h),
            "n_pictures": pl.Series(self.n_pictures),
            "n_crystals": pl.Series(self.n_crystals),
        }
        area = "mm2" if self.unit == "um" else "mpx"
        for name, pattern in COURSES.items() if self.kinetics else ():
            course = getattr(self.kinetics, name)
            column = pattern.format(length=self.unit, area=area)
            for end, values in (("", course.value), ("_low", course.low), ("_high", course.high)):
                finite = np.where(np.isfinite(values), values, np.nan)
                columns[column + end] = pl.Series(finite, nan_to_null=True)
        return pl.DataFrame(columns)


def process_kinetics(
    store: Store,
    pictures: pl.DataFrame,
    unit: str,
    *,
    weighted: bool,
    pool_h: float | None = None,
    least_size: float | None = None,
) -> ProcessKinetics | None:
    """Estimate the kinetics of stored pictures; None without any.

    Crystals count by their equivalent diameter, those at the border not, the others for the places
    they fit in; what a picture stands for is its area.

    Parameters
    ----------
    store
        Has the crystals.
    pictures
        Of a `crystalgauge.monitor.Trend`, one or more.
    unit
        Of the lengths, ``um`` or ``px``.
    weighted
        Take each crystal by its frame weight, not once.
    pool_h
        Length of the windows over which pictures are one sample; found from their times if None.
    least_size
        Size from which on every crystal is found; the smallest one there is when None.

    Raises
    ------
    ArgumentError
        When an argument is out of range.
    """
    if least_size is not None and not (least_size > 0 and np.isfinite(least_size)):
        raise ArgumentError(f"the least size is a finite number above 0, got {least_size:g}")
    if not len(pictures):
        return None
    stamps = pictures["time_utc"].to_list()
    hours = np.array([(stamp - stamps[0]).total_seconds() / 3600 for stamp in stamps])
    pools = pool_pictures(hours, pool_h)
    samples = _samples(store, pictures, unit, hours, pools, weighted=weighted)
    kinetics, reason = None, ""
    try:
        kinetics = estimate_kinetics(samples, least_size=least_size)
    except ArgumentError as error:
        reason = str(error)
    least = kinetics.least_size if kinetics else least_size or 0.0
    return ProcessKinetics(
        stamps[0],
        np.array([sample.time_h for sample in samples]),
        np.array([sample.n_pictures for sample in samples]),
        np.array([int((sample.sizes >= least).sum()) for sample in samples]),
        pools,
        unit,
        kinetics,
        reason,
    )


def _samples(
    store: Store,
    pictures: pl.DataFrame,
    unit: str,
    hours: NDArray[np.float64],
    pools: Pools,
    *,
    weighted: bool,
) -> list[TimedSample]:
    """Return one sample per pool, its crystals without those at the border."""
    import polars as pl

    column = f"equivalent_diameter_{unit}"
    crystals = store.crystals([column, "frame_weight"])
    known = crystals.filter(pl.col(column) > 0).sort("picture_id")
    ids, sizes = known["picture_id"].to_numpy(), known[column].to_numpy()
    weights = known["frame_weight"].fill_null(1.0).to_numpy() if weighted else np.ones(len(ids))
    wanted = pictures["id"].to_numpy()
    starts = np.searchsorted(ids, wanted, side="left")
    ends = np.searchsorted(ids, wanted, side="right")
    areas = _areas(pictures, unit)
    samples = []
    for number in range(pools.number[-1] + 1):
        rows = np.flatnonzero(pools.number == number)
        # a crystal of weight 0 fits in one place only, and no sample can speak for it
        here = [np.arange(starts[row], ends[row]) for row in rows]
        here = [index[weights[index] > 0] for index in here]
        chosen = np.concatenate(here)
        picture = np.repeat(np.arange(len(rows)), [len(index) for index in here])
        samples.append(
            TimedSample(
                float(hours[rows].mean()), sizes[chosen], weights[chosen], picture, areas[rows]
            )
        )
    return samples


def _areas(pictures: pl.DataFrame, unit: str) -> NDArray[np.float64]:
    """Return the area of each picture in mm², or in millions of px²."""
    pixels = pictures["width_px"].to_numpy() * pictures["height_px"].to_numpy() / 1e6
    edge = pictures["pixel_size_um"].to_numpy() if unit == "um" else 1.0
    return np.asarray(pixels * edge**2, dtype=np.float64)
