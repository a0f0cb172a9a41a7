"""ASTM grain-size number of space-filling grains: E112 planimetric and intercept, E930 ALA grain.

A grain-size number G belongs to N_A grains per mm² or to a mean intercept length l in mm
(ASTM E112-13, Table 4 and equations 6 to 8)::

    G = 3.321928 log10(N_A) - 2.954        G = -6.643856 log10(l) - 3.288

One more G is twice as many grains per area.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely

from crystalgauge.core import ArgumentError
from crystalgauge.measure.chord_length import parallel_chords
from crystalgauge.measure.few_units import student_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Method = Literal["planimetric", "lineal intercept", "circular intercept"]

BORDER_PX = 1.0
"""A grain that comes so close to the border of its field is taken to go on outside."""
N_DIRECTIONS = 4
N_LINES = 10
"""Test lines in each of four directions, which evens out grains that lie along one."""
CIRCLES = (3, 2, 1)
"""Diameters of the three concentric circles against each other (E112, Figure 5)."""


@dataclass(frozen=True, eq=False)
class GrainField:
    """A picture that grains fill.

    Parameters
    ----------
    outlines
        ``(N,)`` shapely polygons in px.
    shape
        Height and width of the picture in px.
    pixel_size_um
        Side of a pixel.
    """

    outlines: NDArray[Any]
    shape: tuple[int, int]
    pixel_size_um: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.pixel_size_um) and self.pixel_size_um > 0):
            raise ArgumentError(f"a pixel's size is above 0, got {self.pixel_size_um!r} µm")
        if min(self.shape) < 3:
            raise ArgumentError(f"a field of {self.shape[1]} x {self.shape[0]} px holds no grains")

    @property
    def area_mm2(self) -> float:
        """Area of the field."""
        return self.shape[0] * self.shape[1] * (self.pixel_size_um * 1e-3) ** 2


@dataclass(frozen=True)
class GrainSize:
    """A grain-size number.

    Parameters
    ----------
    method
        How it was found.
    number
        G, from the mean over the fields; NaN when nothing was counted.
    low, high
        Its 95 % interval by Student's t over the fields (E112, section 15); NaN with one field.
    mean
        Grains per mm² (planimetric) or mean intercept in mm, from the mean over the fields.
    accuracy_percent
        Half the interval of grains or intercepts per mm over their mean; E112 asks for 10 %.
    counted
        Grains or intercepts, the halves and quarters of those at the border included.
    n_fields
        Pictures.
    """

    method: Method
    number: float
    low: float
    high: float
    mean: float
    accuracy_percent: float
    counted: float
    n_fields: int


@dataclass(frozen=True)
class LargestGrain:
    """The as-large-as (ALA) grain.

    Parameters
    ----------
    number
        Its own grain-size number, that of a field of grains of its area (E930).
    area_mm2
        Its area.
    field, grain
        Where it is: field, and outline in the field, from 0.
    cut_is_larger
        Whether a grain that the border cuts shows more area than this one, so that the number
        is an upper bound.
    """

    number: float
    area_mm2: float
    field: int
    grain: int
    cut_is_larger: bool


def grain_size_from_density(grains_per_mm2: float) -> float:
    """Return G from grains per mm² (E112, equation 6)."""
    return 3.321928 * math.log10(grains_per_mm2) - 2.954 if grains_per_mm2 > 0 else math.nan


def grain_size_from_intercept(intercept_mm: float) -> float:
    """Return G from a mean lineal intercept in mm (E112, equation 8)."""
    return -6.643856 * math.log10(intercept_mm) - 3.288 if intercept_mm > 0 else math.nan


def planimetric(fields: Sequence[GrainField]) -> GrainSize:
    """Count grains: whole ones once, at an edge of the field half, at a corner a quarter.

    Parameters
    ----------
    fields
        One picture or more.

    Raises
    ------
    ArgumentError
        Without a field.
    """
    counts = np.array([_grains(field) for field in fields])
    density = counts / np.array([field.area_mm2 for field in fields])
    return _over_fields("planimetric", density, counts)


def _grains(field: GrainField) -> float:
    height, width = field.shape
    solid = field.outlines[shapely.area(field.outlines) > 0]
    left, top, right, bottom = shapely.bounds(solid).reshape(-1, 4).T
    edge = (left < BORDER_PX) | (top < BORDER_PX)
    edge |= (right > width - BORDER_PX) | (bottom > height - BORDER_PX)
    weights = np.where(edge, 0.5, 1.0)
    for x, y in ((0, 0), (width, 0), (0, height), (width, height)):
        weights[shapely.distance(solid, shapely.Point(x, y)) < BORDER_PX] = 0.25
    return float(weights.sum())


def lineal_intercept(fields: Sequence[GrainField], *, n_lines: int = N_LINES) -> GrainSize:
    """Count the grains along straight lines in four directions; those at a line's end half.

    Parameters
    ----------
    fields
        One picture or more.
    n_lines
        Lines across each field in each direction.

    Raises
    ------
    ArgumentError
        Without a field or a line.
    """
    if n_lines < 1:
        raise ArgumentError(f"intercepts take one line or more, got {n_lines}")
    found = [_along_lines(field, n_lines) for field in fields]
    counts, lengths_mm = np.array(found).reshape(-1, 2).T
    return _over_fields("lineal intercept", counts / lengths_mm, counts)


def _along_lines(field: GrainField, n_lines: int) -> tuple[float, float]:
    """Return the intercepts on lines across a field, and the length of the lines in mm."""
    height, width = field.shape
    frame = np.array([shapely.box(0, 0, width, height)])
    middle, reach = np.array([width / 2, height / 2]), math.hypot(width, height) / 2
    count, length = 0.0, 0.0
    for k in range(N_DIRECTIONS):
        angle = math.pi * k / N_DIRECTIONS
        centre = float(middle @ [-math.sin(angle), math.cos(angle)])
        step = 2 * reach / n_lines
        first = centre - reach + step / 2
        inside = parallel_chords(frame, angle, np.array([first]), np.array([step]), n_lines)
        begin, end = np.zeros(n_lines), np.zeros(n_lines)
        begin[inside.line], end[inside.line] = inside.start, inside.stop
        every = np.ones(len(field.outlines))
        cut = parallel_chords(field.outlines, angle, first * every, step * every, n_lines)
        start, stop = np.maximum(cut.start, begin[cut.line]), np.minimum(cut.stop, end[cut.line])
        seen = stop > start
        open_start = (start < begin[cut.line] + BORDER_PX)[seen]
        open_stop = (stop > end[cut.line] - BORDER_PX)[seen]
        count += float((1.0 - 0.5 * open_start - 0.5 * open_stop).sum())
        length += float((end - begin).sum())
    return count, length * field.pixel_size_um * 1e-3


def circular_intercept(fields: Sequence[GrainField]) -> GrainSize:
    """Count the grains along three concentric circles, which favour no direction.

    Parameters
    ----------
    fields
        One picture or more.

    Raises
    ------
    ArgumentError
        Without a field.
    """
    counts = np.array([_along_circles(field) for field in fields])
    radii = [_radii(field).sum() * field.pixel_size_um * 1e-3 for field in fields]
    return _over_fields("circular intercept", counts / (2 * np.pi * np.array(radii)), counts)


def _radii(field: GrainField) -> NDArray[np.float64]:
    largest = 0.5 * min(field.shape) - BORDER_PX
    return largest * np.array(CIRCLES) / max(CIRCLES)


def _along_circles(field: GrainField) -> float:
    """Count the arcs of circles within grains: half the crossings with their outlines."""
    rings = shapely.get_exterior_ring(field.outlines)
    points, row = shapely.get_coordinates(rings, return_index=True)
    same = row[1:] == row[:-1]
    height, width = field.shape
    start = points[:-1][same] - [width / 2, height / 2]
    along = points[1:][same] - points[:-1][same]
    a, b = (along**2).sum(axis=1), (start * along).sum(axis=1)
    crossings = 0
    for radius in _radii(field):
        root = b**2 - a * ((start**2).sum(axis=1) - radius**2)
        met = (root > 0) & (a > 0)
        for sign in (-1.0, 1.0):
            at = (-b[met] + sign * np.sqrt(root[met])) / a[met]
            crossings += int(((at >= 0) & (at < 1)).sum())
    return crossings / 2


def _over_fields(
    method: Method, rates: NDArray[np.float64], counts: NDArray[np.float64]
) -> GrainSize:
    """Return G and its interval from grains per mm², or intercepts per mm, of each field."""
    if not len(rates):
        raise ArgumentError("a grain size takes one field or more")
    rate, half = float(rates.mean()), math.nan
    if len(rates) > 1:
        student = float(student_quantile(len(rates) - 1))
        half = student * float(rates.std(ddof=1)) / math.sqrt(len(rates))
    planar = method == "planimetric"

    def number_of(value: float) -> float:
        if planar or not value > 0:
            return grain_size_from_density(value)
        return grain_size_from_intercept(1 / value)

    return GrainSize(
        method=method,
        number=number_of(rate),
        low=number_of(rate - half),
        high=number_of(rate + half),
        mean=rate if planar else (1 / rate if rate > 0 else math.nan),
        accuracy_percent=100 * half / rate if rate > 0 else math.nan,
        counted=float(counts.sum()),
        n_fields=len(rates),
    )


def largest_grain(fields: Sequence[GrainField]) -> LargestGrain | None:
    """Return the largest grain that is seen whole (ASTM E930); None where there is none.

    Parameters
    ----------
    fields
        One picture or more.
    """
    best: tuple[float, int, int] | None = None
    cut = 0.0
    for number, field in enumerate(fields):
        height, width = field.shape
        areas = shapely.area(field.outlines) * (field.pixel_size_um * 1e-3) ** 2
        inner = shapely.box(BORDER_PX, BORDER_PX, width - BORDER_PX, height - BORDER_PX)
        whole = shapely.covers(inner, field.outlines) & (areas > 0)
        cut = max(cut, float(areas[~whole].max(initial=0.0)))
        if whole.any():
            grain = int(np.argmax(np.where(whole, areas, 0.0)))
            if best is None or areas[grain] > best[0]:
                best = (float(areas[grain]), number, grain)
    if best is None:
        return None
    area, number, grain = best
    return LargestGrain(grain_size_from_density(1 / area), area, number, grain, cut > area)


def covered_part(field: GrainField) -> float:
    """Return the area of the grains within a field over the field's area, overlaps counted twice.

    Grain-size numbers hold for grains that fill the field, where this is near 1.

    Parameters
    ----------
    field
        A picture.
    """
    height, width = field.shape
    seen = shapely.intersection(field.outlines, shapely.box(0, 0, width, height))
    return float(shapely.area(seen).sum() / (height * width))
