"""Two looks at one picture: what agrees is averaged, what stands alone is doubted."""

from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.models.outline.decode import Outlines
from crystalgauge.models.outline.frame import encode_packed
from crystalgauge.predict.looks import (
    EVEN_PX,
    find_at_best_scales,
    fuse,
    trust_by_size,
    trust_evenly,
)

AROUND = np.linspace(0, 2 * np.pi, 24, endpoint=False)


def discs(centres: list[tuple[float, float]], radius: float, score: float = 0.8) -> Outlines:
    """Return the outlines of discs, found with a blur of 2 px and an error of 0.1."""
    ring = radius * np.stack([np.cos(AROUND), np.sin(AROUND)], 1)
    points = np.concatenate([ring + centre for centre in centres])
    codes, _ = encode_packed(points, len(AROUND) * np.arange(len(centres) + 1), len(AROUND))
    count = len(centres)
    return Outlines(codes, np.full(count, score), np.full(count, 2.0), np.full(count, 0.1))


def nothing() -> Outlines:
    return discs([(0.0, 0.0)], 10.0).take(np.zeros(1, np.bool_))


def test_what_both_looks_find_is_their_mean_by_size() -> None:
    radius = EVEN_PX / 2
    fine, coarse = discs([(100, 100)], radius, 0.9), discs([(102, 100)], radius, 0.5)
    found = fuse(fine, coarse, trust_by_size)
    assert len(found) == 1
    assert found.centres_px[0] == pytest.approx([101, 100], abs=0.05)
    assert found.extent_px[0] == pytest.approx(EVEN_PX, rel=0.02)
    assert found.score[0] == pytest.approx(0.7, abs=0.01)
    assert found.defocus_px[0] == pytest.approx(2.0)
    small = fuse(discs([(100, 100)], 3, 0.9), discs([(100, 100)], 3, 0.5), trust_by_size)
    large = fuse(discs([(100, 100)], 150, 0.9), discs([(100, 100)], 150, 0.5), trust_by_size)
    assert small.score[0] > 0.8 > 0.6 > large.score[0], "each look knows its sizes best"


def test_what_one_look_finds_alone_is_kept_with_a_lower_score() -> None:
    found = fuse(discs([(50, 50)], 5), discs([(300, 50)], 100, 0.8), trust_by_size)
    assert len(found) == 2
    assert (found.score < 0.8).all()
    assert (np.diff(found.score) <= 0).all(), "best first"
    wrong_way = fuse(discs([(300, 50)], 100, 0.8), discs([(50, 50)], 5), trust_by_size)
    assert wrong_way.score.max() < found.score.min(), "a look is believed on its own sizes"


def test_neighbours_are_not_taken_for_one_crystal() -> None:
    places = [(20.0 * k, 40.0) for k in range(6)]
    found = fuse(discs(places, 10), discs([(x + 1, y) for x, y in places], 10), trust_by_size)
    assert len(found) == len(places)
    assert sorted(found.centres_px[:, 0]) == pytest.approx([x + 0.4 for x, _ in places], abs=0.3)


def test_looks_of_one_magnification_count_evenly() -> None:
    found = fuse(discs([(100, 100)], 3, 0.9), discs([(101, 100)], 3, 0.5), trust_evenly)
    assert found.centres_px[0] == pytest.approx([100.5, 100], abs=0.01)
    assert found.score[0] == pytest.approx(0.7)


def test_an_outline_is_mirrored_with_its_picture() -> None:
    leaning = np.array([[10.0, 10], [40, 16], [46, 30], [22, 34]])
    codes, _ = encode_packed(leaning, np.array([0, 4]), 24)
    one = Outlines(codes, np.array([0.9]), np.array([1.0]), np.array([0.1]))
    turned = one.mirrored(100).vertices[0]
    assert sorted(map(tuple, np.round(turned * [-1, 1] + [100, 0], 6))) == sorted(
        map(tuple, np.round(one.vertices[0], 6))
    )
    assert one.mirrored(100).mirrored(100).codes == pytest.approx(one.codes)


def test_one_empty_look_leaves_the_other() -> None:
    one = discs([(50, 50), (90, 90)], 8)
    assert len(fuse(one, nothing(), trust_by_size)) == len(fuse(nothing(), one, trust_by_size)) == 2
    assert len(fuse(nothing(), nothing(), trust_by_size)) == 0


@pytest.mark.parametrize(("enlarged", "scales"), [(30, (1.5, 1.0)), (41, (1.0,))])
def test_what_appears_only_when_enlarged_is_not_believed(
    enlarged: int, scales: tuple[float, ...]
) -> None:
    asked: list[tuple[tuple[float, ...], float, float]] = []

    def look(scales: tuple[float, ...], start: float, part: float) -> Outlines:
        asked.append((scales, start, part))
        return discs([(20.0 * k, 0.0) for k in range(20 if scales == (1.0,) else enlarged)], 5)

    found, taken = find_at_best_scales(look, (1.0,))
    assert taken == scales
    assert len(found) == (enlarged if 1.5 in scales else 20)
    assert [each for each, _, _ in asked] == [(1.0,), (1.5,)]
    assert asked[1][1] == asked[0][2]
    assert asked[0][2] + asked[1][2] == pytest.approx(1.0)
