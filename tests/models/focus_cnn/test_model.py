"""The network, the filter and the pupil: shapes, diffraction, gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the network needs the extra `train`")

from crystalgauge.models.focus_cnn import FocusCnnConfig  # noqa: E402
from crystalgauge.models.focus_cnn.config import KERNELS  # noqa: E402
from crystalgauge.models.focus_cnn.model import (  # noqa: E402
    FilteredCnn,
    FocusCnn,
    FourierAperture,
    Pupil,
    PupilCnn,
    standardise,
)
from crystalgauge.render.widefield import transfer_function  # noqa: E402
from crystalgauge.scenes.zstack import Microscope  # noqa: E402

LENS = Microscope(numerical_aperture=0.3, wavelength_um=0.5, pixel_um=0.5)
SHAPE = (64, 64)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(5)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("reduced", [False, True])
def test_scores_of_every_kernel_and_as_many_parameters_as_said(kernel: int, reduced: bool) -> None:
    config = FocusCnnConfig(kernel, "tanh", width=2, classes=4, reduced=reduced)
    network = FocusCnn(config)
    assert network(torch.randn(3, 1, 24, 40)).shape == (3, 4)
    assert sum(p.numel() for p in network.parameters()) == config.parameters
    poolings = sum(isinstance(layer, torch.nn.MaxPool2d) for layer in network.features)
    assert poolings == (1 if reduced else 3)


def test_brightness_and_contrast_do_not_count() -> None:
    network = FilteredCnn(FocusCnn(FocusCnnConfig(width=2)), FourierAperture(0.1))
    picture = torch.rand(2, 1, 32, 32)
    torch.testing.assert_close(network(picture), network(300 * picture + 40), rtol=1e-3, atol=1e-4)


def test_the_filter_takes_out_what_is_coarser_than_its_radius() -> None:
    x = torch.arange(64)
    coarse, fine = (torch.cos(2 * math.pi * f * x).expand(1, 1, 64, 64) for f in (4 / 64, 16 / 64))
    aperture = FourierAperture(10 / 64)
    # the magnitude has an offset of 1e-4 below which it does not fall
    assert float(aperture(coarse).max()) < 1e-3
    torch.testing.assert_close(aperture(fine), fine.abs(), atol=1e-3, rtol=0)


def test_a_phase_moves_light_but_keeps_its_sum() -> None:
    aperture = FourierAperture(0.1)
    picture = standardise(torch.rand(1, 1, 32, 32))
    plain = aperture(picture)
    torch.nn.init.normal_(aperture.phase_rad)
    moved = aperture(picture)
    assert float((moved - plain).abs().max()) > 0.1
    # Parseval: a phase changes no energy
    torch.testing.assert_close(moved.square().sum(), plain.square().sum(), rtol=1e-4, atol=0)


def test_spread_sums_to_one_and_widens_with_defocus_and_a_smaller_opening() -> None:
    planes = torch.tensor([0.0, 6.0, 12.0, 24.0])
    spread = Pupil(LENS, SHAPE, 0.8).spread(planes)
    torch.testing.assert_close(spread.sum((1, 2)), torch.ones(4))
    peaks = spread.amax((1, 2))
    assert bool((peaks[1:] < peaks[:-1]).all())
    in_focus = [float(Pupil(LENS, SHAPE, r).spread(planes[:1]).max()) for r in (0.8, 0.4)]
    # an Airy pattern's peak goes with the square of the opening
    assert in_focus[0] / in_focus[1] == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("opening", [0.4, 0.8])
def test_nothing_passes_beyond_the_cut_off_of_the_opening(opening: float) -> None:
    factors = Pupil(LENS, SHAPE, opening).transfer(torch.zeros(1))[0].detach().numpy()
    frequency = np.hypot(
        np.fft.fftfreq(64, LENS.pixel_um)[:, None], np.fft.rfftfreq(64, LENS.pixel_um)
    )
    cutoff = opening * 2 * LENS.numerical_aperture / LENS.wavelength_um
    # an edge of s = 0.02 leaves exp(-5) at five widths outside
    outside = frequency > cutoff * (1 + 0.2 / opening)
    inside = frequency < 0.7 * cutoff
    assert np.abs(factors[outside]).max() < 1e-4
    assert np.abs(factors[inside]).min() > 0.02


def test_it_is_the_renderer_with_a_soft_edge() -> None:
    lens = Microscope(0.3, 0.5, 0.5, spherical_waves=0.1)
    pupil = Pupil(lens, SHAPE, 0.995)
    for defocus_um in (-9.0, 4.0):
        soft = pupil.transfer(torch.tensor([defocus_um]))[0].detach().numpy()
        hard = transfer_function(SHAPE, lens, defocus_um)
        np.testing.assert_allclose(soft, hard, atol=0.04)


def test_a_wider_opening_lets_in_more_light() -> None:
    light = torch.ones(1, 1, *SHAPE)
    pupils = [Pupil(LENS, SHAPE, r) for r in (0.3, 0.6)]
    seen = [float(pupil(light, torch.zeros(1)).detach().mean()) for pupil in pupils]
    assert seen == pytest.approx([0.09, 0.36], rel=1e-4)


def _agrees(function, parameter, index: tuple[int, ...], step: float) -> None:
    """Compare a gradient with a central difference."""
    parameter.grad = None
    function().backward()
    slope = float(parameter.grad[index])
    with torch.no_grad():
        parameter[index] += step
        high = float(function())
        parameter[index] -= 2 * step
        low = float(function())
        parameter[index] += step
    assert slope != 0
    assert slope == pytest.approx((high - low) / (2 * step), rel=0.03)


def test_gradients_reach_radius_and_phase_of_the_filter() -> None:
    aperture = FourierAperture(0.15, learn_radius=True, learn_phase=True).double()
    torch.nn.init.normal_(aperture.phase_rad, std=0.5)
    picture, weight = torch.rand(2, 2, 1, 24, 24, dtype=torch.float64)
    _agrees(lambda: (aperture(picture) * weight).sum(), aperture.log_radius, (), 1e-4)
    _agrees(lambda: (aperture(picture) * weight).sum(), aperture.phase_rad, (3, 5), 1e-4)


def test_gradients_reach_radius_and_phase_of_the_pupil() -> None:
    pupil = Pupil(LENS, (32, 32), 0.6, learn_radius=True, learn_phase=True).double()
    light, weight = torch.rand(2, 2, 1, 32, 32, dtype=torch.float64)
    defocus = torch.tensor([0.0, 8.0], dtype=torch.float64)
    _agrees(lambda: (pupil(light, defocus) * weight).sum(), pupil.opening_logit, (), 1e-4)
    for mode in (0, 3, 7):
        _agrees(lambda: (pupil(light, defocus) * weight).sum(), pupil.phase_waves, (mode,), 1e-4)


def test_a_microscope_with_its_network() -> None:
    network = PupilCnn(FocusCnn(FocusCnnConfig(width=2)), Pupil(LENS, (32, 32)), margin_px=4)
    camera = torch.tensor([[500.0, 0.05, 6.0]]).repeat(3, 1)
    scores = network(
        torch.rand(3, 1, 32, 32), torch.tensor([0.0, 12, -12]), camera, torch.randn(3, 1, 24, 24)
    )
    assert scores.shape == (3, 2)
    assert bool(torch.isfinite(scores).all())
