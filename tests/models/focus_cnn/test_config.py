"""Sizes of the focus network."""

from __future__ import annotations

import pytest

from crystalgauge.core import ArgumentError
from crystalgauge.models.focus_cnn import FocusCnnConfig
from crystalgauge.models.focus_cnn.config import KERNELS


def test_parameters_counted_by_hand() -> None:
    # conv 1-2, 2-4, 4-8, 8-8 with 3 x 3 kernels; dense 8-8; 8-2
    by_hand = (9 * 2 + 2) + (9 * 8 + 4) + (9 * 32 + 8) + (9 * 64 + 8) + 72 + 18
    assert FocusCnnConfig(3, width=2).parameters == by_hand
    # without the first three convolutions: conv 1-8, dense 8-8, 8-2
    assert FocusCnnConfig(3, width=2, reduced=True).parameters == (9 * 8 + 8) + 72 + 18


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("wanted", [5_000, 50_000, 1_600_000, 3_000_000])
def test_widths_give_the_number_of_parameters_wanted(kernel: int, wanted: int) -> None:
    found = FocusCnnConfig(kernel).with_parameters(wanted)
    assert found.kernel == kernel
    assert found.parameters == pytest.approx(wanted, rel=0.15)


def test_a_number_that_no_width_comes_near_is_refused() -> None:
    with pytest.raises(ArgumentError, match="no width gives 100 parameters"):
        FocusCnnConfig(11).with_parameters(100)


def test_multiplications_counted_by_hand() -> None:
    # 8 x 8 px, kernels of 3: at 8, 4, 2 and 2 px; then dense 8-8 and 8-2
    by_hand = 9 * (2 * 64 + 8 * 16 + 32 * 4 + 64 * 4) + 64 + 16
    assert FocusCnnConfig(3, width=2).multiplications(8) == by_hand


def test_what_is_stored_is_read_again() -> None:
    config = FocusCnnConfig(7, "tanh", 12.5, 4, reduced=True)
    assert FocusCnnConfig.from_dict(config.as_dict()) == config


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kernel": 4}, "kernel must be one of"),
        ({"activation": "gelu"}, "relu or tanh"),
        ({"classes": 1}, "at least 2 classes"),
        ({"width": 0.1}, "width must be"),
    ],
)
def test_impossible_settings_are_refused(settings: dict, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        FocusCnnConfig(**settings)
