from __future__ import annotations

import json

import numpy as np
import pytest
import shapely

from crystalgauge.core import ArgumentError, Crystals
from crystalgauge.metrics import (
    EvaluationPair,
    Stratum,
    as_oriented_boxes,
    evaluate,
    match_by_score,
    match_one_to_one,
    panoptic_quality,
    picture_overlap,
)


def squares(*specs: tuple[float, float, float], **columns: object) -> Crystals:
    """Return squares given by x, y and side."""
    outlines = np.array([shapely.box(x, y, x + s, y + s) for x, y, s in specs], dtype=object)
    return Crystals(outlines, {name: np.asarray(v) for name, v in columns.items()})


def test_perfect_predictions_are_perfect() -> None:
    truth = squares((0, 0, 10), (20, 0, 10), (15, 0, 10), defocus_px=[2.0, 3.0, 4.0])
    found = truth.with_columns(score=[0.9, 0.8, 0.7], defocus_px=[2.2, 3.3, 4.4])
    figures = evaluate([EvaluationPair(truth, found)])
    expected = {"ap": 1, "ap50": 1, "ap75": 1, "pq": 1, "recall": 1, "precision": 1, "best_f1": 1}
    values = figures.as_dict()
    assert {name: values[name] for name in expected} == pytest.approx(expected)
    assert values["size_ratio_median"] == pytest.approx(1.0)
    assert values["defocus_median_relative_error"] == pytest.approx(0.1)
    assert figures.best_score == 0.7
    json.dumps(values, allow_nan=False)


def test_an_ignored_truth_counts_neither_way() -> None:
    truth = squares((0, 0, 10), (30, 0, 10), ignore=[False, True])
    finds_it = squares((0, 0, 10), (30, 0, 10), (32, 2, 3), score=[0.9, 0.8, 0.7])
    figures = evaluate([EvaluationPair(truth, finds_it)])
    assert (figures.n_truth, figures.chosen.precision, figures.chosen.recall) == (1, 1.0, 1.0)
    assert figures.panoptic.n_false == 0
    misses_it = squares((0, 0, 10), score=[0.9])
    assert evaluate([EvaluationPair(truth, misses_it)]).chosen.recall == 1.0


def test_a_cluster_excuses_what_lies_in_it_and_nothing_else() -> None:
    truth = squares((0, 0, 40), (10, 10, 10), is_cluster=[True, False])
    found = squares(
        (10, 10, 10),  # finds the outlined crystal within the cluster
        (25, 25, 8),  # inside: dropped
        (37, 0, 10),  # 3/10 of it inside: false
        (60, 60, 10),  # outside: false
        score=[0.9, 0.8, 0.7, 0.6],
    )
    picture = picture_overlap(truth, found)
    match = match_by_score(picture, 0.5)
    np.testing.assert_array_equal(match.truth_of, [1, -1, -1, -1])
    np.testing.assert_array_equal(match.is_true, [True, False, False, False])
    np.testing.assert_array_equal(match.is_false, [False, False, True, True])
    quality = panoptic_quality([picture], [match_one_to_one(picture)])
    assert (quality.n_true, quality.n_false, quality.n_missed) == (1, 2, 0)
    whole = squares((0, 0, 40), score=[0.9])  # the region itself is no crystal to find
    assert evaluate([EvaluationPair(truth, whole)]).chosen.recall == 0.0


def test_only_what_has_its_centroid_in_the_window_counts() -> None:
    truth = squares((0, 0, 10), (18, 0, 10), (40, 0, 10))
    found = squares(
        (1, 0, 10),  # in the window
        (18, 0, 10),  # matches a truth whose centroid, x = 23, is outside: dropped
        (60, 0, 10),  # outside: dropped
        (11, 12, 6),  # inside: false
        score=[0.9, 0.8, 0.7, 0.6],
    )
    figures = evaluate([EvaluationPair(truth, found, (0, 0, 20, 20))])
    assert (figures.n_truth, figures.n_prediction) == (1, 2)
    assert (figures.chosen.recall, figures.chosen.precision) == (1.0, 0.5)
    hollow = Crystals(np.array([shapely.Polygon(), None]), {"score": [0.9, 0.8]})
    assert evaluate([EvaluationPair(truth, hollow, (0, 0, 20, 20))]).n_prediction == 0
    edge = squares((9, 5, 10))  # its centroid, x = 14, in the window; the one found, 15.5, not
    shifted = squares((10.5, 5, 10), score=[0.9])
    assert evaluate([EvaluationPair(edge, shifted, (0, 0, 15, 20))]).chosen.recall == 1.0


