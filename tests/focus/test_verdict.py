"""The rule of nine tiles in ten."""

from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.core import ArgumentError
from crystalgauge.focus import FocusTiles, judge
from crystalgauge.focus.tiles import LEAST_CONTENT


def tiles(blur: list[float], content: list[float] | None = None) -> FocusTiles:
    """Return a row of tiles whose intervals reach 20 % to either side."""
    values = np.array([blur], np.float32)
    shown = np.ones_like(values) if content is None else np.array([content], np.float32)
    return FocusTiles(values, 0.8 * values, 1.2 * values, shown, (32, 32 * len(blur)))


def test_nine_tiles_in_ten_are_enough_and_eight_are_not() -> None:
    assert judge(tiles([2.0] * 9 + [8.0])).verdict == "in focus"
    found = judge(tiles([2.0] * 8 + [8.0] * 2))
    assert found.verdict == "out of focus"
    assert found.share == pytest.approx(0.8)


def test_tiles_without_content_do_not_count() -> None:
    found = judge(tiles([2.0, 2.0, 9.0, 9.0], [0.9, LEAST_CONTENT, LEAST_CONTENT - 0.01, 0.0]))
    assert (found.verdict, found.judged, found.tiles) == ("in focus", 2, 4)
    assert found.blur_px == pytest.approx(2.0)
    assert (found.low_px, found.high_px) == (pytest.approx(1.6), pytest.approx(2.4))


def test_an_empty_picture_has_nothing_to_judge() -> None:
    found = judge(tiles([2.0, 2.0], [0.1, 0.2]))
    assert found.verdict == "nothing to judge"
    assert np.isnan([found.share, found.blur_px]).all()


def test_both_limits_can_be_set() -> None:
    five = tiles([1.0, 2.0, 3.0, 4.0, 5.0])
    assert judge(five, most_blur_px=5.0).verdict == "in focus"
    assert judge(five, most_blur_px=2.0, least_share=0.4).verdict == "in focus"
    assert judge(five, most_blur_px=1.9, least_share=0.4).verdict == "out of focus"


@pytest.mark.parametrize(
    ("limits", "match"),
    [
        ({"most_blur_px": 0.0}, "positive px, got 0"),
        ({"most_blur_px": float("nan")}, "positive px, got nan"),
        ({"least_share": 1.1}, "0 to 1, got 1.1"),
    ],
)
def test_impossible_limits_are_refused(limits: dict[str, float], match: str) -> None:
    with pytest.raises(ArgumentError, match=match):
        judge(tiles([1.0]), **limits)
