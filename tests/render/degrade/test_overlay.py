from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.render.degrade.noise_layer import NoiseLayer, paint_layer
from crystalgauge.render.degrade.overlay import Overlay, blend, lay_over, layer_weight


def random_picture(seed, shape=(60, 90)):
    return np.random.default_rng(seed).random(shape, np.float32)


def test_the_weight_doubles_in_the_dark_and_halves_in_the_light():
    layer = np.linspace(0, 1, 101, dtype=np.float32)[None, :]
    veil = np.full_like(layer, 0.6)
    base = 5 * 0.2 * 0.6
    weight = layer_weight(layer, veil, 5.0, 0.2)
    np.testing.assert_allclose(weight, base * 2.0 ** (1 - 2 * layer), rtol=1e-5)
    assert weight[0, 0] == pytest.approx(2 * base, rel=1e-5)
    assert weight[0, 50] == pytest.approx(base, rel=1e-5)
    assert weight[0, 100] == pytest.approx(base / 2, rel=1e-5)


def test_weights_lie_between_half_and_twice():
    layer, veil = random_picture(1), random_picture(2)
    weight = layer_weight(layer, veil, 3.0, 0.1)
    assert np.all(weight >= 0.5 * 0.3 * veil * (1 - 1e-5))
    assert np.all(weight <= 2.0 * 0.3 * veil * (1 + 1e-5))


def test_blending_without_weight_gives_the_picture_and_with_much_the_layer():
    picture, layer = random_picture(1), random_picture(2)
    nothing = np.zeros_like(picture)
    np.testing.assert_array_equal(blend(picture, layer, nothing), picture)
    np.testing.assert_allclose(blend(picture, layer, nothing + 1e6), layer, atol=1e-5)
    np.testing.assert_allclose(blend(picture, layer, nothing + 1), (picture + layer) / 2, atol=1e-6)


@pytest.mark.parametrize("kind", ["perlin", "waves"])
def test_an_overlay_follows_the_equations(kind):
    picture = random_picture(3)
    overlay = Overlay.sample(np.random.default_rng(4), picture.shape, 5.0, kind)
    assert overlay.contrast == 5
    layer = paint_layer(overlay.layer, picture.shape)
    veil = paint_layer(overlay.transparency, picture.shape)
    weight = 5 * picture.std() * veil * 2 ** (-2 * layer + 1)
    expected = (picture + weight * layer) / (1 + weight)
    np.testing.assert_allclose(lay_over(picture, overlay), expected, atol=1e-5)


def test_a_picture_without_signal_stays():
    picture = np.full((20, 30), 0.4, np.float32)
    layer = NoiseLayer.sample(np.random.default_rng(0), (20, 30), "perlin")
    # The deviation of a constant is 0 up to the rounding of its square.
    np.testing.assert_allclose(lay_over(picture, Overlay(layer, layer, 5.0)), picture, atol=1e-6)
