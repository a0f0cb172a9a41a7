from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from scipy.stats import chi2

from crystalgauge.core import ArgumentError
from crystalgauge.scenes.outlines import outlines_of
from crystalgauge.scenes.pcs import PcsConfig, place_crystals, sample_scene
from crystalgauge.scenes.placement import contact_pairs
from crystalgauge.scenes.rectangles import (
    RectangleLaw,
    Rectangles,
    rectangles_of,
    sample_rectangles,
)

if TYPE_CHECKING:
    from crystalgauge.scenes import Scene

LAW = RectangleLaw()
SIDE = 384


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [sample_scene(np.random.default_rng((3, i))) for i in range(400)]


@pytest.fixture(scope="module")
def realised(scenes: list[Scene]) -> Rectangles:
    """The rectangles around some 20 000 crystals as they lie in their scenes."""
    boxes = [
        outlines_of(scene.vertices_px(), scene.library.vertex_count[scene.crystals.shape])[2]
        for scene in scenes
    ]
    return rectangles_of(np.concatenate(boxes))


def chi_square_of_counts(values: np.ndarray, low: float, high: float, bins: int) -> float:
    count, _ = np.histogram(values, bins, (low, high))
    expected = len(values) / bins
    return float(((count - expected) ** 2 / expected).sum())


def test_ratios_are_flat(realised: Rectangles) -> None:
    """Paper, figure 1 d; by chance alone one set of scenes in 1000 would fail."""
    assert len(realised.ratio) > 20_000
    assert chi_square_of_counts(realised.ratio, 1, LAW.ratio_max, 20) < chi2.ppf(0.999, 19)


def test_angles_are_flat(realised: Rectangles) -> None:
    """Paper, figure 1 e."""
    high = np.pi / 2
    assert chi_square_of_counts(realised.angle_rad, -high, high, 20) < chi2.ppf(0.999, 19)


def test_every_size_class_covers_the_same_area(realised: Rectangles) -> None:
    """Paper, figure 1 f: classes of equal width; equation 4 gives mean and spread of each total."""
    low, high = (side**2 for side in LAW.side_px)
    edges = np.linspace(low, high, 9)
    total, _ = np.histogram(realised.area_px2, edges, weights=realised.area_px2)
    count, spread = len(realised.area_px2), np.log(high / low)
    mean = (edges[1] - edges[0]) / spread
    square = (edges[1:] ** 2 - edges[:-1] ** 2) / (2 * spread)
    misses = (total - count * mean) ** 2 / (count * (square - mean**2))
    assert misses.sum() < chi2.ppf(0.999, 8)
    uniform = np.random.default_rng(0).uniform(low, high, count)
    biased, _ = np.histogram(uniform, edges, weights=uniform)
    assert biased[-1] > 5 * biased[0]  # what equation 4 avoids


def test_no_crystal_is_left_without_a_place() -> None:
    rng = np.random.default_rng(8)
    left = 0
    config = PcsConfig()
    library = sample_scene(rng).library
    for _ in range(20):
        wanted = sample_rectangles(rng, config.count[1])
        _, placed = place_crystals(rng, (SIDE, SIDE), library, wanted, config)
        left += np.count_nonzero(~placed)
    assert left <= 0.001 * 20 * config.count[1]


def test_no_crystal_reaches_the_border(scenes: list[Scene]) -> None:
    for scene in scenes:
        corners = scene.vertices_px()[..., :2]
        assert corners.min() > 0.99
        assert corners.max() < SIDE - 0.99


def test_no_crystal_hides_more_than_a_quarter_of_another(scenes: list[Scene]) -> None:
    shares = []
    for scene in scenes[:25]:
        used = scene.library.vertex_count[scene.crystals.shape]
        corners, offsets, _ = outlines_of(scene.vertices_px(), used)
        outlines = [shapely.Polygon(part) for part in np.split(corners, offsets[1:-1])]
        pairs = shapely.STRtree(outlines).query(outlines, predicate="intersects").T
        for a, b in ((outlines[i], outlines[j]) for i, j in pairs if i < j):
            shares.append(shapely.intersection(a, b).area / min(a.area, b.area))
    assert max(shares) < 0.25 + 1e-4
    assert max(shares) > 0.2


def test_crystals_do_not_grow_into_each_other(scenes: list[Scene]) -> None:
    """Contacts need outlines that nearly touch without overlap: a few in a thousand crystals."""
    contacts = crystals = 0
    for scene in scenes[:40]:
        used = scene.library.vertex_count[scene.crystals.shape]
        contacts += len(contact_pairs(scene.vertices_px(), used))
        crystals += len(scene.crystals)
    assert contacts < 0.02 * crystals


def test_a_scene_is_of_one_glass_of_any_index(scenes: list[Scene]) -> None:
    filled = [scene.crystals.refractive_index for scene in scenes]
    assert all((index == index[0]).all() for index in filled)
    drawn = np.array([index[0] for index in filled])
    assert 1.1 <= drawn.min() < 1.15
    assert 1.75 < drawn.max() <= 1.8
    assert drawn.mean() == pytest.approx(1.45, abs=0.04)  # four standard errors


def test_lamps_differ_and_defocus_does_not_show(scenes: list[Scene]) -> None:
    assert len({scene.optics for scene in scenes}) == len(scenes)
    blur = [np.abs(s.crystals.position_px[:, 2]).max() * s.optics.aperture_tan / 2 for s in scenes]
    assert np.quantile(blur, 0.95) < 0.6


def test_the_same_generator_gives_the_same_scene() -> None:
    one, two = (sample_scene(np.random.default_rng(6), (128, 96)) for _ in range(2))
    for name, values in vars(one.crystals).items():
        np.testing.assert_array_equal(values, getattr(two.crystals, name))
    assert (one.optics, one.camera, one.backdrop, one.seed) == (
        two.optics, two.camera, two.backdrop, two.seed,
    )  # fmt: skip
    assert len(one.crystals) > 0


def test_a_scene_may_be_empty() -> None:
    scene = sample_scene(np.random.default_rng(0), (64, 64), PcsConfig(count=(0, 0)))
    assert len(scene.crystals) == 0


@pytest.mark.parametrize("wrong", [{"count": (9, 3)}, {"largest_overlap": 1.2}])
def test_impossible_scenes_are_refused(wrong: dict) -> None:
    with pytest.raises(ArgumentError, match="two rising counts and a largest overlap from 0 to 1"):
        PcsConfig(**wrong)
