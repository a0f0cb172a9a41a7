"""The fit finds the law it is given, and says what happens as often as it happens."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crystalgauge.agglomeration.contact import NeighbourPairs
from crystalgauge.agglomeration.contact_model import (
    ContactModel,
    crystal_evidence,
    load_contact_model,
    save_contact_models,
)
from crystalgauge.agglomeration.joint_blur import TERMS, JointBlur
from crystalgauge.agglomeration.pair_model import (
    FEATURES,
    PairModel,
    describe,
    fit_pair_model,
    logistic,
    newton,
)
from crystalgauge.agglomeration.reliability import reliability
from crystalgauge.core import ArgumentError, ModelError

JOINT = JointBlur((-1.0,) * 3, (1.0,) * 3, (0.0,) * 3, (1.0,) * 3, (0.0,) * TERMS, 0.2)
"""The median width alone."""


def blurs_apart(log_ratio: np.ndarray) -> np.ndarray:
    """Return blurs of pairs of which all measures differ by as much."""
    other = np.repeat(log_ratio[:, None], 4, axis=1)
    return np.stack([np.zeros_like(other), other], axis=1)


def random_pairs(count: int, seed: int = 0) -> NeighbourPairs:
    rng = np.random.default_rng(seed)
    return NeighbourPairs(
        np.zeros(count, np.int64), np.arange(1, count + 1), rng.exponential(1.0, count),
        rng.uniform(0.5, 4, count), rng.uniform(0, 40, count), rng.uniform(0, 1, count) ** 2,
        rng.uniform(10, 80, count), rng.uniform(0.6, 1, count), rng.uniform(0.2, 1, count),
        blurs_apart(rng.exponential(0.4, count)), rng.uniform(0.4, 1, count),
    )  # fmt: skip


def test_newton_finds_the_weights_of_the_law() -> None:
    rng = np.random.default_rng(1)
    design = np.column_stack([np.ones(40_000), rng.normal(size=(40_000, 2))])
    true = np.array([-0.5, 1.5, -1.0])
    label = (rng.random(40_000) < logistic(design @ true)).astype(np.float64)
    # the standard error of each weight is about 2 / sqrt(40 000 / 4) = 0.02
    assert newton(design, label, 0.0) == pytest.approx(true, abs=0.07)


def test_ridge_holds_separable_weights() -> None:
    design = np.column_stack([np.ones(10), np.repeat([-1.0, 1.0], 5)])
    weights = newton(design, (design[:, 1] > 0).astype(np.float64), 1.0)
    p = logistic(design @ weights)
    slope = design.T @ (p - (design[:, 1] > 0)) + [0.0, weights[1]]
    assert slope == pytest.approx([0.0, 0.0], abs=1e-6)
    assert 0.5 < weights[1] < 5


def test_probabilities_of_pairs_are_calibrated() -> None:
    def law(pairs: NeighbourPairs) -> np.ndarray:
        focus = pairs.log_blurs[:, 1, 0]
        return logistic(2.0 - 1.5 * pairs.gap_px / pairs.blur_px - 4.0 * focus)

    rng = np.random.default_rng(2)
    pairs, new = random_pairs(6000, 1), random_pairs(6000, 2)
    touch = rng.random(6000) < law(pairs)
    model = fit_pair_model(describe(pairs, JOINT), touch, joint=JOINT)
    said = model.probability(new)
    result = reliability(said, rng.random(6000) < law(new))
    # ten bins of some 600: the share in each is known to about 0.02
    assert result.expected_error < 0.04
    assert np.corrcoef(said, law(new))[0, 1] > 0.95


def test_features_are_named_and_finite() -> None:
    features = describe(random_pairs(50), JOINT)
    assert features.shape == (50, len(FEATURES))
    assert np.isfinite(features).all()


def test_more_focus_difference_is_less_contact_with_the_shipped_model() -> None:
    model = load_contact_model("exact").pairs
    pairs = replace(
        random_pairs(40), gap_px=np.zeros(40), contact_px=np.full(40, 20.0),
        overlap_share=np.full(40, 0.05), smaller_px=np.full(40, 40.0), blur_px=np.full(40, 1.0),
        size_ratio=np.full(40, 0.8), union_solidity=np.full(40, 0.8), least_score=np.ones(40),
    )  # fmt: skip
    alike = model.probability(replace(pairs, log_blurs=blurs_apart(np.zeros(40))))
    apart = model.probability(replace(pairs, log_blurs=blurs_apart(np.ones(40))))
    assert (alike > 0.8).all()
    assert (apart < 0.2).all()


def test_reliability_of_known_cases() -> None:
    result = reliability(np.array([0.25, 0.25, 0.25, 0.25, 1.0]), np.array([1, 0, 0, 0, 0]) > 0)
    assert result.count.tolist() == [0, 0, 4, 0, 0, 0, 0, 0, 0, 1]
    assert result.stated[2] == result.happened[2] == pytest.approx(0.25)
    assert result.expected_error == pytest.approx(1 / 5)
    assert result.brier == pytest.approx((0.75**2 + 3 * 0.25**2 + 1) / 5)
    with pytest.raises(ArgumentError, match="needs cases"):
        reliability(np.zeros(0), np.zeros(0, bool))


def test_crystals_add_up_their_contacts() -> None:
    pairs = replace(random_pairs(3), row_a=np.array([0, 0, 1]), row_b=np.array([1, 2, 2]))
    evidence, near = crystal_evidence(4, pairs, np.array([0.5, 0.5, 0.2]))
    assert near.tolist() == [True, True, True, False]
    any_of_first = logistic(evidence[0, 2])
    assert any_of_first == pytest.approx(0.75)
    assert logistic(evidence[1, 1]) == pytest.approx(0.5)


def test_models_are_kept_whole(tmp_path) -> None:
    values = tuple(np.linspace(0, 1, len(FEATURES)).tolist())
    pairs = PairModel(JOINT, values, values, values, values, values, 0.5)
    model = ContactModel(pairs, (0.1, 0.2, 0.3))
    path = tmp_path / "contacts.json"
    save_contact_models({"mine": model}, {"seed": 1}, path)
    assert load_contact_model("mine", path) == model
    with pytest.raises(ModelError, match="no model 'yours'"):
        load_contact_model("yours", path)
    with pytest.raises(ModelError, match="cannot read"):
        load_contact_model("mine", tmp_path / "nothing.json")
    (tmp_path / "old.json").write_text(path.read_text().replace('"gap"', '"distance"'))
    with pytest.raises(ModelError, match="another version"):
        load_contact_model("mine", tmp_path / "old.json")


def test_impossible_models() -> None:
    with pytest.raises(ArgumentError, match="needs 23 weights"):
        PairModel(JOINT, (), (), (), (), (), 0.0)
    with pytest.raises(ArgumentError, match="pairs that touch and pairs that do not"):
        fit_pair_model(np.zeros((3, 2)), np.zeros(3, bool), joint=JOINT)
