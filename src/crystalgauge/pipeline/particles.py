"""What a size distribution is of: crystals or agglomerates, and up to which blur."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from crystalgauge.core import Calibration
    from crystalgauge.measure import Summary

Particles = Literal["crystals", "agglomerates"]


@dataclass(frozen=True)
class Sizing:
    """What counts as a particle of a size distribution.

    Parameters
    ----------
    particles
        ``crystals`` takes each crystal for itself; ``agglomerates`` takes crystals that touch as
        one particle, the union of their outlines.
    max_crystal_blur_px
        Particles with a larger blur are left out (sigma in px, as the model states it; of an
        agglomerate the median of its members); None takes all.

    Raises
    ------
    ArgumentError
        For particles that there are not, or a limit that is not above 0.
    """

    particles: Particles = "crystals"
    max_crystal_blur_px: float | None = None

    def __post_init__(self) -> None:
        if self.particles not in get_args(Particles):
            raise ArgumentError(
                f"particles are {' or '.join(get_args(Particles))}, not {self.particles!r}"
            )
        limit = self.max_crystal_blur_px
        if limit is not None and not (limit > 0 and math.isfinite(limit)):
            raise ArgumentError(f"the largest blur of a crystal is above 0 px, got {limit}")

    @property
    def plain(self) -> bool:
        """Whether every crystal counts for itself."""
        return self == Sizing()


@dataclass(frozen=True, eq=False)
class Sized:
    """The particles of one picture.

    Parameters
    ----------
    table
        One row per particle, with diameter, ``touches_border`` and ``frame_weight``.
    n_blurred
        Particles that were left out for their blur.
    known
        Whether agglomerates, where they are asked for, are known.
    """

    table: pl.DataFrame
    n_blurred: int
    known: bool


def particle_table(
    crystals: pl.DataFrame,
    bounds: NDArray[np.float64],
    shape: tuple[int, int],
    calibration: Calibration | None,
    sizing: Sizing,
) -> Sized:
    """Return the particles of a picture.

    An agglomerate touches the border if a member does, and fits in as many places as its bounds do.

    Parameters
    ----------
    crystals
        The picture's crystal table.
    bounds
        ``(N, 4)`` of the outlines in px.
    shape
        Height and width of the picture in px.
    calibration
        Size of a pixel, None when it is not known.
    sizing
        What counts.
    """
    known = sizing.particles == "crystals" or "agglomerate_id" in crystals.columns
    joined = known and sizing.particles == "agglomerates" and len(crystals) > 0
    table = _agglomerates(crystals, bounds, shape, calibration) if joined else crystals
    limit = sizing.max_crystal_blur_px
    if limit is None or not len(table):
        return Sized(table, 0, known)
    blur = table["defocus_px"].to_numpy().astype(np.float64)
    sharp = ~(blur > limit)  # one whose blur is not known stays
    return Sized(table.filter(sharp), int((~sharp).sum()), known)


def _agglomerates(
    crystals: pl.DataFrame,
    bounds: NDArray[np.float64],
    shape: tuple[int, int],
    calibration: Calibration | None,
) -> pl.DataFrame:
    import polars as pl

    from crystalgauge.measure.frame_correction import frame_weights

    ids = crystals["agglomerate_id"].to_numpy().astype(np.int64)
    alone = ids == 0
    own = np.where(alone, ids.max() + 1 + np.arange(len(ids)), ids)
    _, first, group = np.unique(own, return_index=True, return_inverse=True)
    number = len(first)
    box = np.empty((number, 4))
    for column, ufunc, start in ((0, np.minimum, np.inf), (1, np.minimum, np.inf),
                                 (2, np.maximum, -np.inf), (3, np.maximum, -np.inf)):  # fmt: skip
        box[:, column] = start
        ufunc.at(box[:, column], group, bounds[:, column])
    cut = np.zeros(number, bool)
    np.logical_or.at(cut, group, crystals["touches_border"].to_numpy().astype(bool))
    diameter = crystals["agglomerate_diameter_px"].to_numpy().astype(np.float64)[first]
    blur = crystals["defocus_px"].to_numpy().astype(np.float64)
    columns = {
        "equivalent_diameter_px": diameter,
        "touches_border": cut,
        "frame_weight": np.where(cut, 0.0, frame_weights(box, shape)),
        "defocus_px": np.array([np.median(blur[group == k]) for k in range(number)]),
    }
    if calibration is not None:
        columns["equivalent_diameter_um"] = diameter * calibration.pixel_size_um
    return pl.DataFrame(columns)


def with_sizing(
    summary: Summary, parts: Sequence[Sized], sizing: Sizing, n_crystals: int
) -> Summary:
    """Return a summary that says what its sizes are of.

    Parameters
    ----------
    summary
        Of the particles.
    parts
        Of each picture.
    sizing
        What counts.
    n_crystals
        Crystals found, whatever counts.
    """
    if sizing.plain:
        return summary
    notes = []
    if sizing.particles == "agglomerates":
        particles = sum(len(part.table) + part.n_blurred for part in parts)
        notes.append(
            f"Sizes are of agglomerates: crystals that touch are one particle, the union of their "
            f"outlines ({n_crystals} crystals, {particles} particles)."
        )
        lost = sum(not part.known for part in parts)
        if lost:
            notes.append(
                f"In {lost} of {len(parts)} pictures crystals count for themselves: without the "
                "blur of every crystal agglomerates are not known."
            )
    if sizing.max_crystal_blur_px is not None:
        blurred = sum(part.n_blurred for part in parts)
        name = "crystals" if sizing.particles == "crystals" else "particles"
        notes.append(
            f"{blurred} {name} with a blur above {sizing.max_crystal_blur_px:g} px are "
            "left out of the size distribution and of the number per area."
        )
    sized: Literal["crystal", "particle"] = (
        "particle" if sizing.particles == "agglomerates" else "crystal"
    )
    notes += summary.notes
    return replace(summary, n_crystals=n_crystals, notes=tuple(notes), sized=sized)
