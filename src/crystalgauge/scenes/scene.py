"""A scene: everything a picture depends on but the camera's noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.scenes.backdrop import Backdrop
    from crystalgauge.scenes.camera import Camera
    from crystalgauge.scenes.library import HabitLibrary


@dataclass(frozen=True)
class Optics:
    """Objective and condenser of a telecentric bright-field microscope.

    Parameters
    ----------
    aperture_tan
        Tangent of the objective's half angle; a point at depth ``z`` blurs to a disc of radius
        ``|z| * aperture_tan``.
    condenser_rad
        Half angle at which the condenser's light has fallen to one half, in rad.
    condenser_falloff_rad
        Width of the smooth edge of the condenser's profile, in rad, positive.
    stray_light
        Radiance from directions beyond the condenser, relative to its centre, in [0, 1].
    lamp_tilt
        Slopes in x and y of the condenser's axis; not zero in oblique illumination.
    directions
        Number of directions traced through the objective's aperture.
    reflections
        Number of internal reflections followed.
    """

    aperture_tan: float = 0.05
    condenser_rad: float = 0.15
    condenser_falloff_rad: float = 0.1
    stray_light: float = 0.05
    lamp_tilt: tuple[float, float] = (0.0, 0.0)
    directions: int = 8
    reflections: int = 8


@dataclass(frozen=True, eq=False)
class Population:
    """The crystals of a scene, one row each.

    The scene frame has x to the right and y down in image px (pixel centres at integers + 0.5)
    and z towards the camera, also in px, zero in the focal plane.

    Parameters
    ----------
    shape
        ``(N,)`` rows of the habit library.
    size_px
        ``(N,)`` largest extents of the bodies before they are stretched.
    rotation
        ``(N, 3, 3)`` from the shape's frame into the scene's.
    position_px
        ``(N, 3)`` centres.
    refractive_index
        ``(N,)`` relative to the mother liquor.
    absorption_per_px
        ``(N,)`` Beer-Lambert coefficients, >= 0.
    visibility
        ``(N,)`` in (0, 1]: share of the contrast that glare leaves.
    roughness
        ``(N,)`` standard deviation of the light behind a rough face, relative.
    grain_px
        ``(N,)`` correlation length of that roughness.
    specks
        ``(N,)`` number of dark inclusions.
    steps
        ``(N,)`` number of growth steps across the faces.
    surface_seed
        ``(N,)`` seeds of the surface's pattern.
    edge_depth
        ``(N,)`` relative loss of light in lines along the facets' edges, which diffraction and
        rounding draw; negative for bright lines.
    edge_px
        ``(N,)`` half width of these lines.
    stretch
        ``(N, 3)`` factors along the axes of the shape's frame, positive; applied before the
        rotation.
    """

    shape: NDArray[np.int32]
    size_px: NDArray[np.float32]
    rotation: NDArray[np.float32]
    position_px: NDArray[np.float32]
    refractive_index: NDArray[np.float32]
    absorption_per_px: NDArray[np.float32]
    visibility: NDArray[np.float32]
    roughness: NDArray[np.float32]
    grain_px: NDArray[np.float32]
    specks: NDArray[np.int32]
    steps: NDArray[np.int32]
    surface_seed: NDArray[np.int64]
    edge_depth: NDArray[np.float32]
    edge_px: NDArray[np.float32]
    stretch: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.shape)

    def __post_init__(self) -> None:
        lengths = {name: len(values) for name, values in vars(self).items()}
        if len(set(lengths.values())) > 1:
            raise ArgumentError(f"the columns of a population differ in length: {lengths}")

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Population:
        """Return the crystals named by indices or a mask.

        Parameters
        ----------
        rows
            ``(M,)`` indices or ``(N,)`` booleans.
        """
        return Population(**{name: values[rows] for name, values in vars(self).items()})

    @classmethod
    def plain(
        cls,
        shape: NDArray[np.int32],
        size_px: NDArray[np.floating],
        rotation: NDArray[np.floating],
        position_px: NDArray[np.floating],
        refractive_index: NDArray[np.floating],
    ) -> Population:
        """Return clear, unstretched crystals with perfect faces.

        Parameters
        ----------
        shape, size_px, rotation, position_px, refractive_index
            As for the class.
        """
        count = len(shape)
        zeros = np.zeros(count, np.float32)
        return cls(
            np.asarray(shape, np.int32),
            np.asarray(size_px, np.float32),
            np.asarray(rotation, np.float32),
            np.asarray(position_px, np.float32),
            np.asarray(refractive_index, np.float32),
            absorption_per_px=zeros,
            visibility=np.ones(count, np.float32),
            roughness=zeros,
            grain_px=np.ones(count, np.float32),
            specks=np.zeros(count, np.int32),
            steps=np.zeros(count, np.int32),
            surface_seed=np.zeros(count, np.int64),
            edge_depth=zeros,
            edge_px=np.ones(count, np.float32),
            stretch=np.ones((count, 3), np.float32),
        )


@dataclass(frozen=True, eq=False)
class Scene:
    """A field of view. Rendering it draws nothing but the camera's noise.

    Parameters
    ----------
    shape
        Height and width of the picture in px.
    crystals
        The population.
    library
        Shapes the population refers to.
    optics
        Objective and condenser.
    backdrop
        What lies before and behind the crystals and is not one.
    camera
        From irradiance to grey values.
    regime
        Name of the sampler.
    seed
        Seed of the camera's noise.
    """

    shape: tuple[int, int]
    crystals: Population
    library: HabitLibrary
    optics: Optics
    backdrop: Backdrop
    camera: Camera
    regime: str
    seed: int

    def vertices_px(self) -> NDArray[np.float32]:
        """Return the ``(N, 44, 3)`` corners in the scene frame, zero-padded rows at the centre."""
        return placed_vertices(self.library, self.crystals)


def placed_vertices(library: HabitLibrary, crystals: Population) -> NDArray[np.float32]:
    """Return the ``(N, 44, 3)`` float32 corners of crystals in the scene frame.

    Parameters
    ----------
    library
        Shapes; corners beyond a shape's own number are put at its centre.
    crystals
        The population.
    """
    corners = library.vertices[crystals.shape] * crystals.size_px[:, None, None]
    stretched = corners * crystals.stretch[:, None, :]
    turned = np.matmul(stretched, crystals.rotation.transpose(0, 2, 1))
    return np.asarray(turned + crystals.position_px[:, None, :], dtype=np.float32)


def placed_facets(
    library: HabitLibrary, crystals: Population
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the facets of crystals about their centres, along the axes of the scene.

    Parameters
    ----------
    library
        Shapes.
    crystals
        The population.

    Returns
    -------
    tuple
        ``(N, 24, 3)`` float32 outward unit normals, zero beyond each shape's own faces, and
        ``(N, 24)`` float32 distances of the facets from the centre, in px.

    Notes
    -----
    Points stretch with ``S``, so normals with its inverse transpose. Lengths are divided by
    their growth rather than by themselves: without a stretch nothing changes, not even by rounding.
    """
    normals = library.normals[crystals.shape]
    steeper = normals / crystals.stretch[:, None, :]
    length = np.linalg.norm(normals, axis=2)
    growth = np.linalg.norm(steeper, axis=2)
    np.divide(growth, length, out=growth, where=length > 0)
    growth[length == 0] = 1.0
    turned = np.matmul(steeper / growth[..., None], crystals.rotation.transpose(0, 2, 1))
    distances = library.distances[crystals.shape] * crystals.size_px[:, None] / growth
    return np.ascontiguousarray(turned, np.float32), np.asarray(distances, np.float32)
