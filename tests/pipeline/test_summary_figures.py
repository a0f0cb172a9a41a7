"""Figures read well at any size."""

from __future__ import annotations

import pytest

from crystalgauge.pipeline.summary_figures import counted, rounded


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.04561, "0.0456"), (10.0, "10.0"), (123.4, "123"), (1234.0, "1,230"),
     (159_800.0, "160,000"), (5.86e6, "5.86e6"), (1.234e-5, "1.23e-5"), (3.5e12, "3.50e+12")],
)  # fmt: skip
def test_figures_have_three_digits(value: float, text: str) -> None:
    assert rounded(value) == text


def test_one_is_singular() -> None:
    assert [counted("picture", number) for number in (0, 1, 2)] == [
        "0 pictures",
        "1 picture",
        "2 pictures",
    ]
