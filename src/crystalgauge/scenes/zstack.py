"""Regime ``zstack``: one field of view through focus, nuclei or crystals.

31 planes 2 µm apart of which number 16 is in focus, as in BBBC006 (Ljosa, Sokolnicki and Carpenter
2012, doi 10.1038/nmeth.2083): plane 10 is 12 µm below the sample and plane 25 is 18 µm above it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from crystalgauge.core import ArgumentError
from crystalgauge.scenes import suspension
from crystalgauge.scenes.backdrop import Backdrop
from crystalgauge.scenes.backdrop_fields import sample_illumination
from crystalgauge.scenes.camera import Camera
from crystalgauge.scenes.scene import Optics, Scene
from crystalgauge.scenes.statistics import REFERENCE_PX, Crowd, log_uniform
from crystalgauge.scenes.suspension import SuspensionConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

Content = Literal["nuclei", "crystals"]

AIRY_SIGMA = math.sqrt(2) / (2 * math.pi)
"""Gaussian of a wide-field PSF in focus, in units of wavelength / NA: Zhang, Zerubia and
Olivo-Marin 2007 (doi 10.1364/AO.46.001819), paraxial, two-dimensional."""


@dataclass(frozen=True)
class Microscope:
    """An objective in air and the pixels behind it.

    Parameters
    ----------
    numerical_aperture
        Of the objective, between 0 and 1.
    wavelength_um
        Of the light, in µm.
    pixel_um
        Size of a pixel in the object.
    spherical_waves
        Coefficient in waves of Zernike's spherical aberration ``6 r^4 - 6 r^2 + 1`` over the
        pupil's radius r. It tells planes above the focus from those below, which a perfect
        objective does not.
    """

    numerical_aperture: float = 0.45
    wavelength_um: float = 0.461
    pixel_um: float = 0.656
    spherical_waves: float = 0.0

    def __post_init__(self) -> None:
        if not (0 < self.numerical_aperture < 1 and min(self.wavelength_um, self.pixel_um) > 0):
            raise ArgumentError(
                "a microscope in air has a numerical aperture between 0 and 1 and a positive "
                f"wavelength and pixel size, got {self.numerical_aperture:g}, "
                f"{self.wavelength_um:g} um and {self.pixel_um:g} um"
            )

    @property
    def aperture_tan(self) -> float:
        """Slope of the marginal ray."""
        return self.numerical_aperture / math.sqrt(1 - self.numerical_aperture**2)

    @property
    def cutoff_per_um(self) -> float:
        """Highest spatial frequency of incoherent light, 2 NA / wavelength (Abbe)."""
        return 2 * self.numerical_aperture / self.wavelength_um

    def blur_sigma_px(self, defocus_um: float) -> float:
        """Return the standard deviation of the blur of a plane, per axis, in px.

        Parameters
        ----------
        defocus_um
            Distance from the focal plane; its sign makes no difference.

        Notes
        -----
        ``sigma^2 = (|z| tan(asin NA) / 2)^2 + (0.225 wavelength / NA)^2``: the disc of geometrical
        optics, whose radius is twice its standard deviation along an axis, and diffraction
        (`AIRY_SIGMA`).
        """
        disc_um = abs(defocus_um) * self.aperture_tan / 2
        airy_um = AIRY_SIGMA * self.wavelength_um / self.numerical_aperture
        return math.hypot(disc_um, airy_um) / self.pixel_um


@dataclass(frozen=True)
class FocalSeries:
    """Planes at which a field of view is seen.

    Parameters
    ----------
    planes
        Their number.
    step_um
        Distance of neighbours.
    focal_plane
        Number of the plane in which the sample lies, counted from 0 at the bottom.
    """

    planes: int = 31
    step_um: float = 2.0
    focal_plane: int = 16

    def __post_init__(self) -> None:
        if not (0 <= self.focal_plane < self.planes and self.step_um > 0):
            raise ArgumentError(
                "a focal series has its focal plane among its planes and a positive step, got "
                f"plane {self.focal_plane} of {self.planes} and {self.step_um:g} um"
            )

    def offset_um(self, plane: int) -> float:
        """Return how far a plane lies above the focal plane, in µm.

        Parameters
        ----------
        plane
            Its number.

        Raises
        ------
        ArgumentError
            When there is no such plane.
        """
        if not 0 <= plane < self.planes:
            raise ArgumentError(f"there is no plane {plane}; planes are 0 to {self.planes - 1}")
        return (plane - self.focal_plane) * self.step_um


@dataclass(frozen=True, eq=False)
class Nuclei:
    """Fluorescent nuclei, one row each.

    Parameters
    ----------
    centre_px
        ``(N, 2)`` x and y in the image.
    semi_axes_px
        ``(N, 2)`` longer and shorter semi-axis.
    angle_rad
        ``(N,)`` of the longer one.
    brightness
        ``(N,)`` relative emission, about 1.
    depth_um
        ``(N,)`` height above the focal plane.
    """

    centre_px: NDArray[np.float64]
    semi_axes_px: NDArray[np.float64]
    angle_rad: NDArray[np.float64]
    brightness: NDArray[np.float64]
    depth_um: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.angle_rad)


@dataclass(frozen=True, eq=False)
class NucleiStack:
    """Stained nuclei on dark, seen by their fluorescence.

    Parameters
    ----------
    shape
        Height and width in px.
    nuclei
        What shines.
    microscope, series
        How it is seen.
    electrons
        In a pixel of a nucleus of brightness 1, in focus.
    background
        Even light, relative to that.
    read_noise
        Standard deviation of the camera's noise in electrons.
    seed
        Of texture and noise.
    """

    shape: tuple[int, int]
    nuclei: Nuclei
    microscope: Microscope
    series: FocalSeries
    electrons: float
    background: float
    read_noise: float
    seed: int


@dataclass(frozen=True, eq=False)
class CrystalStack:
    """Crystals in bright field.

    Parameters
    ----------
    scene
        The field of view in focus.
    microscope, series
        How it is seen.
    """

    scene: Scene
    microscope: Microscope
    series: FocalSeries

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in px."""
        return self.scene.shape

    def at_plane(self, plane: int) -> Scene:
        """Return the scene as it lies when a plane is in focus, with noise of its own.

        Parameters
        ----------
        plane
            Its number.
        """
        offset_px = self.series.offset_um(plane) / self.microscope.pixel_um
        crystals = self.scene.crystals
        position = crystals.position_px - np.array([0, 0, offset_px], np.float32)
        noise = np.random.SeedSequence((self.scene.seed, plane)).generate_state(1)
        return replace(
            self.scene, crystals=replace(crystals, position_px=position), seed=int(noise[0])
        )


