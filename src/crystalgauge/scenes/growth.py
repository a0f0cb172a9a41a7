"""Regime ``growth``: drops from a stirred batch of protein crystals, as it goes on.

The experiments of Bischoff et al. 2022 (doi 10.1007/s00216-022-04101-8, methods and Figs 5 to 8):
four variants of an enzyme, each with the aspect ratios of Fig. 8, crystallize for a day; samples
are diluted tenfold and seen clear, or not diluted and seen through precipitate. Rates, which the
paper does not give, are set so that the variants' sizes keep its order and the number of crystals
in a picture its magnitude.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.core import ArgumentError
from crystalgauge.scenes.backdrop import Backdrop, BackdropConfig, sample_backdrop
from crystalgauge.scenes.backdrop_dust import sample_specks
from crystalgauge.scenes.backdrop_fields import sample_illumination
from crystalgauge.scenes.camera import Camera
from crystalgauge.scenes.library import column_library
from crystalgauge.scenes.orientation import fit_poses
from crystalgauge.scenes.population_balance import (
    UM3_PER_ML,
    Batch,
    BreakageLaw,
    GrowthLaw,
    NucleationLaw,
    run_batch,
)
from crystalgauge.scenes.rectangles import Rectangles
from crystalgauge.scenes.scene import Optics, Population, Scene
from crystalgauge.scenes.statistics import REFERENCE_PX

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.scenes.population_balance import BatchHistory, Parcels

PIXEL_UM = 0.84
"""Of the paper's camera and objective."""

HOURS = (2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 24.0)
"""When samples are taken."""

LEAST_SIDE_PX = 1.0
"""Roots of rectangles' areas below which no lens shows a crystal; they are not drawn."""

PRECIPITATE = BackdropConfig(
    plain=0.0,
    busy=0.0,
    counts=(0.0, 0.25, 0.45, 0.3),
    weights=(
        ("texture", 2.0),
        ("folds", 1.0),
        ("veil", 1.0),
        ("clumps", 1.5),
        ("sand", 0.6),
        ("specks", 1.0),
    ),
)
"""What host cell protein leaves in a drop that was not diluted: grains, skin, aggregates."""


@dataclass(frozen=True)
class Variant:
    """An enzyme and its crystals.

    Parameters
    ----------
    name
        As in the paper.
    aspect_ratio, aspect_ratio_deviation
        Mean and standard deviation of nuclei; those of Fig. 8, but that breaks shorten crystals.
    width_um_per_h
        Growth of the width at a supersaturation of 1.
    nucleation_per_ml_h
        Births at a supersaturation of 1.
    breakage_per_h
        Of crystals of 100 µm.
    """

    name: str
    aspect_ratio: float
    aspect_ratio_deviation: float
    width_um_per_h: float
    nucleation_per_ml_h: float
    breakage_per_h: float = 0.0

    def batch(self) -> Batch:
        """Return a batch of this variant."""
        return Batch(
            GrowthLaw(self.width_um_per_h),
            GrowthLaw(self.aspect_ratio * self.width_um_per_h),
            NucleationLaw(self.nucleation_per_ml_h),
            BreakageLaw(self.breakage_per_h),
            dispersion=self.aspect_ratio_deviation / self.aspect_ratio,
        )


VARIANTS = {
    "wild type": Variant("wild type", 6.4, 2.55, 0.42, 15.0, 0.006),
    "T102E": Variant("T102E", 5.50, 1.77, 0.25, 110.0),
    "Q126K": Variant("Q126K", 6.70, 2.25, 0.32, 45.0),
    "Q126H": Variant("Q126H", 7.97, 2.00, 0.38, 17.0),
}
"""By name."""


@dataclass(frozen=True)
class Drop:
    """How a sample is brought under the microscope.

    Parameters
    ----------
    dilution
        Volumes of the diluted sample per volume of suspension, at least 1.
    depth_mm
        Of the liquid; its crystals have sunk to the floor.
    precipitate
        Whether protein that did not crystallize clouds the picture.
    pixel_um
        Size of a pixel.
    """

    dilution: float = 10.0
    depth_mm: float = 1.5
    precipitate: bool = False
    pixel_um: float = PIXEL_UM

    def __post_init__(self) -> None:
        if self.dilution < 1 or self.depth_mm <= 0 or self.pixel_um <= 0:
            raise ArgumentError(
                "a drop has a dilution of at least 1, a depth and a pixel size above 0, got "
                f"{self.dilution:g}, {self.depth_mm:g} mm and {self.pixel_um:g} um"
            )


DILUTED = Drop()
UNDILUTED = Drop(dilution=1.0, depth_mm=0.02, precipitate=True)


def replicate(batch: Batch, rng: np.random.Generator) -> Batch:
    """Return a batch as it turns out another time: the same substance, not the same day.

    Parameters
    ----------
    batch
        As planned.
    rng
        Draws what differs: nucleation by 30 %, growth by 8 %, concentration by 3 %.
    """
    birth, growth, amount = np.exp(rng.normal(0.0, (0.3, 0.08, 0.03)))
    return replace(
        batch,
        nucleation=replace(
            batch.nucleation, rate_per_ml_h=float(batch.nucleation.rate_per_ml_h * birth)
        ),
        sides=replace(batch.sides, rate_um_per_h=float(batch.sides.rate_um_per_h * growth)),
        ends=replace(batch.ends, rate_um_per_h=float(batch.ends.rate_um_per_h * growth)),
        dissolved_g_per_l=float(batch.dissolved_g_per_l * amount),
    )


