"""Samples of a batch as pictures: who lies in a field, how large, and how many."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crystalgauge.core import ArgumentError
from crystalgauge.scenes.growth import (
    DILUTED,
    HOURS,
    UNDILUTED,
    VARIANTS,
    Drop,
    batch_of,
    picture_sample,
    replicate,
    sample_scene,
)
from crystalgauge.scenes.outlines import outlines_of
from crystalgauge.scenes.population_balance import Parcels, run_batch
from crystalgauge.scenes.scene import placed_vertices

SHAPE = (700, 900)


def population(width_um: float, ratio: float, per_ml: float) -> Parcels:
    one = np.ones(1)
    return Parcels(width_um * one, ratio * width_um * one, one, per_ml * one)


def test_rectangles_in_the_picture_are_width_and_length() -> None:
    drop = Drop(dilution=1.0, depth_mm=0.1, pixel_um=0.5)
    scene = picture_sample(np.random.default_rng(0), population(10.0, 6.0, 4e6), drop, SHAPE)
    corners = placed_vertices(scene.library, scene.crystals)
    _, _, boxes = outlines_of(corners, scene.library.vertex_count[scene.crystals.shape])
    assert len(boxes) > 20
    assert boxes[:, 2] == pytest.approx(120.0, abs=1.5)
    assert boxes[:, 3] == pytest.approx(20.0, abs=0.5)


def test_the_field_holds_the_crystals_of_its_volume() -> None:
    """Centres in the frame: area times depth times number, over the dilution; Poisson."""
    drop = Drop(dilution=4.0, depth_mm=0.5, pixel_um=1.0)
    counts = []
    for seed in range(30):
        scene = picture_sample(np.random.default_rng(seed), population(8.0, 5.0, 2e6), drop, SHAPE)
        x, y = scene.crystals.position_px[:, 0], scene.crystals.position_px[:, 1]
        counts.append(((x >= 0) & (x < 900) & (y >= 0) & (y < 700)).sum())
    expected = 700 * 900 * 500 / 1e12 * 2e6 / 4.0
    assert np.mean(counts) == pytest.approx(expected, abs=4 * np.sqrt(expected / 30))
    assert 0.4 < np.var(counts, ddof=1) / expected < 2.0


def test_the_frame_cuts_crystals_as_a_real_one() -> None:
    """Of places that show anything, (W - a)(H - b) / (W + a)(H + b) show the whole."""
    drop = Drop(dilution=1.0, depth_mm=0.05, pixel_um=0.5)
    whole = seen = 0
    for seed in range(10):
        scene = picture_sample(np.random.default_rng(seed), population(20.0, 6.0, 1e6), drop, SHAPE)
        corners = placed_vertices(scene.library, scene.crystals)
        hulls, ends, _ = outlines_of(corners, scene.library.vertex_count[scene.crystals.shape])
        for row in np.split(hulls, np.asarray(ends)[1:-1]):
            low, high = row.min(0), row.max(0)
            seen += bool((high > 0).all() and (low < SHAPE[::-1]).all())
            whole += bool((low >= 0).all() and (high <= SHAPE[::-1]).all())
    # the mean bounds of a 240 x 40 rectangle at random angles: 2/pi (240 + 40)
    side = 2 / np.pi * 280
    expected = (900 - side) * (700 - side) / ((900 + side) * (700 + side))
    assert whole / seen == pytest.approx(expected, abs=0.06)


def test_nothing_has_crystallized_yet() -> None:
    scene = picture_sample(np.random.default_rng(0), Parcels.none(), DILUTED, SHAPE)
    assert len(scene.crystals) == 0


def test_variants_keep_their_order_and_aspect_ratios() -> None:
    published = {"wild type": 5.99, "T102E": 5.50, "Q126K": 6.70, "Q126H": 7.97}
    widths = {}
    for name in VARIANTS:
        rng = np.random.default_rng(1)
        last = run_batch(VARIANTS[name].batch(), [24.0], rng, step_h=0.05).samples[0]
        widths[name] = np.average(last.width_um, weights=last.number_per_ml)
        ratio = np.average(last.length_um / last.width_um, weights=last.number_per_ml)
        assert ratio == pytest.approx(published[name], rel=0.06)
    assert widths["wild type"] > widths["Q126H"] > widths["Q126K"] > widths["T102E"]


def test_replicates_differ_and_are_the_same_again() -> None:
    a, b, again = batch_of("T102E", 0), batch_of("T102E", 1), batch_of("T102E", 0)
    assert a.dissolved_g_per_l[-1] == again.dissolved_g_per_l[-1]
    assert a.batch != b.batch
    assert len(a.samples) == len(HOURS)
    factors = [
        replicate(VARIANTS["T102E"].batch(), np.random.default_rng(s)).nucleation.rate_per_ml_h
        for s in range(400)
    ]
    assert np.std(np.log(factors)) == pytest.approx(0.3, rel=0.15)


def test_undiluted_drops_are_clouded_and_scenes_repeat() -> None:
    sample = batch_of("Q126K", 0).samples[4]
    clear, clouded = (
        picture_sample(np.random.default_rng(2), sample, drop, SHAPE)
        for drop in (DILUTED, UNDILUTED)
    )
    assert len(clouded.backdrop.elements) > len(clear.backdrop.elements)
    one, two = (sample_scene(np.random.default_rng(5)) for _ in range(2))
    assert one.seed == two.seed
    assert np.array_equal(one.crystals.position_px, two.crystals.position_px)


def test_impossible_requests() -> None:
    with pytest.raises(ArgumentError, match="dilution"):
        replace(DILUTED, dilution=0.5)
    with pytest.raises(ArgumentError, match="unknown variant"):
        batch_of("T102X", 0)
