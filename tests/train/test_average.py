"""The moving average of weights, and the check for packages before a training."""

from __future__ import annotations

import importlib.util

import pytest

from crystalgauge.core import MissingExtraError
from crystalgauge.train.extra import check_extra

torch = pytest.importorskip("torch")


def line(weight: float) -> torch.nn.Module:
    layer = torch.nn.Linear(1, 1)
    for value in layer.parameters():
        torch.nn.init.constant_(value, weight)
    return layer


@pytest.mark.parametrize(("steps", "left"), [(0, 0.1), (8, 0.5), (10**6, 0.99)])
def test_the_average_follows_fast_at_first(steps: int, left: float) -> None:
    from crystalgauge.train.average import follow

    average = line(1.0)
    follow(average, line(0.0), steps, 0.99)
    assert average.weight.item() == pytest.approx(left)
    assert average.bias.item() == pytest.approx(left)


def test_counters_are_copied_not_averaged() -> None:
    from crystalgauge.train.average import follow

    average, model = torch.nn.BatchNorm1d(2), torch.nn.BatchNorm1d(2)
    model.num_batches_tracked += 7
    follow(average, model, 0, 0.99)
    assert int(average.num_batches_tracked) == 7


def test_a_missing_package_is_named_with_what_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxscript" else found(name)
    )
    with pytest.raises(MissingExtraError, match="onnxscript") as caught:
        check_extra("reproducing a training")
    assert "reproducing a training" in str(caught.value).lower()
