from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crystalgauge.core import ArgumentError
from crystalgauge.metrics import PackedOutlines, hull_iou_matrix, pack_outlines, suppress


def crowd(seed: int, n: int) -> PackedOutlines:
    """Return ellipses of 4 to 130 px and aspect ratios to 8, several per centre."""
    rng = np.random.default_rng(seed)
    turn = np.arange(24) * 2 * np.pi / 24
    centre = rng.uniform(0, 120, (n // 4 + 1, 2))[rng.integers(0, n // 4 + 1, n)]
    size = np.exp(rng.uniform(np.log(2), np.log(60), n))
    stretch = np.sqrt(rng.uniform(1, 8, n))
    angle = rng.choice([0.0, np.pi / 2, 0.7], n)
    x, y = np.cos(turn) * (size * stretch)[:, None], np.sin(turn) * (size / stretch)[:, None]
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    ring = np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=2)
    return pack_outlines(ring + (centre + rng.normal(0, 2, (n, 2)))[:, None])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.3, 0.5, 0.8]))
def test_the_grid_finds_what_all_pairs_find(seed: int, threshold: float) -> None:
    packed = crowd(seed, 80)
    overlap = hull_iou_matrix(packed, packed)
    kept: list[int] = []
    expected = []
    for i in range(len(packed)):
        near = [k for k in kept if overlap[i, k] >= threshold]
        if not near:
            kept.append(i)
        expected.append(max(near, key=lambda k: (overlap[i, k], -k)) if near else i)
    owner, iou = suppress(packed.hulls, packed.counts, packed.areas, threshold)
    np.testing.assert_array_equal(owner, expected)
    np.testing.assert_allclose(iou, overlap[np.arange(len(packed)), owner], atol=1e-12)


def test_candidates_without_area_own_nothing() -> None:
    square = np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]])
    packed = pack_outlines(np.stack([square * 0, square, square + 0.1, square - 30]))
    owner, iou = suppress(packed.hulls, packed.counts, packed.areas, 0.5)
    np.testing.assert_array_equal(owner, [-1, 1, 1, 3])
    np.testing.assert_allclose(iou, [0, 1, 3.9**2 / (32 - 3.9**2), 1], rtol=1e-12)


def test_no_candidates_are_no_owners() -> None:
    packed = pack_outlines(np.empty((0, 8, 2)))
    owner, iou = suppress(packed.hulls, packed.counts, packed.areas, 0.5)
    assert len(owner) == len(iou) == 0


@pytest.mark.parametrize("threshold", [0.0, 1.2, float("nan")])
def test_thresholds_that_make_no_sense_are_refused(threshold: float) -> None:
    packed = crowd(0, 4)
    with pytest.raises(ArgumentError, match=r"threshold lies in \[0.05, 1\]"):
        suppress(packed.hulls, packed.counts, packed.areas, threshold)
