"""Size distribution of one picture or of many: figures, intervals and what they rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.core import ArgumentError
from crystalgauge.measure.bootstrap import Replicates, bootstrap, estimate
from crystalgauge.measure.frame_correction import check_frame_correction
from crystalgauge.measure.sample import Sample
from crystalgauge.measure.statistics import COLUMN, STATISTICS
from crystalgauge.measure.summary import Curves, Estimate, LengthUnit, Needed, Summary
from crystalgauge.measure.summary_notes import (
    LEAST_UNITS,
    border_note,
    resampling_notes,
    thin_note,
    unit_note,
)
from crystalgauge.measure.uncertainty import band, half_widths, units_needed
from crystalgauge.measure.volume_mean import volume_mean_errors
from crystalgauge.measure.weighted_sizes import KINDS, WeightedSizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from crystalgauge.core import Calibration
    from crystalgauge.measure.bootstrap import Unit
    from crystalgauge.measure.frame_correction import FrameCorrection

PRECISION = 0.05
"""Relative half-width of an interval that most specifications ask for."""

NEEDED_FOR = ("number_d50", "d_4_3")
"""Figures for which the crystals still needed are told."""

MOST_CLASSES = 24


@dataclass(frozen=True)
class Frame:
    """The picture a table comes from.

    Parameters
    ----------
    shape
        Height and width in px.
    calibration
        Size of a pixel, None when it is not known.
    """

    shape: tuple[int, int]
    calibration: Calibration | None = None


def summarise(
    tables: Sequence[pl.DataFrame],
    *,
    frames: Sequence[Frame] | None = None,
    coverages: Sequence[float] | None = None,
    frame_correction: FrameCorrection = "miles-lantuejoul",
    include_border: bool = False,
    precision: float = PRECISION,
    points: int = 0,
    seed: int = 0,
) -> Summary:
    """Summarise pictures by the crystals found in them.

    Parameters
    ----------
    tables
        One crystal table per picture, also of pictures without crystals.
    frames
        The pictures; without them there are no numbers per area, and the pixel size counts as
        exact.
    coverages
        Covered part of each picture, 0 to 1.
    frame_correction
        ``miles-lantuejoul`` takes each crystal as often as its column ``frame_weight`` says, which
        makes up for large crystals reaching the border more often; ``none`` takes each once.
    include_border
        Take crystals at the border too, at the size of their outline; only without correction.
    precision
        Relative half-width of the interval that ``needed`` is about, above 0.
    points
        Sizes at which the cumulative curves are given; no curves when 0.
    seed
        Of the bootstrap.

    Raises
    ------
    ArgumentError
        When the numbers of tables, frames and coverages differ, or an argument is out of range.
    """
    for name, given in (("frames", frames), ("coverages", coverages)):
        if given is not None and len(given) != len(tables):
            raise ArgumentError(f"{len(tables)} pictures came with {len(given)} {name}")
    check_frame_correction(frame_correction)
    if include_border and frame_correction != "none":
        raise ArgumentError(
            "crystals at the border have no frame correction; "
            'pass frame_correction="none" to include them'
        )
    if not precision > 0:
        raise ArgumentError(f"the precision must be above 0, got {precision:g}")
    unit, left_out = _unit(tables)
    sample = _sample(tables, unit, frames, coverages, frame_correction, include_border)
    n_border = sum(int(table["touches_border"].sum()) for table in tables if len(table))
    filled = len(np.unique(sample.picture))
    resampled = _resampled(len(sample), sample.n_pictures, filled)
    grid = _grid(sample, points)
    own = estimate(sample, grid)
    drawn = bootstrap(sample, resampled, seed=seed, grid=grid) if resampled else None
    n_units = filled if resampled == "pictures" else len(sample)
    reach = half_widths_of(sample, drawn, n_units, resampled, seed)
    return Summary(
        unit=unit,
        n_pictures=len(tables),
        n_crystals=sum(map(len, tables)),
        n_border=n_border,
        n_sized=len(sample),
        figures=_figures(own, reach),
        precision=precision,
        needed=_needed(reach, n_units, len(sample), precision, resampled),
        frame_correction=frame_correction,
        resampled=resampled,
        notes=(
            *unit_note(*left_out),
            *border_note(0 if include_border else n_border, frame_correction),
            *resampling_notes(len(sample), sample.n_pictures, filled, resampled),
            *thin_note(WeightedSizes(sample.sizes, sample.weights)),
        ),
        curves=None if grid is None else _curves(sample, grid, own, drawn, n_units),
    )


def _unit(tables: Sequence[pl.DataFrame]) -> tuple[LengthUnit, tuple[int, int]]:
    """Return the unit of the sizes; of the pictures with crystals, how many lack it, and all."""
    filled = [table for table in tables if len(table)] or tables
    plain = sum("equivalent_diameter_um" not in table.columns for table in filled)
    if plain == len(filled):
        return "px", (0, len(filled))
    return "um", (plain, len(filled))


def _sample(
    tables: Sequence[pl.DataFrame],
    unit: LengthUnit,
    frames: Sequence[Frame] | None,
    coverages: Sequence[float] | None,
    frame_correction: FrameCorrection,
    include_border: bool,
) -> Sample:
    column = f"equivalent_diameter_{unit}"
    kept = [
        index
        for index, table in enumerate(tables)
        if (not len(table) or column in table.columns)
        and (unit == "px" or frames is None or frames[index].calibration is not None)
    ]
    groups = [_crystals(tables[i], column, frame_correction, include_border) for i in kept]
    nothing = np.full(len(kept), np.nan)
    known = [frames[index] for index in kept] if frames is not None else []
    calibrations, errors = _calibrations(known, unit, len(kept))
    return Sample(
        np.concatenate([np.empty(0), *(sizes for sizes, _ in groups)]),
        np.concatenate([np.empty(0), *(weights for _, weights in groups)]),
        np.repeat(np.arange(len(kept)), [len(sizes) for sizes, _ in groups]),
        np.array([_area(frame, unit) for frame in known]) if known else nothing,
        np.array([coverages[index] for index in kept], np.float64) if coverages else nothing,
        calibrations,
        errors,
    )


def _crystals(
    table: pl.DataFrame, column: str, frame_correction: FrameCorrection, include_border: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sizes that count, and their weights."""
    if not len(table):  # of a picture without crystals; it may have no columns either
        return np.empty(0), np.empty(0)
    sizes = table[column].to_numpy().astype(np.float64)
    if frame_correction == "none":
        at_border = table["touches_border"].to_numpy().astype(bool)
        weights = (include_border | ~at_border).astype(np.float64)
    elif "frame_weight" in table.columns:
        weights = table["frame_weight"].to_numpy().astype(np.float64)
    else:
        raise ArgumentError(
            "the table has no column frame_weight; make it with crystal_table, "
            'or pass frame_correction="none"'
        )
    counts = np.isfinite(sizes) & (weights > 0)
    return sizes[counts], weights[counts]