FocusStack: TypeAlias = NucleiStack | CrystalStack
"""A field of view at known distances from focus."""

FLUORESCENCE = Microscope(spherical_waves=0.15)
"""A 20x dry objective of aperture 0.45 through a plate's floor, and Hoechst's emission."""

BRIGHT_FIELD = Microscope(numerical_aperture=0.25, wavelength_um=0.55)
"""An objective of aperture 0.25 and green light."""

NUCLEI_PER_UM2 = 7e-4
"""More than BBBC006 has on average, as most of it is empty."""

SEMI_AXIS_UM = (6.0, 11.0)
DEPTHS_UM = (-1.5, 0.0, 1.5)
"""Heights of nuclei: few, so that a plane is a sum of few blurred layers."""

CRYSTAL_DEPTH_UM = 2.0
"""Centres of crystals lie at most this far from the focal plane."""

CLEAR_SUSPENSION = SuspensionConfig(
    crowds=(
        Crowd("medium", 0.6, (15, 60), (8, 20), (35, 90)),
        Crowd("needles", 0.4, (10, 50), (15, 30), (60, 160), ("needle",)),
    ),
    directions=16,
)
"""Crystals before an even field; more directions than usual, for discs of many px."""


def sample_stack(
    rng: np.random.Generator,
    shape: tuple[int, int] = (REFERENCE_PX, REFERENCE_PX),
    content: Content = "nuclei",
) -> FocusStack:
    """Draw a field of view and the planes through it.

    Parameters
    ----------
    rng
        Source of everything, the seed of noise and texture included.
    shape
        Height and width in px.
    content
        What is seen.

    Raises
    ------
    ArgumentError
        When the content is unknown.
    """
    if content == "nuclei":
        return _sample_nuclei_stack(rng, shape)
    if content == "crystals":
        return _sample_crystal_stack(rng, shape)
    raise ArgumentError(f"unknown content {content!r} of a stack; known are nuclei and crystals")


def _sample_nuclei_stack(rng: np.random.Generator, shape: tuple[int, int]) -> NucleiStack:
    height, width = shape
    pixel_um = FLUORESCENCE.pixel_um
    expected = NUCLEI_PER_UM2 * height * width * pixel_um**2 * log_uniform(rng, 0.5, 2.0, 1)[0]
    count = max(1, int(rng.poisson(expected)))
    longer = rng.uniform(*SEMI_AXIS_UM, count) / pixel_um
    nuclei = Nuclei(
        rng.uniform(0, 1, (count, 2)) * (width, height),
        np.column_stack([longer, longer * rng.uniform(0.6, 0.95, count)]),
        rng.uniform(0, np.pi, count),
        log_uniform(rng, 0.5, 2.0, count),
        rng.choice(DEPTHS_UM, count),
    )
    return NucleiStack(
        shape, nuclei, FLUORESCENCE, FocalSeries(),
        electrons=float(log_uniform(rng, 150, 3000, 1)[0]),
        background=float(log_uniform(rng, 0.003, 0.1, 1)[0]),
        read_noise=float(rng.uniform(4, 10)),
        seed=int(rng.integers(2**31)),
    )  # fmt: skip


def _sample_crystal_stack(rng: np.random.Generator, shape: tuple[int, int]) -> CrystalStack:
    scene = suspension.sample_scene(rng, shape, CLEAR_SUSPENSION)
    position = scene.crystals.position_px.copy()
    depth_px = CRYSTAL_DEPTH_UM / BRIGHT_FIELD.pixel_um
    position[:, 2] = rng.uniform(-depth_px, depth_px, len(position))
    falloff = float(rng.uniform(0.15, 0.4))
    optics = Optics(
        aperture_tan=BRIGHT_FIELD.aperture_tan,
        condenser_rad=BRIGHT_FIELD.aperture_tan + falloff,  # it fills the objective
        condenser_falloff_rad=falloff,
        stray_light=float(rng.uniform(0.05, 0.25)),
        directions=CLEAR_SUSPENSION.directions,
    )
    camera = Camera(
        psf_sigma_px=BRIGHT_FIELD.blur_sigma_px(0.0),
        level=float(rng.uniform(0.5, 0.8)),
        shot_noise=float(rng.uniform(0.005, 0.02)),
    )
    scene = replace(
        scene, crystals=replace(scene.crystals, position_px=position), optics=optics,
        backdrop=Backdrop((sample_illumination(rng, shape, calm=True),)), camera=camera,
        regime="zstack",
    )  # fmt: skip
    return CrystalStack(scene, BRIGHT_FIELD, FocalSeries())
