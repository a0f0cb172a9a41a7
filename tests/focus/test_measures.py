"""Known blur in, expected value out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import shapely
from scipy.special import erf

from crystalgauge.core import ArgumentError, Crystals
from crystalgauge.focus import (
    brenner,
    crystal_focus,
    edge_blur_px,
    edge_sharpness,
    laplacian_variance,
    noise_level,
    reblur,
    tenengrad,
)

EVERYWHERE = np.ones((120, 120), bool)


def step(sigma: float, height: float = 1.0, angle_deg: float = 20.0, size: int = 120) -> np.ndarray:
    """A straight edge, blurred and then seen by square pixels."""
    y, x = np.mgrid[:size, :size] + 0.5 - size / 2
    turn = np.radians(angle_deg)
    away = y * np.cos(turn) + x * np.sin(turn)
    spread = np.sqrt(sigma**2 + 1 / 12)
    return 0.5 * height * (1 + erf(away / (np.sqrt(2) * spread)))


def texture(sigma: float, seed: int = 0) -> np.ndarray:
    """White noise of unit variance, blurred by a Gaussian."""
    noise = np.random.default_rng(seed).normal(size=(700, 700))
    return cv2.GaussianBlur(noise, (0, 0), sigma)[50:-50, 50:-50]


@pytest.mark.parametrize("sigma", [2.0, 3.0, 5.0])
def test_blurred_noise_has_the_measures_of_its_spectrum(sigma: float) -> None:
    """Its spectrum is exp(-s^2 k^2); k^2 and k^4 over the plane give 1/(4 pi s^4), 1/(2 pi s^6)."""
    picture = texture(sigma)
    slope = 1 / (4 * np.pi * sigma**4)
    assert tenengrad(picture) == pytest.approx(slope, rel=0.25)
    # both differences reach over two pixels
    assert brenner(picture) == pytest.approx(4 * slope, rel=0.25)
    assert laplacian_variance(picture) == pytest.approx(1 / (2 * np.pi * sigma**6), rel=0.3)


def test_contrast_counts_squared_or_not_at_all() -> None:
    picture = texture(2.0)
    for measure in (laplacian_variance, brenner, tenengrad):
        assert measure(3 * picture + 5) == pytest.approx(9 * measure(picture), rel=1e-9)
    assert reblur(3 * picture + 5) == pytest.approx(reblur(picture), rel=1e-9)


def test_reblur_rises_from_sharp_to_blurred() -> None:
    values = [reblur(texture(sigma)) for sigma in (0.5, 1.0, 2.0, 4.0, 8.0)]
    assert (np.diff(values) > 0).all()
    assert 0 < values[0] < 0.3
    assert values[-1] > 0.75


@pytest.mark.parametrize("height", [0.01, 1.0, 50.0])
@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.0, 4.0, 8.0])
def test_the_blur_of_an_edge_at_any_contrast(sigma: float, height: float) -> None:
    sharpness = edge_sharpness(step(sigma, height), EVERYWHERE)
    assert edge_blur_px(sharpness) == pytest.approx(sigma, rel=0.02)


def test_wide_edges_follow_the_closed_form() -> None:
    assert edge_sharpness(step(6.0), EVERYWHERE) == pytest.approx(0.5 / 36, rel=0.03)


@pytest.mark.parametrize("angle", [0.0, 10.0, 30.0, 45.0])
def test_the_blur_of_an_edge_in_any_direction(angle: float) -> None:
    sharpness = edge_sharpness(step(1.5, 1.0, angle), EVERYWHERE)
    assert edge_blur_px(sharpness) == pytest.approx(1.5, rel=0.05)


def test_noise_is_taken_off() -> None:
    rng = np.random.default_rng(3)
    clean = step(3.0, 1.0)
    noisy = clean + rng.normal(0, 0.01, clean.shape)
    assert noise_level(noisy) == pytest.approx(0.01, rel=0.1)
    with_noise = edge_blur_px(edge_sharpness(noisy, EVERYWHERE))
    without = edge_blur_px(edge_sharpness(noisy, EVERYWHERE, noise=0.01))
    assert with_noise < 1.6
    assert without == pytest.approx(3.0, rel=0.15)


def test_nothing_but_noise_is_nothing() -> None:
    flat = np.full((60, 60), 4.0)
    mask = np.ones((60, 60), bool)
    assert np.isnan(edge_sharpness(flat, mask))
    assert np.isnan(edge_blur_px(float("nan")))
    assert np.isnan(reblur(flat))
    assert laplacian_variance(flat) == 0.0


def discs(sigma: float, radii: tuple[float, ...], height: float) -> tuple[np.ndarray, Crystals]:
    """Discs drawn at eightfold size, blurred, and reduced."""
    scale, size = 8, 400
    large = np.zeros((size * scale // 2, size * scale), np.float64)
    places = np.linspace(80, size - 80, len(radii))
    for x, radius in zip(places, radii, strict=True):
        centre = (round(x * scale), size * scale // 4)
        cv2.circle(large, centre, round(radius * scale), height, -1)
    blurred = cv2.GaussianBlur(large, (0, 0), sigma * scale)
    small = cv2.resize(blurred, (size, size // 2), interpolation=cv2.INTER_AREA)
    outlines = [shapely.Point(x, size / 4).buffer(r) for x, r in zip(places, radii, strict=True)]
    return small, Crystals(np.array(outlines, object), {})


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_size_and_contrast_of_crystals_do_not_matter_to_the_edge(sigma: float) -> None:
    blur = [
        crystal_focus(*discs(sigma, (10.0, 25.0, 50.0), height), noise=0.0)
        for height in (1.0, 40.0)
    ]
    assert blur[0].edge_blur_px == pytest.approx([sigma] * 3, rel=0.08)
    assert blur[0].edge_blur_px == pytest.approx(blur[1].edge_blur_px, rel=1e-6)
    # what the field uses, the variance over the mask, falls with the size instead
    assert blur[0].laplacian_variance[0] > 2 * blur[0].laplacian_variance[2]


def test_crystals_at_and_beyond_the_border() -> None:
    picture, _ = discs(1.0, (20.0,), 1.0)
    outlines = [shapely.Point(0, 100).buffer(20), shapely.Point(900, 900).buffer(5)]
    focus = crystal_focus(picture, Crystals(np.array(outlines, object), {}))
    assert len(focus.reblur) == 2
    assert np.isnan(focus.edge_blur_px[1])
    empty = crystal_focus(picture, Crystals.empty())
    assert len(empty.edge_blur_px) == 0


def test_impossible_requests() -> None:
    with pytest.raises(ArgumentError, match="grey pictures"):
        tenengrad(np.zeros((4, 4, 3)))
    with pytest.raises(ArgumentError, match="same shape"):
        tenengrad(np.zeros((4, 4)), np.ones((5, 5), bool))
    with pytest.raises(ArgumentError, match="at least 1 px"):
        crystal_focus(np.zeros((9, 9)), Crystals.empty(), band_px=0)
    with pytest.raises(ArgumentError, match="grey"):
        crystal_focus(np.zeros((9, 9, 3)), Crystals.empty())
