"""The heat map: colours where there is something, and only there."""

from __future__ import annotations

import numpy as np

from crystalgauge.core import Micrograph
from crystalgauge.focus import FocusTiles, heat_map
from crystalgauge.focus.heat_map import LEAST_LABELLED_PX, LEGEND_PX, MOST_EDGE_PX


def test_only_tiles_with_content_are_coloured_and_blurred_ones_crossed_out() -> None:
    grey = Micrograph(np.random.default_rng(0).integers(0, 255, (96, 96), np.uint8))
    blur = np.array([[1.0, 9.0, 1.0]] * 3, np.float32)
    content = np.array([[1.0, 1.0, 0.0]] * 3, np.float32)
    drawn = heat_map(grey, FocusTiles(blur, blur, blur, content, (96, 96)), most_blur_px=3.0)
    assert drawn.shape == (96 + LEGEND_PX, 96, 3)
    coloured = np.ptp(drawn[:96].astype(int), axis=2)
    assert not coloured[:, 66:].any()
    assert coloured[4:28, 4:28].mean() > 20
    sharp, soft = drawn[33:63, 2:30].mean(axis=(0, 1)), drawn[33:63, 34:62].mean(axis=(0, 1))
    assert sharp[0] > soft[0]  # yellow against blue
    assert sharp[2] < soft[2]
    plain = heat_map(grey, FocusTiles(blur, blur, blur, content, (96, 96)), most_blur_px=9.5)
    differs = (drawn[:96] != plain[:96]).any(axis=2)
    assert differs[:, 32:64].any()
    assert not differs[:, :30].any()


def test_large_pictures_are_reduced() -> None:
    shape = (64, MOST_EDGE_PX + 80)
    nothing = np.zeros((2, 65), np.float32)
    tiles = FocusTiles(nothing, nothing, nothing, nothing, shape)
    drawn = heat_map(Micrograph(np.zeros(shape, np.uint8)), tiles, most_blur_px=3.0)
    assert drawn.shape == (32 + LEGEND_PX, shape[1] // 2, 3)


def test_words_are_left_off_a_scale_too_short_for_them() -> None:
    def white(width: int) -> int:
        none = np.zeros((2, width // 32), np.float32)
        tiles = FocusTiles(none, none, none, none, (64, width))
        drawn = heat_map(Micrograph(np.zeros((64, width), np.uint8)), tiles, most_blur_px=3.0)
        return int((drawn[64:, width // 2 :] > 200).all(axis=2).sum())

    assert white(LEAST_LABELLED_PX - 50) == 0
    assert white(LEAST_LABELLED_PX + 50) > 0
