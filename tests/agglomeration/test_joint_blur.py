"""One blur from several measures: what is fitted is found again, and pictures may be magnified."""

from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.agglomeration.joint_blur import REFERENCE, TERMS, JointBlur, fit_joint_blur
from crystalgauge.core import ArgumentError


def measured(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return measures of blurs: the model's is unbiased, edges are too sharp where it says more."""
    rng = np.random.default_rng(seed)
    true = rng.uniform(-0.5, 1.5, count)
    missed = 0.8 * (rng.random(count) < 0.3)  # a sharp crystal crosses the edge
    log_blurs = true[:, None] + rng.normal(0, 0.1, (count, 4))
    log_blurs[:, REFERENCE] -= missed
    return log_blurs, true


def test_differences_of_the_measures_correct_the_median_width() -> None:
    joint = fit_joint_blur(*measured(2000, 1))
    log_blurs, true = measured(2000, 2)
    off = joint.log_px(log_blurs) - true
    plain = log_blurs[:, REFERENCE] - true
    assert plain.std() > 0.35
    # the mean of four measures with errors of 0.1 would be known to 0.05, of three to 0.06
    assert off.std() < 0.12
    assert abs(off.mean()) < 0.01
    assert joint.relative_error == pytest.approx(np.median(np.abs(off)) * 1.4826, rel=0.1)


def test_magnification_multiplies_the_blur() -> None:
    joint = fit_joint_blur(*measured(500, 3))
    log_blurs, _ = measured(50, 4)
    assert joint.log_px(log_blurs + np.log(3)) == pytest.approx(joint.log_px(log_blurs) + np.log(3))


def test_measures_that_agree_say_what_they_say() -> None:
    true = np.linspace(-1, 1, 30)
    joint = fit_joint_blur(np.repeat(true[:, None], 4, axis=1), true)
    assert joint.log_px(np.repeat(true[:, None], 4, axis=1)) == pytest.approx(true)
    assert joint.relative_error == 0.05  # the least that counts


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(ArgumentError, match="no outline matches"):
        fit_joint_blur(np.zeros((0, 4)), np.zeros(0))
    three = (0.0,) * 3
    with pytest.raises(ArgumentError, match="positive error"):
        JointBlur(three, three, three, three, (0.0,) * TERMS, 0.0)
