from __future__ import annotations

import math

import numpy as np
import pytest

from crystalgauge.render.degrade.tone import Tone, change_tone


def test_mean_and_contrast_change_as_stated():
    picture = 0.5 + 0.1 * np.random.default_rng(1).random((50, 70), np.float32)
    changed = change_tone(picture, Tone(brightness=-0.07, contrast=1.6))
    assert changed.mean() == pytest.approx(picture.mean() - 0.07, abs=1e-5)
    assert changed.std() == pytest.approx(1.6 * picture.std(), rel=1e-4)


def test_greys_stay_in_their_range():
    picture = np.random.default_rng(2).random((20, 20), np.float32)
    changed = change_tone(picture, Tone(brightness=0.4, contrast=3.0))
    assert changed.min() >= 0
    assert changed.max() == 1


def test_nothing_changes_at_contrast_1():
    picture = np.random.default_rng(3).random((20, 20), np.float32)
    np.testing.assert_allclose(change_tone(picture, Tone(0.0, 1.0)), picture, atol=1e-7)


def test_drawn_changes_keep_to_the_strength():
    rng = np.random.default_rng(4)
    drawn = [Tone.sample(rng, (5, 5), 0.2) for _ in range(200)]
    assert 0.18 < max(abs(tone.brightness) for tone in drawn) <= 0.2
    assert 0.54 < max(abs(math.log(tone.contrast)) for tone in drawn) <= 0.6
