"""What is said of a picture, or of several together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from crystalgauge.measure.statistics import STATISTICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from crystalgauge.measure.bootstrap import Unit as Resampled
    from crystalgauge.measure.frame_correction import FrameCorrection

LengthUnit = Literal["px", "um"]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval.

    Parameters
    ----------
    value
        None when there is nothing to take it from.
    low, high
        Ends of the interval; None where none can be given.
    """

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Percentiles:
    """The sizes below which a tenth, half and nine tenths of a sample lie, and its span."""

    d10: Estimate
    d50: Estimate
    d90: Estimate
    span: Estimate


@dataclass(frozen=True, eq=False)
class Curves:
    """Cumulative distributions with their 95 % band, point by point.

    Parameters
    ----------
    sizes
        ``(K,)`` rising.
    shares, low, high
        ``(K, 4)`` ``Q_r`` for r = 0 ... 3, 0 to 1; `low` and `high` None without intervals.
    edges
        ``(J + 1,)`` class edges, equally wide on a logarithmic axis.
    densities
        ``(J, 4)`` ``dQ_r / d ln x`` of each class.
    """

    sizes: NDArray[np.float64]
    shares: NDArray[np.float64]
    low: NDArray[np.float64] | None
    high: NDArray[np.float64] | None
    edges: NDArray[np.float64]
    densities: NDArray[np.float64]


@dataclass(frozen=True)
class Needed:
    """How many more it takes for an interval of the wanted width; None when not known.

    Parameters
    ----------
    crystals
        That can be sized.
    pictures
        Like those at hand; None when the crystals of one picture were resampled.
    """

    crystals: int | None = None
    pictures: int | None = None


@dataclass(frozen=True)
class Summary:
    """Figures of a size distribution and what they rest on.

    Parameters
    ----------
    unit
        Of the sizes: ``um`` when any picture is calibrated, and then of those only, else ``px``.
    n_pictures, n_crystals
        Pictures and crystals found in them.
    n_border
        Crystals at the border.
    n_sized
        Crystals that the figures rest on.
    figures
        By the names of `statistics.STATISTICS`, in their order.
    precision
        Relative half-width that `needed` is about.
    needed
        By the name of the figure.
    frame_correction
        Whether crystals are weighted for the places they fit in.
    resampled
        What was drawn for the intervals; None when there are none.
    notes
        What a reader must know of these figures, in sentences.
    curves
        When they were asked for.
    sized
        What the sizes are of, in the singular.
    """

    unit: LengthUnit
    n_pictures: int
    n_crystals: int
    n_border: int
    n_sized: int
    figures: Mapping[str, Estimate]
    precision: float
    needed: Mapping[str, Needed]
    frame_correction: FrameCorrection
    resampled: Resampled | None
    notes: tuple[str, ...]
    curves: Curves | None = field(default=None, compare=False)
    sized: Literal["crystal", "particle"] = "crystal"

    def __getitem__(self, name: str) -> Estimate:
        return self.figures[name]

    @property
    def number(self) -> Percentiles:
        """Percentiles when each crystal counts alike."""
        return self._percentiles("number")

    @property
    def length(self) -> Percentiles:
        """Percentiles when each crystal counts by its size."""
        return self._percentiles("length")

    @property
    def area(self) -> Percentiles:
        """Percentiles when each crystal counts by the square of its size."""
        return self._percentiles("area")

    @property
    def volume(self) -> Percentiles:
        """Percentiles when each crystal counts by the cube of its size."""
        return self._percentiles("volume")

    @property
    def number_density(self) -> Estimate:
        """Crystals per mm², or per million px² without a pixel size."""
        return self.figures["moment_0"]

    @property
    def coverage(self) -> Estimate:
        """Mean covered part of the pictures, each with the same weight."""
        return self.figures["coverage"]

    def _percentiles(self, kind: str) -> Percentiles:
        return Percentiles(*(
            self.figures[f"{kind}_{name}"] for name in ("d10", "d50", "d90", "span")
        ))  # fmt: skip

    def as_dict(self) -> dict[str, float | int | str | None]:
        """Return the figures by the names of the glossary, each with the ends of its interval."""
        named: dict[str, float | int | str | None] = {
            "n_pictures": self.n_pictures,
            "n_crystals": self.n_crystals,
            "n_border": self.n_border,
            "n_sized": self.n_sized,
        }
        for statistic in STATISTICS:
            name, each = column_name(statistic.name, self.unit), self.figures[statistic.name]
            named |= {name: each.value, f"{name}_low": each.low, f"{name}_high": each.high}
        named["precision"] = self.precision
        for figure, needed in self.needed.items():
            named[f"more_crystals_{figure}"] = needed.crystals
            named[f"more_pictures_{figure}"] = needed.pictures
        named["frame_correction"] = self.frame_correction
        named["resampled"] = self.resampled
        named["notes"] = " ".join(self.notes)
        return named


def column_name(statistic: str, unit: LengthUnit) -> str:
    """Return the name of a figure in tables, which ends in its unit.

    Parameters
    ----------
    statistic
        Name within `statistics.STATISTICS`.
    unit
        Of the sizes.
    """
    if statistic.startswith("moment_"):
        per = "mm2" if unit == "um" else "mpx"
        power = int(statistic.removeprefix("moment_"))
        if power == 0:
            return f"number_per_{per}"
        return f"{statistic}_{unit}{power if power > 1 else ''}_per_{per}"
    lengths = {each.name for each in STATISTICS if each.power == 1 and "moment" not in each.name}
    return f"{statistic}_{unit}" if statistic in lengths else statistic