def _area(frame: Frame, unit: LengthUnit) -> float:
    """Return the area of a picture in mm², or in millions of px²."""
    height, width = frame.shape
    edge = frame.calibration.pixel_size_um if unit == "um" and frame.calibration else 1.0
    return height * width * edge**2 / 1e6


def _calibrations(
    frames: Sequence[Frame], unit: LengthUnit, n_pictures: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the number of each picture's calibration, and their relative uncertainties.

    Those without uncertainty go together: nothing is drawn for them.
    """
    if unit == "px" or not frames:
        return np.zeros(n_pictures, np.int64), np.zeros(1)
    given = [frame.calibration for frame in frames if frame.calibration]
    drawn = [each if each.uncertainty_um > 0 else None for each in given]
    numbers = {calibration: number for number, calibration in enumerate(dict.fromkeys(drawn))}
    return (
        np.array([numbers[each] for each in drawn], np.int64),
        np.array([each.uncertainty_um / each.pixel_size_um if each else 0.0 for each in numbers]),
    )


def _resampled(n_sized: int, n_pictures: int, n_filled: int) -> Unit | None:
    """Decide what to resample."""
    if n_sized < LEAST_UNITS:
        return None
    return "pictures" if n_pictures > 1 and n_filled >= LEAST_UNITS else "crystals"


@dataclass(frozen=True, eq=False)
class Reach:
    """How far 95 % intervals reach on the logarithm of each figure.

    Parameters
    ----------
    down, up
        ``(S,)`` with the uncertainty of the pixel size; NaN where there is no interval.
    sampling
        ``(S,)`` mean of both from sampling alone.
    """

    down: NDArray[np.float64]
    up: NDArray[np.float64]
    sampling: NDArray[np.float64]


def half_widths_of(
    sample: Sample, drawn: Replicates | None, n_units: int, unit: Unit | None, seed: int = 0
) -> Reach | None:
    """Return the intervals of all figures; D[4, 3] has one of its own kind.

    Parameters
    ----------
    sample
        The sizes.
    drawn
        Resamples of it; None when there are too few.
    n_units, unit
        How many of what was drawn.
    seed
        Of further draws.
    """
    if drawn is None or unit is None:
        return None
    both = half_widths(drawn, n_units)
    down, up = both.copy(), both.copy()
    sampling = half_widths(drawn, n_units, "sampling")
    calibration = half_widths(drawn, n_units, "calibration")
    column = COLUMN["d_4_3"]
    if np.isfinite(both[column]):
        low, high = volume_mean_errors(sample, unit, seed=seed)
        down[column], up[column] = (np.hypot(end, calibration[column]) for end in (low, high))
        sampling[column] = 0.5 * (low + high)
    return Reach(down, up, sampling)


def _figures(own: Replicates, reach: Reach | None) -> dict[str, Estimate]:
    values = own.values[0]
    nothing = np.full(len(values), np.nan)
    down, up = (nothing, nothing) if reach is None else (reach.down, reach.up)
    figures = {}
    for statistic, value, below, above in zip(STATISTICS, values, down, up, strict=True):
        if not np.isfinite(value):
            figures[statistic.name] = Estimate(None)
        elif not np.isfinite(below + above):
            figures[statistic.name] = Estimate(float(value))
        else:
            ends = (float(value * np.exp(-below)), float(value * np.exp(above)))
            figures[statistic.name] = Estimate(float(value), *ends)
    return figures


def _needed(
    reach: Reach | None, n_units: int, n_sized: int, precision: float, resampled: Unit | None
) -> dict[str, Needed]:
    if reach is None:
        return dict.fromkeys(NEEDED_FOR, Needed())
    needed = {}
    for name in NEEDED_FOR:
        width = float(reach.sampling[COLUMN[name]])
        pictures = units_needed(width, n_units, precision) if resampled == "pictures" else None
        needed[name] = Needed(units_needed(width, n_sized, precision), pictures)
    return needed


def _grid(sample: Sample, points: int) -> NDArray[np.float64] | None:
    """Return sizes equally far apart on a logarithmic axis, from the least to the largest."""
    if not points or not len(sample):
        return None
    low, high = float(sample.sizes.min()), float(sample.sizes.max())
    grid = np.geomspace(low, high, points)
    grid[0], grid[-1] = low, high  # rounding must not leave the extremes out
    return grid


def _curves(
    sample: Sample,
    grid: NDArray[np.float64],
    own: Replicates,
    drawn: Replicates | None,
    n_units: int,
) -> Curves:
    sizes = WeightedSizes(sample.sizes, sample.weights)
    edges = size_classes(sample.sizes)
    shares = own.curves[0]
    low, high = (None, None) if drawn is None else band(shares, drawn, n_units)
    # a class holds its upper edge; the first one also holds the least size
    starts = np.concatenate([edges[:1] * (1 - 1e-9), edges[1:]])
    densities = np.column_stack([sizes.log_density(starts, r) for r in KINDS])
    return Curves(grid, shares, low, high, edges, densities)


def size_classes(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rising class edges, equally wide on a logarithmic axis, that hold every size.

    Parameters
    ----------
    sizes
        ``(n,)`` positive, n >= 1.
    """
    low, high = float(sizes.min()), float(sizes.max())
    if high < low * 1.05:
        low, high = low * 0.9, high * 1.1
    number = int(np.clip(np.ceil(2 * len(sizes) ** (1 / 3)), 5, MOST_CLASSES))
    edges = np.geomspace(low, high, number + 1)
    edges[0], edges[-1] = low, high  # rounding must not push the extremes out
    return np.asarray(edges, dtype=np.float64)