def test_overlapping_crystals_are_assigned_one_to_one() -> None:
    truth = squares((0, 0, 10), (3, 0, 10))
    # both predictions overlap both truths by more than 0.5; the first prefers the second truth
    found = squares((2, 0, 10), (4, 0, 10), score=[0.9, 0.8])
    picture = picture_overlap(truth, found)
    np.testing.assert_array_equal(match_by_score(picture, 0.5).truth_of, [1, -1])
    best = match_one_to_one(picture)
    np.testing.assert_array_equal(best.truth_of, [0, 1])
    quality = panoptic_quality([picture], [best])
    assert quality.rq == 1.0
    assert quality.sq == pytest.approx((8 / 12 + 9 / 11) / 2)
    assert quality.pq == pytest.approx(quality.sq)


def test_panoptic_quality_of_known_counts() -> None:
    truth = squares((0, 0, 10), (30, 0, 10), (60, 0, 10))
    found = squares((0, 0, 10), (30, 0, 9), (90, 0, 10), (90, 20, 9), score=[0.9, 0.9, 0.9, 0.1])
    quality = evaluate([EvaluationPair(truth, found)]).panoptic
    assert quality.sq == pytest.approx((1 + 0.81) / 2)
    assert quality.rq == pytest.approx(2 / (2 + 0.5 + 0.5))  # the last scores below 0.5
    assert quality.pq == pytest.approx(quality.sq * quality.rq)


def test_size_bias_is_the_ratio_of_diameters_with_an_interval() -> None:
    rng = np.random.default_rng(3)
    truths, founds = [], []
    for _ in range(12):
        places = [(40.0 * i, 0.0, 20.0) for i in range(8)]
        sides = 20.0 * rng.normal(1.05, 0.03, 8)
        truths.append(squares(*places))
        founds.append(
            squares(*[(x, y, s) for (x, y, _), s in zip(places, sides, strict=True)], score=[1] * 8)
        )
    pairs = [EvaluationPair(t, f) for t, f in zip(truths, founds, strict=True)]
    bias = evaluate(pairs).size
    assert bias.n == 96
    assert bias.mean.value == pytest.approx(1.05, abs=0.01)
    assert bias.mean.low < bias.mean.value < bias.mean.high
    # 96 ratios of standard deviation 0.03: the interval is about 2 x 1.96 x 0.003 wide
    assert 0.006 < bias.mean.high - bias.mean.low < 0.02
    one = evaluate(pairs[:1]).size
    assert one.median.low <= one.median.value <= one.median.high
    assert evaluate(pairs).as_dict() == evaluate(pairs).as_dict()  # the bootstrap has its own seed


def test_strata_judge_only_their_crystals() -> None:
    needle = shapely.box(50, 0, 110, 11)
    outlines = np.array([shapely.box(0, 0, 6, 6), shapely.box(20, 0, 40, 20), needle], dtype=object)
    truth = Crystals(outlines, {"habit": np.array([1, 2, 3])})
    found = truth.take([0, 1]).with_columns(score=[0.9, 0.8])
    values = evaluate([EvaluationPair(truth, found)]).as_dict()
    assert (values["ap_small"], values["ap_medium"], values["ap_large"]) == (1, 1, 0)
    assert values["ap_needle"] == 0.0
    habits = [Stratum("cube", "habit", 0.5, 2.5)]
    assert evaluate([EvaluationPair(truth, found)], strata=habits).ap_by_stratum["cube"] == 1.0
    with pytest.raises(ArgumentError, match="no column 'colour'"):
        evaluate([EvaluationPair(truth, found)], strata=[Stratum("red", "colour", 0, 1)])


def test_boxes_are_judged_by_their_own_overlap() -> None:
    diamond = shapely.Polygon([(0, 5), (20, 0), (40, 5), (20, 10)])
    truth = Crystals(np.array([diamond], dtype=object))
    box = shapely.oriented_envelope(diamond)
    found = Crystals(np.array([box], dtype=object), {"score": np.array([0.9])})
    outlines = evaluate([EvaluationPair(truth, found)])
    boxes = evaluate([EvaluationPair(as_oriented_boxes(truth), as_oriented_boxes(found))])
    assert outlines.ap75 == 0.0  # a diamond fills half of its box
    assert boxes.ap == 1.0
    assert boxes.size.median.value == pytest.approx(1.0)


def test_a_box_without_area_finds_nothing_and_is_false() -> None:
    line = shapely.Polygon([(0, 0), (10, 0), (10, 0)])
    truth = squares((0, 0, 10))
    found = Crystals(np.array([line], dtype=object), {"score": np.array([0.9])})
    result = evaluate([EvaluationPair(as_oriented_boxes(truth), as_oriented_boxes(found))])
    assert result.ap == 0.0
    assert result.chosen.precision == 0.0


def test_five_thousand_crystals_in_one_picture() -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 4000, (5000, 2))
    truth = squares(*[(x, y, 9.0) for x, y in corners])
    found = truth.with_columns(score=rng.uniform(0.5, 1, 5000))
    result = evaluate([EvaluationPair(truth, found)])
    assert result.n_truth == result.n_prediction == 5000
    assert result.ap == pytest.approx(1.0)
