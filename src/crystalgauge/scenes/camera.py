"""What stands between the irradiance on the sensor and the stored picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crystalgauge.core import ArgumentError
from crystalgauge.scenes.backdrop_ranges import chance, log_uniform

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Camera:
    """A camera and the picture's way to the file.

    The chain: point spread function, vignetting, exposure, shot and read noise, unsharp masking,
    contrast about the exposure level, gamma, inversion, quantisation, colour cast, JPEG.
    Grey values are fractions of full scale.

    Parameters
    ----------
    psf_sigma_px
        Standard deviation of the Gaussian point spread function, px.
    level
        Grey of irradiance 1 in the middle of the vignette before contrast and gamma, 0 to 1.
    vignette
        Relative fall of the illumination at one frame width from its centre, 0 to 1.
    vignette_x, vignette_y
        Centre of the vignette as fractions of the frame's width and height.
    shot_noise
        Standard deviation of the shot noise at grey 1; it grows with the root of the grey.
    read_noise
        Standard deviation of the signal-independent noise.
    noise_sigma_px
        Correlation of the noise: it is white noise blurred by this Gaussian and scaled back to the
        standard deviations above. 0 is white.
    unsharp_amount, unsharp_sigma_px
        Unsharp mask: the picture plus amount times (picture minus its Gaussian blur). 0 is none.
    contrast
        Factor on differences from ``level``.
    gamma
        Exponent of the tone curve.
    inverted
        Whether the picture is a negative.
    cast
        Gains of red, green and blue, or None for a grey picture.
    cast_gamma
        Exponents of red, green and blue on top: shadows and lights may differ in hue.
    jpeg_quality
        1 to 100, or None when the picture is stored without loss.
    bit_depth
        Bits per channel of the stored picture, 1 to 8.
    """

    psf_sigma_px: float = 0.5
    level: float = 0.6
    vignette: float = 0.0
    vignette_x: float = 0.5
    vignette_y: float = 0.5
    shot_noise: float = 0.01
    read_noise: float = 0.003
    noise_sigma_px: float = 0.0
    unsharp_amount: float = 0.0
    unsharp_sigma_px: float = 1.0
    contrast: float = 1.0
    gamma: float = 1.0
    inverted: bool = False
    cast: tuple[float, float, float] | None = None
    cast_gamma: tuple[float, float, float] = (1.0, 1.0, 1.0)
    jpeg_quality: int | None = None
    bit_depth: int = 8

    def __post_init__(self) -> None:
        if not 1 <= self.bit_depth <= 8:
            raise ArgumentError(f"a camera stores 1 to 8 bits per channel, got {self.bit_depth}")


def sample_camera(rng: np.random.Generator) -> Camera:
    """Draw a camera: mostly sharp; some are soft, noisy, oversharpened or inverted."""
    vignetted = chance(rng, 0.5)
    noise = log_uniform(rng, 0.003, 0.035)
    read_share = rng.uniform(0.05, 0.5)
    wide = chance(rng, 0.15)
    sharpened = chance(rng, 0.4)
    unsharp_sigma = log_uniform(rng, 8, 20) if wide else rng.uniform(1, 4)
    unsharp_amount = rng.uniform(0.1, 0.5) if wide else rng.uniform(0.2, 1.2)
    cast, cast_gamma = _sample_cast(rng)
    return Camera(
        psf_sigma_px=float(rng.uniform(0.35, 0.7) if chance(rng, 0.75) else rng.uniform(0.7, 1.6)),
        level=float(rng.uniform(0.3, 0.85) if chance(rng, 0.65) else rng.uniform(0.7, 0.95)),
        vignette=float(rng.uniform(0, 0.5)) if vignetted else 0.0,
        vignette_x=float(rng.uniform(0.2, 0.8)),
        vignette_y=float(rng.uniform(0.2, 0.8)),
        shot_noise=float(noise * (1 - read_share)),
        read_noise=float(noise * read_share * 0.7),
        noise_sigma_px=float(rng.uniform(0.35, 0.9)) if chance(rng, 0.35) else 0.0,
        unsharp_amount=float(unsharp_amount) if sharpened or wide else 0.0,
        unsharp_sigma_px=float(unsharp_sigma),
        contrast=float(rng.uniform(0.6, 1.2)),
        gamma=float(rng.uniform(0.75, 1.35)),
        inverted=chance(rng, 0.07),
        cast=cast,
        cast_gamma=cast_gamma,
        jpeg_quality=int(rng.integers(45, 96)) if chance(rng, 0.4) else None,
    )


def _sample_cast(
    rng: np.random.Generator,
) -> tuple[tuple[float, float, float] | None, tuple[float, float, float]]:
    """Draw a colour cast that leaves the grey of the picture as it is, or none."""
    if not chance(rng, 0.35):
        return None, (1.0, 1.0, 1.0)
    red, green, blue = rng.normal(1.0, 0.05, 3).clip(0.8, 1.2)
    grey = 0.299 * red + 0.587 * green + 0.114 * blue
    gammas = rng.normal(1.0, 0.05, 3).clip(0.85, 1.15)
    return (
        (float(red / grey), float(green / grey), float(blue / grey)),
        (float(gammas[0]), float(gammas[1]), float(gammas[2])),
    )
