"""Regime ``suspension``: crystals in a liquid or on its floor, seen by transmitted light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from crystalgauge.scenes.backdrop import BackdropConfig, sample_backdrop
from crystalgauge.scenes.camera import sample_camera
from crystalgauge.scenes.library import HabitLibrary, habit_library
from crystalgauge.scenes.placement import CROSSING, FREE, INTERGROWN, TOUCHING, place
from crystalgauge.scenes.scene import Optics, Population, Scene
from crystalgauge.scenes.statistics import (
    CROWDS,
    REFERENCE_PX,
    Crowd,
    directions_near_plane,
    log_uniform,
    orientations,
)
from crystalgauge.scenes.surfaces import with_surfaces

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Places: TypeAlias = (
    "Callable[[np.random.Generator, NDArray[np.float64], float, int], NDArray[np.float64]]"
)
"""Takes a generator, ``(N, V, 3)`` bodies, the largest depth and a number of trials; returns the
``(N, trials, 3)`` centres to try, all in px."""

TRIALS = 8
"""Places tried for a crystal before it is left out."""

BACKDROP = BackdropConfig()

FLAT_HABITS = ("plate", "cuboid", "cube")


@dataclass(frozen=True)
class SuspensionConfig:
    """What suspensions are drawn from.

    Parameters
    ----------
    crowds
        Kinds of population with their frequencies.
    library_seed
        Of the habit library; a held-out test takes another one.
    directions
        Directions traced through the objective's aperture.
    reflections
        Internal reflections followed.
    fill
        Upper bound of the summed squared sizes, in units of the picture's area.
    rosettes
        Share of the scenes in which crystals grow from common centres.
    rough
        Share of the scenes whose crystals have rough faces, inclusions or steps.
    absorbing
        Share of the scenes whose crystals absorb light.
    lined
        Share of the scenes in which the edges of facets show as lines.
    backdrop
        How often what lies behind and before the crystals.
    """

    crowds: tuple[Crowd, ...] = CROWDS
    library_seed: int = 0
    directions: int = 8
    reflections: int = 8
    fill: float = 2.5
    rosettes: float = 0.18
    rough: float = 0.4
    absorbing: float = 0.12
    lined: float = 0.4
    backdrop: BackdropConfig = BACKDROP


def sample_scene(
    rng: np.random.Generator,
    shape: tuple[int, int] = (REFERENCE_PX, REFERENCE_PX),
    config: SuspensionConfig | None = None,
) -> Scene:
    """Draw a field of view.

    Parameters
    ----------
    rng
        Source of everything, the seed of the camera's noise included.
    shape
        Height and width of the picture in px.
    config
        What to draw from.
    """
    config = config or SuspensionConfig()
    library = habit_library(config.library_seed)
    crowd = draw_crowd(rng, config.crowds)
    optics, depth_px = sample_optics(rng, config)
    crystals = sample_crystals(rng, shape, config, crowd, library, depth_px)
    return Scene(
        shape,
        crystals,
        library,
        optics,
        sample_backdrop(rng, shape, config.backdrop),
        sample_camera(rng),
        regime="suspension",
        seed=int(rng.integers(2**31)),
    )


def draw_crowd(rng: np.random.Generator, crowds: tuple[Crowd, ...]) -> Crowd:
    """Draw one of several kinds of population.

    Parameters
    ----------
    rng
        Where the numbers come from.
    crowds
        Kinds with their relative frequencies.
    """
    weights = np.array([crowd.weight for crowd in crowds])
    return crowds[rng.choice(len(weights), p=weights / weights.sum())]


def sample_optics(rng: np.random.Generator, config: SuspensionConfig) -> tuple[Optics, float]:
    """Draw a microscope and how far crystals lie from its focus, in px.

    Parameters
    ----------
    rng
        Where the numbers come from.
    config
        What to draw from.
    """
    sharp = rng.random() < 0.35
    sigma_px = rng.uniform(0, 0.8) if sharp else rng.uniform(0.8, 6.5)  # at the depth's end
    depth_px = rng.uniform(30, 160)
    aperture_tan = min(max(2 * sigma_px / depth_px, 0.02), 0.25)
    depth_px = max(2 * sigma_px / aperture_tan, 1.0)
    falloff = log_uniform(rng, 0.03, 0.4, 1)[0]
    condenser = log_uniform(rng, 0.02, 0.2, 1)[0] + falloff / 2
    tilt = np.zeros(2)
    if rng.random() < 0.4:
        azimuth = rng.uniform(0, 2 * np.pi)
        tilt = np.array([np.cos(azimuth), np.sin(azimuth)]) * rng.uniform(0, 0.7) * condenser
    return Optics(
        aperture_tan,
        condenser,
        falloff,
        stray_light=rng.uniform(0, 0.25),
        lamp_tilt=(float(tilt[0]), float(tilt[1])),
        directions=config.directions,
        reflections=config.reflections,
    ), depth_px


def anywhere(shape: tuple[int, int], size: NDArray[np.float64]) -> Places:
    """Return what draws places all over a frame and, for large crystals, a little beyond.

    Parameters
    ----------
    shape
        Height and width of the picture in px.
    size
        ``(N,)`` of the crystals in px.
    """
    margin = min(0.25 * float(size.max(initial=0)), 40.0)
    height, width = shape

    def places(
        rng: np.random.Generator, bodies: NDArray[np.float64], depth_px: float, trials: int
    ) -> NDArray[np.float64]:
        low = (-margin, -margin, -depth_px)
        return rng.uniform(
            low, (width + margin, height + margin, depth_px), (len(bodies), trials, 3)
        )

    return places


def sample_crystals(
    rng: np.random.Generator,
    shape: tuple[int, int],
    config: SuspensionConfig,
    crowd: Crowd,
    library: HabitLibrary,
    depth_px: float,
    places: Places | None = None,
) -> Population:
    """Draw the crystals of a scene and put each in its place.

    Parameters
    ----------
    rng
        Where the numbers come from.
    shape
        Height and width of the picture in px.
    config, crowd, library
        What to draw from.
    depth_px
        Farthest from the focal plane.
    places
        Draws where free crystals may lie; `anywhere` by default.
    """
    size = _sample_sizes(rng, shape, config, crowd)
    count = len(size)
    rows = library.rows_of(*crowd.habits)
    if not crowd.habits and rng.random() < 0.5:  # one substance, one habit
        rows = library.rows_of(rng.choice(library.habit))
    kind = rng.choice(rows, count)
    flat = np.isin(library.habit[kind], FLAT_HABITS) & (rng.random(count) < 0.6)
    rotation = orientations(rng, flat, rng.uniform(0.1, 1.0))
    bodies = np.matmul(library.vertices[kind] * size[:, None, None], rotation.transpose(0, 2, 1))
    relation, partner, offsets = _sample_relations(rng, config, size, rotation)
    candidates = (places or anywhere(shape, size))(rng, bodies, depth_px, TRIALS)
    height, width = shape
    position, placed = place(
        bodies.astype(np.float32),
        library.vertex_count[kind],
        relation,
        partner,
        candidates,
        offsets,
        height,
        width,
    )
    crystals = Population.plain(kind, size, rotation, position, _sample_indices(rng, count))
    crystals = with_surfaces(
        rng, crystals, lined=config.lined, absorbing=config.absorbing, rough=config.rough
    )
    return crystals.take(placed)


def _sample_sizes(
    rng: np.random.Generator, shape: tuple[int, int], config: SuspensionConfig, crowd: Crowd
) -> NDArray[np.float64]:
    """Draw sizes in px, as many as the crowd wants and the field holds."""
    low, high = rng.uniform(*crowd.smallest_px), rng.uniform(*crowd.largest_px)
    relative_area = shape[0] * shape[1] / REFERENCE_PX**2
    wanted = np.exp(rng.uniform(np.log(crowd.count[0] + 1), np.log(crowd.count[1] + 1))) - 1
    count = int(np.ceil(wanted * relative_area))
    size = low * (high / low) ** (rng.random(count) ** rng.uniform(0.7, 2.0))
    room = config.fill * shape[0] * shape[1]
    slim = 5.0 if crowd.habits == ("needle",) else 1.5
    return size[np.cumsum(size**2 / slim) <= room]


def _sample_relations(
    rng: np.random.Generator,
    config: SuspensionConfig,
    size: NDArray[np.float64],
    rotation: NDArray[np.float64],
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float64]]:
    """Draw how each crystal lies to an earlier one; see `placement.place`."""
    count = len(size)
    crossing = rng.choice([0.0, 0.25, 0.5], p=[0.4, 0.3, 0.3])
    touching = rng.choice([0.0, 0.15, 0.4], p=[0.4, 0.35, 0.25])
    drawn = rng.random(count)
    relation = np.where(drawn < crossing, CROSSING, FREE)
    relation[(drawn >= crossing) & (drawn < crossing + touching)] = TOUCHING
    partner = np.floor(rng.random(count) * np.arange(count)).astype(np.int64)
    if rng.random() < config.rosettes:
        _gather_rosettes(rng, relation, partner)
    elif rng.random() < 0.25:  # twins here and there
        relation[rng.random(count) < 0.12] = INTERGROWN
    offsets = np.stack([directions_near_plane(rng, count, 0.15) for _ in range(TRIALS)], axis=1)
    mean_size = (size + size[partner])[:, None] / 2
    cross = relation == CROSSING
    reach = rng.uniform(0.1, 0.7, (count, TRIALS)) * mean_size
    offsets[cross] *= reach[cross][..., None]
    lift = rng.choice([-1.0, 1.0], (count, TRIALS)) * mean_size * np.linspace(0.1, 0.8, TRIALS)
    offsets[cross, :, 2] = lift[cross]
    grown = relation == INTERGROWN
    from_end = rng.random() < 0.5  # rays of a rosette, or bodies grown through each other
    reach_own = rng.uniform(0.25, 0.5, count) if from_end else rng.uniform(0.0, 0.25, count)
    along = rotation[:, :, 0] * (size * reach_own)[:, None]
    offsets[grown] = along[grown, None, :]
    return relation.astype(np.int32), partner, offsets


def _gather_rosettes(
    rng: np.random.Generator, relation: NDArray[np.int_], partner: NDArray[np.int64]
) -> None:
    """Let runs of crystals grow out of the first of each run."""
    count = len(relation)
    start = 0
    while start < count:
        members = int(rng.integers(3, 13)) if rng.random() < 0.4 else 1
        end = min(start + members, count)
        if end - start > 1:
            relation[start + 1 : end] = INTERGROWN
            partner[start + 1 : end] = start
        start = end


def _sample_indices(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Draw refractive indices relative to the liquid: a substance with a spread."""
    low = rng.uniform(1.02, 1.10) if rng.random() < 0.65 else rng.uniform(1.08, 1.35)
    return rng.uniform(low, low + rng.uniform(0, 0.12), count)