def sample_scene(
    rng: np.random.Generator, shape: tuple[int, int] = (REFERENCE_PX, REFERENCE_PX)
) -> Scene:
    """Draw a field of view of any variant, replicate and time, diluted or not.

    Parameters
    ----------
    rng
        Source of everything, the seed of the camera's noise included.
    shape
        Height and width of the picture in px.
    """
    variant = list(VARIANTS)[int(rng.integers(len(VARIANTS)))]
    history = batch_of(variant, int(rng.integers(16)))
    population = history.samples[int(rng.integers(len(HOURS)))]
    drop = DILUTED if rng.random() < 0.7 else UNDILUTED
    return picture_sample(rng, population, drop, shape)


@lru_cache(maxsize=64)
def batch_of(variant: str, number: int) -> BatchHistory:
    """Return the history of a replicate at `HOURS`.

    Parameters
    ----------
    variant
        Name of `VARIANTS`.
    number
        Of the replicate; the same number, the same history.

    Raises
    ------
    ArgumentError
        When no variant has this name.
    """
    if variant not in VARIANTS:
        raise ArgumentError(f"unknown variant {variant!r}; known are {', '.join(VARIANTS)}")
    rng = np.random.default_rng((list(VARIANTS).index(variant), number))
    return run_batch(replicate(VARIANTS[variant].batch(), rng), HOURS, rng, step_h=0.05)


def picture_sample(
    rng: np.random.Generator, population: Parcels, drop: Drop, shape: tuple[int, int]
) -> Scene:
    """Draw a field of view of a sample.

    Crystals lie at random, those that the frame cuts among them. The rectangle of each in the
    picture has exactly its length and width: columns lie on their sides.

    Parameters
    ----------
    rng
        Draws which crystals lie in the field, their places and all else.
    population
        Of the crystallizer when the sample was taken.
    drop
        How it is seen.
    shape
        Height and width of the picture in px.
    """
    width, length = _drawn(rng, population, drop, shape)
    side, end = np.minimum(width, length), np.maximum(width, length)
    angle = rng.uniform(-np.pi / 2, np.pi / 2, len(side))
    library = column_library(0)
    poses = fit_poses(rng, library, Rectangles(end / side, side * end, angle))
    count = len(side)
    reach = 0.5 * float(np.hypot(end, side).max(initial=0.0))
    place = rng.uniform(0, 1, (count, 2)) * (np.array(shape[::-1]) + 2 * reach) - reach
    # the longest crystal sets the margin; of the others only what can be seen is kept
    near = (np.abs(place - 0.5 * np.array(shape[::-1])) < 0.5 * np.array(shape[::-1])
            + 0.5 * np.hypot(end, side)[:, None]).all(1)  # fmt: skip
    depth = rng.uniform(-60.0, 60.0, count)
    crystals = replace(
        Population.plain(
            poses.shape, poses.size_px, poses.rotation, np.column_stack([place, depth]),
            np.full(count, rng.uniform(1.1, 1.3)),
        ),
        stretch=poses.stretch.astype(np.float32),
    )  # fmt: skip
    return Scene(
        shape,
        crystals.take(poses.found & near),
        library,
        _optics(rng),
        _backdrop(rng, shape, drop),
        Camera(
            psf_sigma_px=float(rng.uniform(0.5, 0.8)),
            level=float(rng.uniform(0.5, 0.75)),
            shot_noise=0.0,
            read_noise=0.006,
        ),
        regime="growth",
        seed=int(rng.integers(2**31)),
    )


def _drawn(
    rng: np.random.Generator, population: Parcels, drop: Drop, shape: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return widths and lengths in px of the crystals in a field with a margin around it."""
    width, length = population.width_um / drop.pixel_um, population.length_um / drop.pixel_um
    seen = np.sqrt(width * length) >= LEAST_SIDE_PX
    if not seen.any():
        return np.empty(0), np.empty(0)
    reach = float(np.hypot(width, length)[seen].max())
    area_um2 = (shape[0] + reach) * (shape[1] + reach) * drop.pixel_um**2
    volume_ml = area_um2 * drop.depth_mm * 1e3 / UM3_PER_ML
    expected = population.number_per_ml * seen * volume_ml / drop.dilution
    count = rng.poisson(expected.sum())
    rows = rng.choice(len(width), count, p=expected / expected.sum())
    return width[rows], length[rows]


def _optics(rng: np.random.Generator) -> Optics:
    """Return a wide lamp a little off the axis, and an aperture that blurs little."""
    azimuth = rng.uniform(0, 2 * np.pi)
    tilt = rng.uniform(0.0, 0.2)
    return Optics(
        aperture_tan=0.01,
        condenser_rad=float(rng.uniform(0.25, 0.45)),
        condenser_falloff_rad=float(rng.uniform(0.2, 0.4)),
        stray_light=float(rng.uniform(0.2, 0.4)),
        lamp_tilt=(float(tilt * np.cos(azimuth)), float(tilt * np.sin(azimuth))),
    )


def _backdrop(rng: np.random.Generator, shape: tuple[int, int], drop: Drop) -> Backdrop:
    if drop.precipitate:
        return sample_backdrop(rng, shape, PRECIPITATE)
    specks = sample_specks(rng, shape) if rng.random() < 0.5 else ()
    return Backdrop((sample_illumination(rng, shape, calm=True), *specks))
