from __future__ import annotations

import math

import numpy as np
import pytest

from crystalgauge.render.degrade.equalise import add_equalised
from crystalgauge.render.degrade.noise_layer import FINEST_PX, NoiseLayer, paint_layer
from crystalgauge.render.degrade.perlin import PerlinTexture, perlin_noise
from crystalgauge.render.degrade.plane_waves import PlaneWave, add_equalised_wave

KINDS = ("perlin", "waves")


def exact(texture, shape):
    """A layer of one texture, every pixel computed."""
    total = np.zeros(shape, np.float32)
    if isinstance(texture, PlaneWave):
        add_equalised_wave(total, texture, 1.0)
    else:
        add_equalised(total, perlin_noise(texture, shape), 1.0)
    return total


@pytest.mark.parametrize(
    "texture", [PerlinTexture(100.0, 4), PerlinTexture(30.0, 9), PlaneWave(150.0, 0.8, 1.0)]
)
@pytest.mark.parametrize("shape", [(300, 517), (384, 256)])
def test_a_coarse_grid_errs_by_the_interpolation_alone(texture, shape):
    error = paint_layer(NoiseLayer((texture,)), shape) - exact(texture, shape)
    # 3 % of the amplitude where noise bends most or a wave has its crest
    assert np.abs(error).max() < 0.035
    assert math.sqrt(np.mean(error**2)) < 0.01


@pytest.mark.parametrize("texture", [PerlinTexture(40.0, 1), PlaneWave(90.0, 2.0, 0.3)])
def test_a_layer_of_one_texture_is_uniform(texture):
    layer = np.sort(paint_layer(NoiseLayer((texture,)), (256, 320)).ravel())
    ranks = (np.arange(layer.size) + 0.5) / layer.size
    assert np.abs(layer - ranks).max() < 0.02  # Kolmogorov and Smirnov's distance


def test_a_layer_is_the_average_of_its_textures():
    textures = (PerlinTexture(6.0, 1), PerlinTexture(50.0, 2), PerlinTexture(200.0, 3))
    shape = (192, 200)
    each = [paint_layer(NoiseLayer((texture,)), shape) for texture in textures]
    np.testing.assert_allclose(
        paint_layer(NoiseLayer(textures), shape), np.mean(each, axis=0), atol=1e-5
    )


@pytest.mark.parametrize("kind", KINDS)
def test_layers_stay_within_0_and_1_around_one_half(kind):
    for seed in range(6):
        drawn = NoiseLayer.sample(np.random.default_rng(seed), (90, 140), kind)
        layer = paint_layer(drawn, (90, 140))
        assert 0 <= layer.min()
        assert layer.max() <= 1 + 1e-5
        assert layer.mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_number_and_scale_are_drawn_as_stated(kind):
    rng = np.random.default_rng(5)
    drawn = [NoiseLayer.sample(rng, (300, 400), kind) for _ in range(400)]
    counts = np.bincount([len(layer.textures) for layer in drawn], minlength=11)
    assert counts[0] == 0
    assert ((counts[1:] - 40) ** 2 / 40).sum() < 27.9  # chi-squared, 9 degrees, p = 0.001
    scales = np.array([texture.scale_px for layer in drawn for texture in layer.textures])
    assert scales.min() >= FINEST_PX
    assert scales.max() <= 500
    share = np.log(scales / FINEST_PX) / math.log(500 / FINEST_PX)
    # Uniform logarithms: about 2200 of them, the mean's standard error is 0.006.
    assert share.mean() == pytest.approx(0.5, abs=0.025)
