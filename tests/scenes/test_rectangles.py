from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from crystalgauge.core import ArgumentError
from crystalgauge.scenes.rectangles import (
    RectangleLaw,
    Rectangles,
    agree,
    departures,
    rectangles_of,
    sample_rectangles,
    size_classes,
)


def rectangles(ratio: float, side_px: float, angle_deg: float) -> Rectangles:
    return Rectangles(*(np.array([v]) for v in (ratio, side_px**2, np.deg2rad(angle_deg))))


def test_areas_follow_equation_4() -> None:
    law = RectangleLaw(side_px=(3.0, 50.0))
    drawn = sample_rectangles(np.random.default_rng(0), 5000, law)

    def distribution(area: np.ndarray) -> np.ndarray:
        return np.log(area / 9) / np.log(2500 / 9)

    assert kstest(drawn.area_px2, distribution).pvalue > 0.01
    uniform = np.random.default_rng(0).uniform(9, 2500, 5000)
    assert kstest(uniform, distribution).pvalue < 1e-9  # the test can tell


def test_ratio_and_angle_are_uniform() -> None:
    drawn = sample_rectangles(np.random.default_rng(1), 5000)
    assert kstest(drawn.ratio, "uniform", (1, 10.4)).pvalue > 0.01
    assert kstest(drawn.angle_rad, "uniform", (-np.pi / 2, np.pi)).pvalue > 0.01


def test_size_classes_meet_at_8_and_24_px() -> None:
    sides = np.array([4.0, 7.9, 8.1, 23.9, 24.1, 90.0])
    np.testing.assert_array_equal(size_classes(sides**2), [0, 0, 1, 1, 2, 2])


def test_boxes_become_rectangles() -> None:
    found = rectangles_of(np.array([[5.0, 6.0, 12.0, 3.0, 0.4]]))
    assert (found.ratio[0], found.area_px2[0], found.angle_rad[0]) == (4.0, 36.0, 0.4)


@pytest.mark.parametrize(
    ("found", "wanted", "accepted"),
    [
        ((3.1, 21.0, 10.0), (3.0, 20.0, 11.0), True),
        ((3.3, 20.0, 10.0), (3.0, 20.0, 10.0), False),
        ((3.0, 22.5, 10.0), (3.0, 20.0, 10.0), False),
        ((3.0, 20.0, 13.0), (3.0, 20.0, 10.0), False),
        ((3.0, 20.0, -89.5), (3.0, 20.0, 89.5), True),  # half a turn is no turn
        ((1.05, 20.0, -80.0), (1.08, 20.0, 10.0), True),  # nor is a quarter of a near square
        ((1.2, 20.0, -80.0), (1.2, 20.0, 10.0), False),
    ],
)
def test_equation_6(found: tuple, wanted: tuple, accepted: bool) -> None:
    assert agree(rectangles(*found), rectangles(*wanted))[0] == accepted


def test_departures_are_in_px_ratio_and_rad() -> None:
    found = departures(rectangles(4.5, 30.0, -40.0), rectangles(4.0, 28.0, 50.0))
    np.testing.assert_allclose(found, [[2.0, 0.5, np.pi / 2]])


@pytest.mark.parametrize("law", [{"ratio_max": 1.0}, {"side_px": (0, 5)}, {"side_px": (9, 5)}])
def test_impossible_laws_are_refused(law: dict) -> None:
    with pytest.raises(ArgumentError, match="ratio above 1 and two positive rising sides"):
        RectangleLaw(**law)
