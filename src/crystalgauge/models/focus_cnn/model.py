"""The focus network and the two physical layers that may stand before it.

The paper states no equations. Its text describes a high-pass filter of a radius and a phase in the
Fourier plane of pictures already taken: `FourierAperture`. What a microscope could be built with
is a pupil, which acts on the scene before the picture is taken: `Pupil`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from crystalgauge.models.focus_cnn.config import POOL, FocusCnnConfig
from crystalgauge.models.focus_cnn.zernike import MODES, zernike

if TYPE_CHECKING:
    from crystalgauge.scenes.zstack import Microscope

SOFT_EDGE_PER_PX = 0.006
"""Width of the filter's edge in cycles per px: one with a radius to learn cannot be a step."""

SOFT_PUPIL = 0.02
"""Width of the pupil's edge as a share of the full pupil's radius, for the same reason."""

PHASE_CELLS = 16
"""Cells along an axis of a filter's phase map, from -0.5 to 0.5 cycles per px."""


def standardise(picture: Tensor) -> Tensor:
    """Return pictures of mean 0 and standard deviation 1, each by itself.

    Parameters
    ----------
    picture
        ``(B, 1, H, W)`` greys.
    """
    centred = picture - picture.mean((2, 3), keepdim=True)
    return centred / centred.square().mean((2, 3), keepdim=True).add(1e-12).sqrt()


