"""Tiles cover a picture once, and what they read is the picture."""

from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.core import Micrograph
from crystalgauge.predict import tiling
from crystalgauge.predict.scales import (
    automatic_scales,
    calls_for_enlarging,
    check_scales,
    trust,
)
from crystalgauge.predict.tiling import pad, read_tile, scaled_shape, tiles


@pytest.mark.parametrize("shape", [(1, 1), (37, 4000), (900, 1224), (5000, 3100)])
def test_every_point_has_one_owner(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-5, shape[1] + 5, 500), rng.uniform(-5, shape[0] + 5, 500)
    owners = sum(tile.owns(x, y).astype(int) for tile in tiles(shape, tile=1000, whole=10_000))
    assert (owners == 1).all()


def test_tiles_bound_memory() -> None:
    for tile in tiles((60_000, 20_000)):
        assert tile.width * tile.height <= (1280 + 2 * 160) ** 2


def test_tiles_lie_inside() -> None:
    for tile in tiles((3000, 5000)):
        assert 0 <= tile.x < tile.x + tile.width <= 5000
        assert 0 <= tile.y < tile.y + tile.height <= 3000


def test_tiles_at_full_scale_are_windows() -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (300, 500), np.uint8)
    micrograph = Micrograph(pixels)
    for tile in tiles((300, 500), tile=128, halo=16, whole=0):
        window = pixels[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width]
        np.testing.assert_array_equal(read_tile(micrograph, tile, 1.0), window)


@pytest.mark.parametrize("scale", [0.5, 0.25, 0.3, 0.7, 1.5, 2.0])
def test_scaled_tiles_keep_positions(scale: float) -> None:
    y, x = np.mgrid[:400, :600] + 0.5  # a picture whose grey is its x
    for values, axis in ((x, 1), (y, 0)):
        micrograph = Micrograph(values.astype(np.float32))
        for tile in tiles(scaled_shape((400, 600), scale), tile=90, halo=10, whole=0):
            seen = read_tile(micrograph, tile, scale)
            start = tile.x if axis == 1 else tile.y
            wanted = (start + np.arange(seen.shape[axis]) + 0.5) / scale
            inner = slice(2, -2)  # interpolation is clamped at the window's edge
            got = seen.mean(1 - axis)[inner]
            np.testing.assert_allclose(got, wanted[inner], atol=0.02)


@pytest.mark.parametrize("scale", [0.5, 0.25, 0.125, 1 / 3, 0.3, 0.7, 1.5])
@pytest.mark.parametrize("colours", [(), (3,)])
def test_strips_of_a_reduced_tile_make_the_whole(scale, colours, monkeypatch) -> None:
    pixels = np.random.default_rng(11).integers(0, 255, (700, 900, *colours), np.uint8)
    micrograph = Micrograph(pixels)
    for tile in tiles(scaled_shape((700, 900), scale), tile=200, halo=30, whole=0):
        monkeypatch.setattr(tiling, "SOURCE_PX", 1 << 30)
        whole = read_tile(micrograph, tile, scale)
        monkeypatch.setattr(tiling, "SOURCE_PX", 900 * 13)
        strips = read_tile(micrograph, tile, scale)
        # between pixels OpenCV interpolates in steps of 1/32 px, which a sum may fall on
        tolerance = 0.0 if (1 / scale).is_integer() else 0.01
        np.testing.assert_allclose(strips, whole, rtol=0, atol=tolerance)


def test_padding_reaches_a_multiple_and_reflects() -> None:
    padded = pad(np.arange(2 * 40 * 70, dtype=np.float32).reshape(2, 40, 70))
    assert padded.shape == (2, 64, 96)
    np.testing.assert_array_equal(padded[:, :, 70], padded[:, :, 69])
    assert pad(np.zeros((2, 1, 1), np.float32)).shape == (2, 64, 64)
    assert pad(np.zeros((2, 64, 96), np.float32)).shape == (2, 64, 96)


def test_automatic_scales_halve_while_something_is_left_to_see() -> None:
    assert automatic_scales((100, 5000)) == (1.0,)
    assert automatic_scales((900, 1224)) == (1.0,)
    assert automatic_scales((1024, 1224)) == (1.0, 0.5)
    assert automatic_scales((20_000, 20_000)) == (1.0, 0.5, 0.25, 0.125)


def test_small_crystals_are_looked_at_enlarged() -> None:
    sure = np.full(20, 0.5)
    assert calls_for_enlarging(np.full(20, 12.0), sure)
    assert not calls_for_enlarging(np.full(20, 30.0), sure)
    mixed = np.r_[np.full(11, 12.0), np.full(9, 200.0)]
    assert calls_for_enlarging(mixed, sure)
    doubted = np.where(mixed < 20, 0.2, 0.5)
    assert not calls_for_enlarging(mixed, doubted), "the doubtful have no say"
    assert not calls_for_enlarging(np.full(3, 12.0), sure[:3]), "three say little"
    assert not calls_for_enlarging(np.zeros(0), np.zeros(0))


def test_scales_share_one_voice() -> None:
    sizes = np.geomspace(3, 2000, 200)
    scales = (1.0, 0.5, 0.25)
    voices = np.array([trust(sizes, scale, scales) for scale in scales])
    assert voices[0, 0] > 0.99  # the small ones belong to the finest scale
    assert voices[2, -1] > 0.99
    assert (voices.max(0) > 0.49).all()
    assert (trust(sizes, 1.0, (1.0,)) == 1).all()


@pytest.mark.parametrize("scales", [(), (0.0,), (100.0,)])
def test_impossible_scales(scales: tuple[float, ...]) -> None:
    from crystalgauge.core import ArgumentError

    with pytest.raises(ArgumentError, match="scales are numbers from 1/64 to 8"):
        check_scales(scales)
