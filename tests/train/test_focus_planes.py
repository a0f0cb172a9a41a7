"""Training on planes: it learns, repeats itself and leaves alone what is not to be learnt."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")

from crystalgauge.core import ArgumentError  # noqa: E402
from crystalgauge.models.focus_cnn import FocusCnnConfig  # noqa: E402
from crystalgauge.models.focus_cnn.model import (  # noqa: E402
    FilteredCnn,
    FocusCnn,
    FourierAperture,
)
from crystalgauge.train.focus_planes import (  # noqa: E402
    FocusSchedule,
    LabelledPlanes,
    fit_planes,
    judge_planes,
)


def gratings(seed: int, count: int = 60) -> LabelledPlanes:
    """Fine and coarse gratings of any phase, with noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    x = np.arange(16)
    waves = [np.sin(2 * np.pi * x * (0.25, 0.0625)[k] + rng.uniform(0, 6)) for k in labels]
    pixels = np.array(waves)[:, None, None, :] + rng.normal(0, 0.3, (count, 1, 16, 16))
    return LabelledPlanes((pixels.astype(np.float32),), labels)


def network(**aperture: bool) -> FilteredCnn:
    torch.manual_seed(3)
    layer = FourierAperture(0.1, **aperture) if aperture else None
    return FilteredCnn(FocusCnn(FocusCnnConfig(3, width=3)), layer)


SCHEDULE = FocusSchedule(batch=10, rate=5e-3, examples=300, decay="cosine", records=3)


def test_it_learns_what_can_be_learnt_and_does_so_again() -> None:
    train, validation = gratings(501), gratings(502)
    first = network()
    history = fit_planes(first, train, validation, SCHEDULE)
    found, loss = judge_planes(first, validation)
    assert (found == validation.labels).mean() > 0.9
    assert history.validation_accuracy[-1] == pytest.approx((found == validation.labels).mean())
    assert history.validation_loss[-1] == pytest.approx(loss)
    assert history.epochs == pytest.approx([100 / 60, 200 / 60, 5])
    assert history.examples == 300
    second = network()
    fit_planes(second, train, validation, SCHEDULE)
    for one, two in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=0)


def test_only_what_is_to_be_learnt_of_a_layer_moves() -> None:
    filtered = network(learn_radius=True, learn_phase=False)
    weight = filtered.network.classes.weight.detach().clone()
    fit_planes(filtered, gratings(503), gratings(504), SCHEDULE)
    assert float(filtered.aperture.radius_per_px.detach()) != pytest.approx(0.1, rel=1e-3)
    assert not filtered.aperture.phase_rad.any()
    assert not torch.equal(weight, filtered.network.classes.weight)


def test_impossible_schedules_and_tables_are_refused() -> None:
    with pytest.raises(ArgumentError, match="examples for one batch"):
        FocusSchedule(batch=10, examples=5)
    with pytest.raises(ArgumentError, match="as many rows"):
        LabelledPlanes((np.zeros((3, 1, 8, 8), np.float32),), np.zeros(2, np.int64))