class FocusCnn(nn.Module):
    """The network.

    Parameters
    ----------
    config
        Kernel, activation, width.
    """

    def __init__(self, config: FocusCnnConfig) -> None:
        super().__init__()
        self.config = config
        relu = config.activation == "relu"
        layers: list[nn.Module] = []
        entering = 1
        for leaving, pooled in zip(config.channels, config.pooled, strict=True):
            layers.append(nn.Conv2d(entering, leaving, config.kernel, padding=config.kernel // 2))
            layers.append(nn.ReLU() if relu else nn.Tanh())
            if pooled:
                layers.append(nn.MaxPool2d(POOL))
            entering = leaving
        self.features = nn.Sequential(*layers)
        self.dense = nn.Linear(entering, entering)
        self.classes = nn.Linear(entering, config.classes)
        self.activation = functional.relu if relu else torch.tanh
        for layer in (*layers, self.dense, self.classes):
            if isinstance(layer, nn.Conv2d | nn.Linear):
                _initialise(layer, config.activation)

    def forward(self, picture: Tensor) -> Tensor:
        """Return ``(B, classes)`` scores before the softmax.

        Parameters
        ----------
        picture
            ``(B, 1, H, W)``, at least 8 px high and wide, as from `standardise`.
        """
        mean = self.features(picture).mean((2, 3))
        return self.classes(self.activation(self.dense(mean)))


def _initialise(layer: nn.Conv2d | nn.Linear, activation: str) -> None:
    """Draw weights that keep the variance: He et al. 2015 for ReLU, Glorot 2010 for tanh."""
    if activation == "relu":
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    else:
        nn.init.xavier_normal_(layer.weight, gain=nn.init.calculate_gain("tanh"))
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)


class FourierAperture(nn.Module):
    """A high-pass filter with a phase in the Fourier plane of a picture.

    ``picture' = |F^-1{ A F{picture} }|`` with
    ``A(f) = sigmoid((|f| - r) / s) exp(i phi(f))``: frequencies below the radius r are taken out.
    The magnitude is the root of what a detector behind the filter would count.

    Parameters
    ----------
    radius_per_px
        Radius r in cycles per px.
    learn_radius, learn_phase
        What is trained.
    """

    def __init__(
        self, radius_per_px: float, *, learn_radius: bool = False, learn_phase: bool = False
    ) -> None:
        super().__init__()
        self.log_radius = nn.Parameter(
            torch.tensor(math.log(radius_per_px)), requires_grad=learn_radius
        )
        self.phase_rad = nn.Parameter(
            torch.zeros(PHASE_CELLS, PHASE_CELLS), requires_grad=learn_phase
        )

    @property
    def radius_per_px(self) -> Tensor:
        """Radius in cycles per px."""
        return self.log_radius.exp()

    def transmission(self, shape: tuple[int, int]) -> Tensor:
        """Return the complex ``(H, W)`` factors in the order of `torch.fft.fft2`.

        Parameters
        ----------
        shape
            Height and width of the pictures in px.
        """
        like = self.phase_rad
        rows = torch.fft.fftfreq(shape[0], device=like.device, dtype=like.dtype)
        columns = torch.fft.fftfreq(shape[1], device=like.device, dtype=like.dtype)
        radius = torch.hypot(rows[:, None], columns)
        amplitude = torch.sigmoid((radius - self.radius_per_px) / SOFT_EDGE_PER_PX)
        grid = torch.stack(torch.meshgrid(2 * columns, 2 * rows, indexing="xy"), -1)  # (H, W, 2)
        phase = functional.grid_sample(
            self.phase_rad[None, None], grid[None], align_corners=True, padding_mode="border"
        )[0, 0]
        return torch.polar(amplitude, phase)

    def forward(self, picture: Tensor) -> Tensor:
        """Return filtered pictures ``(B, 1, H, W)``.

        Parameters
        ----------
        picture
            ``(B, 1, H, W)``.
        """
        height, width = picture.shape[2:]
        field = torch.fft.ifft2(torch.fft.fft2(picture) * self.transmission((height, width)))
        return (field.real.square() + field.imag.square() + 1e-8).sqrt()


class Pupil(nn.Module):
    """A microscope's pupil: how wide it is opened and which phase it adds.

    The point spread function of a plane at the distance z from focus is ``|F{P}|^2`` over its sum,
    with ``P(f) = sigmoid((R - rho) / s) exp(2 pi i [z sqrt(1 / wavelength^2 - f^2) + W(f)])``,
    ``rho = f wavelength / NA`` and W a sum of Zernike polynomials in waves (`zernike.MODES`)
    (`crystalgauge.render.widefield` is the same with a hard edge).

    Parameters
    ----------
    microscope
        Whose full aperture R = 1 is; its own aberration is the phase to start from.
    shape
        Height and width of the scenes in px.
    opening
        Radius R to start from, between 0 and 1.
    learn_radius, learn_phase
        What is trained.
    """

    rho: Tensor
    axial_per_um: Tensor
    modes: Tensor
    pixel: Tensor

    def __init__(
        self,
        microscope: Microscope,
        shape: tuple[int, int],
        opening: float = 0.9,
        *,
        learn_radius: bool = False,
        learn_phase: bool = False,
    ) -> None:
        super().__init__()
        self.shape = shape
        finer = max(1, math.ceil(2 * microscope.cutoff_per_um * microscope.pixel_um))
        step_um = microscope.pixel_um / finer
        rows = np.fft.fftfreq(finer * shape[0], step_um)[:, None]
        columns = np.fft.fftfreq(finer * shape[1], step_um)
        square = rows**2 + columns**2
        rho = np.sqrt(square) * microscope.wavelength_um / microscope.numerical_aperture
        axial = np.sqrt(np.maximum(1 / microscope.wavelength_um**2 - square, 0))
        # the mean path changes nothing; without it single precision is enough
        axial -= 1 / microscope.wavelength_um
        modes = zernike(rho, np.arctan2(rows, columns)) * (rho <= 1 + 4 * SOFT_PUPIL)
        for name, values in (("rho", rho), ("axial_per_um", axial), ("modes", modes)):
            self.register_buffer(name, torch.from_numpy(values).float(), persistent=False)
        pixel = torch.sinc(torch.fft.fftfreq(shape[0]))[:, None] * torch.sinc(
            torch.fft.rfftfreq(shape[1])
        )
        self.register_buffer("pixel", pixel, persistent=False)
        self.opening_logit = nn.Parameter(
            torch.tensor(math.log(opening / (1 - opening))), requires_grad=learn_radius
        )
        waves = torch.zeros(len(MODES))
        waves[-1] = microscope.spherical_waves / math.sqrt(5)  # Noll's has unit variance
        self.phase_waves = nn.Parameter(waves, requires_grad=learn_phase)

    @property
    def opening(self) -> Tensor:
        """Radius as a share of the full pupil's."""
        return self.opening_logit.sigmoid()

    def field(self, defocus_um: Tensor) -> Tensor:
        """Return the complex pupils ``(P, sH, sW)`` of planes.

        Parameters
        ----------
        defocus_um
            ``(P,)`` distances of the light from focus.
        """
        amplitude = torch.sigmoid((self.opening - self.rho) / SOFT_PUPIL)
        waves = torch.einsum("m,mhw->hw", self.phase_waves, self.modes)
        path = defocus_um[:, None, None] * self.axial_per_um + waves
        return torch.polar(amplitude.expand_as(path), 2 * math.pi * path)

    def spread(self, defocus_um: Tensor) -> Tensor:
        """Return point spread functions ``(P, sH, sW)`` that sum to 1, centred on [0, 0].

        Parameters
        ----------
        defocus_um
            As for `field`.
        """
        amplitude = torch.fft.ifft2(self.field(defocus_um))
        spread = amplitude.real.square() + amplitude.imag.square()
        return spread / spread.sum((1, 2), keepdim=True)

    def transfer(self, defocus_um: Tensor) -> Tensor:
        """Return transfer functions ``(P, H, W // 2 + 1)`` at the scene's frequencies.

        Parameters
        ----------
        defocus_um
            As for `field`.
        """
        whole = torch.fft.rfft2(self.spread(defocus_um))
        height, width = self.shape
        half = height // 2
        rows = torch.cat([whole[:, : height - half], whole[:, -half:]], 1)
        return rows[:, :, : width // 2 + 1] * self.pixel

    def forward(self, light: Tensor, defocus_um: Tensor) -> Tensor:
        """Return the light ``(B, 1, H, W)`` at the camera, as much as the opening lets in.

        Parameters
        ----------
        light
            ``(B, 1, H, W)`` of the scenes.
        defocus_um
            ``(B,)`` their distances from focus.
        """
        planes, which = torch.unique(defocus_um, return_inverse=True)
        factors = self.transfer(planes)[which][:, None]  # (B, 1, H, W // 2 + 1)
        seen = torch.fft.irfft2(torch.fft.rfft2(light) * factors, light.shape[2:])
        return self.opening.square() * seen.clamp_min(0)


class FilteredCnn(nn.Module):
    """A network that sees pictures through a filter, or as they are.

    Parameters
    ----------
    network
        What decides.
    aperture
        The filter; None for none.
    """

    def __init__(self, network: FocusCnn, aperture: FourierAperture | None = None) -> None:
        super().__init__()
        self.network, self.aperture = network, aperture
        # what a filter leaves is faint, and how faint tells the focus: pictures share one scale
        self.scale = nn.Identity() if aperture is None else nn.BatchNorm2d(1)

    def forward(self, picture: Tensor) -> Tensor:
        """Return ``(B, classes)`` scores of ``(B, 1, H, W)`` pictures."""
        even = standardise(picture)
        if self.aperture is None:
            return self.network(even)
        return self.network(self.scale(self.aperture(even)))


class PupilCnn(nn.Module):
    """A microscope with its camera, and a network that sees its pictures.

    Parameters
    ----------
    network
        What decides.
    pupil
        The microscope's.
    margin_px
        Border of the scenes that the camera does not see.
    """

    def __init__(self, network: FocusCnn, pupil: Pupil, margin_px: int) -> None:
        super().__init__()
        self.network, self.pupil, self.margin_px = network, pupil, margin_px

    def forward(self, light: Tensor, defocus_um: Tensor, camera: Tensor, noise: Tensor) -> Tensor:
        """Return ``(B, classes)`` scores.

        Parameters
        ----------
        light
            ``(B, 1, H, W)`` scenes in focus.
        defocus_um
            ``(B,)`` distance of each from focus.
        camera
            ``(B, 3)`` electrons at light 1 with an open pupil, even light, read noise in electrons.
        noise
            ``(B, 1, H - 2 m, W - 2 m)`` of standard deviation 1; shot noise is taken as normal.
        """
        electrons, background, read = (camera[:, k, None, None, None] for k in range(3))
        seen = self.pupil(light, defocus_um)
        m = self.margin_px
        seen = seen[:, :, m:-m, m:-m] + self.pupil.opening.square() * background
        counted = seen * electrons
        return self.network(standardise(counted + (counted + read**2).sqrt() * noise))
