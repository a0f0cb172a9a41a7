"""What a tile should say, and that decoding the encoded truth gives it back."""

from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.models.focus_tiles.decode import MOST_BLUR_PX, decode, encode
from crystalgauge.models.focus_tiles.targets import LEAST_POINTS, UNASKED, tile_targets


def line(x: float, count: int, blur: float, strength: float) -> tuple[np.ndarray, ...]:
    points = np.stack([np.full(count, x), 40 + 2.0 * np.arange(count)], axis=1)
    return points, np.full(count, blur), np.full(count, strength)


def both(*lines: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    return tuple(np.concatenate(column) for column in zip(*lines, strict=True))


def test_the_sharpest_well_visible_edge_speaks_for_a_tile() -> None:
    edges = both(line(40, 10, 5.0, 4.0), line(50, 10, 1.5, 3.0), line(55, 10, 0.6, 0.9))
    found = tile_targets(*edges, (96, 96))
    assert found.blur_px[1, 1] == pytest.approx(1.5)  # 0.9 is below what can just be seen
    assert found.content[1, 1] == 1


def test_a_faint_or_a_short_edge_does_not_speak_for_a_tile() -> None:
    strong = line(40, 10, 5.0, 10.0)
    assert tile_targets(*both(strong, line(50, 10, 1.0, 2.9)), (96, 96)).blur_px[1, 1] == 5.0
    short = line(50, LEAST_POINTS - 1, 1.0, 10.0)
    assert tile_targets(*both(strong, short), (96, 96)).blur_px[1, 1] == 5.0


def test_what_may_be_seen_is_not_asked_and_nothing_is_nothing() -> None:
    doubtful = tile_targets(*line(40, 10, np.nan, 0.7), (96, 96))
    assert doubtful.content[1, 1] == UNASKED
    empty = tile_targets(np.empty((0, 2)), np.empty(0), np.empty(0), (96, 128))
    assert empty.content.shape == (3, 4)
    assert not empty.content.any()
    assert np.isnan(empty.blur_px).all()


def test_tiles_reach_half_a_stride_beyond_their_cells() -> None:
    content = tile_targets(*line(40, 10, 2.0, 5.0), (128, 128)).content  # y 40 to 58, x 40
    columns = np.flatnonzero(content.any(axis=0))
    assert columns.tolist() == [0, 1]  # tiles over x -16 to 48 and 16 to 80


def test_decoding_the_encoded_blur_gives_it_back() -> None:
    blur = np.array([[0.3, 1.0, 4.0, 9.9]])
    tiles = np.stack([encode(blur), np.full(blur.shape, -2.0), np.full(blur.shape, 3.0)])
    found = decode(tiles.astype(np.float32))
    assert found.blur_px == pytest.approx(blur, rel=1e-5)
    assert (found.low_px < blur).all()
    assert (found.high_px > blur).all()
    assert found.content == pytest.approx(1 / (1 + np.exp(-3)))
    assert decode(np.full((3, 1, 1), 9.0, np.float32)).blur_px == MOST_BLUR_PX


def test_the_interval_holds_nine_in_ten_of_a_laplace_density() -> None:
    rng = np.random.default_rng(7)
    truth = rng.laplace(np.log(5), 0.2, 20000)
    tiles = np.array([np.log(5), np.log(0.2), 0], np.float32)[:, None, None]
    found = decode(tiles)
    inside = (np.expm1(truth) >= found.low_px[0, 0]) & (np.expm1(truth) <= found.high_px[0, 0])
    assert inside.mean() == pytest.approx(0.9, abs=0.01)
