"""Regime ``pcs``: transparent crystals in suspension without bias in ratio, angle and area.

The base images of Bischoff et al. 2022 (doi 10.1007/s00216-022-04101-8): crystals drawn by the
smallest rectangle around each, of glass, before a plain field and taken by a sharp, grey camera.
They carry no disturbance; degradations of a picture come after rendering.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.core import ArgumentError
from crystalgauge.scenes.backdrop import Backdrop
from crystalgauge.scenes.backdrop_fields import sample_illumination
from crystalgauge.scenes.camera import Camera
from crystalgauge.scenes.library import column_library
from crystalgauge.scenes.orientation import fit_poses
from crystalgauge.scenes.rectangles import RectangleLaw, sample_rectangles
from crystalgauge.scenes.scatter import scatter
from crystalgauge.scenes.scene import Optics, Population, Scene, placed_vertices
from crystalgauge.scenes.statistics import REFERENCE_PX, log_uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.scenes.library import HabitLibrary
    from crystalgauge.scenes.rectangles import Rectangles

PLACES = 200
"""Places tried for a crystal before it is left out."""

DEPTHS = 12
"""Depths tried for a crystal that overlaps others, before it is lifted above them."""

DEPTH_PX = 150.0
"""Crystals lie this far from the focal plane at most, but for those lifted above others."""

RECTANGLES = RectangleLaw()


@dataclass(frozen=True)
class PcsConfig:
    """What these scenes are drawn from.

    Parameters
    ----------
    rectangles
        Ranges of ratio and area.
    count
        Lowest and highest number of crystals in a field of 384 x 384 px; the authors have
        16,801,555 in 322,558 pictures, 52 in the mean.
    refractive_index
        Range relative to the liquid; one substance, one index per scene.
    largest_overlap
        Largest share of the smaller of two outlines that the larger one may cover, 0 to 1.
    library_seed
        Of the shapes; a held-out test takes another one.
    directions
        Directions traced through the objective's aperture.
    reflections
        Internal reflections followed.
    """

    rectangles: RectangleLaw = RECTANGLES
    count: tuple[int, int] = (20, 84)
    refractive_index: tuple[float, float] = (1.1, 1.8)
    largest_overlap: float = 0.25
    library_seed: int = 0
    directions: int = 8
    reflections: int = 8

    def __post_init__(self) -> None:
        rising = 0 <= self.count[0] <= self.count[1]
        if not (rising and 0 <= self.largest_overlap <= 1):
            raise ArgumentError(
                "a scene needs two rising counts and a largest overlap from 0 to 1, got "
                f"count {self.count} and largest_overlap {self.largest_overlap:g}"
            )


def sample_scene(
    rng: np.random.Generator,
    shape: tuple[int, int] = (REFERENCE_PX, REFERENCE_PX),
    config: PcsConfig | None = None,
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
    config = config or PcsConfig()
    library = column_library(config.library_seed)
    relative_area = shape[0] * shape[1] / REFERENCE_PX**2
    count = round(rng.integers(config.count[0], config.count[1] + 1) * relative_area)
    wanted = sample_rectangles(rng, count, config.rectangles)
    crystals, placed = place_crystals(rng, shape, library, wanted, config)
    return Scene(
        shape,
        crystals.take(placed),
        library,
        _sample_optics(rng, config),
        Backdrop((sample_illumination(rng, shape, calm=True),)),
        Camera(
            psf_sigma_px=float(rng.uniform(0.3, 0.6)),
            level=float(rng.uniform(0.45, 0.85)),
            shot_noise=0.0,
            read_noise=0.002,
        ),
        regime="pcs",
        seed=int(rng.integers(2**31)),
    )


def place_crystals(
    rng: np.random.Generator,
    shape: tuple[int, int],
    library: HabitLibrary,
    wanted: Rectangles,
    config: PcsConfig,
) -> tuple[Population, NDArray[np.bool_]]:
    """Make crystals with the rectangles wanted and put each in its place.

    Parameters
    ----------
    rng
        Source.
    shape
        Height and width of the picture in px.
    library
        Shapes.
    wanted
        N rectangles, drawn before anything is placed: what is drawn again on rejection is the
        place alone, so that large crystals are not drawn less often.
    config
        What to draw from.

    Returns
    -------
    tuple
        The N crystals and ``(N,)`` whether each has a place.
    """
    count = len(wanted.ratio)
    poses = fit_poses(rng, library, wanted)
    index = np.full(count, rng.uniform(*config.refractive_index))
    loose = replace(
        Population.plain(poses.shape, poses.size_px, poses.rotation, np.zeros((count, 3)), index),
        stretch=poses.stretch.astype(np.float32),
    )
    order = np.argsort(-wanted.area_px2, kind="stable")
    position, placed = scatter(
        placed_vertices(library, loose),
        library.vertex_count[poses.shape],
        order,
        rng.random((count, PLACES, 2)),
        rng.uniform(-DEPTH_PX, DEPTH_PX, (count, DEPTHS)),
        (float(shape[0]), float(shape[1])),
        config.largest_overlap,
    )
    return replace(loose, position_px=position.astype(np.float32)), placed & poses.found


def _sample_optics(rng: np.random.Generator, config: PcsConfig) -> Optics:
    """Draw a wide lamp in any direction and an aperture too small for defocus to show."""
    falloff = rng.uniform(0.3, 1.0)
    condenser = falloff / 2 + rng.uniform(0.0, 0.5)
    azimuth, tilt = rng.uniform(0, 2 * np.pi), condenser * rng.uniform(0, 0.8)
    return Optics(
        aperture_tan=float(log_uniform(rng, 5e-4, 4e-3, 1)[0]),
        condenser_rad=float(condenser),
        condenser_falloff_rad=float(falloff),
        stray_light=float(rng.uniform(0.25, 0.75)),
        lamp_tilt=(float(tilt * np.cos(azimuth)), float(tilt * np.sin(azimuth))),
        directions=config.directions,
        reflections=config.reflections,
    )
