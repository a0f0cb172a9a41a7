from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.render.geometry import row_span


def test_row_span_of_a_triangle() -> None:
    triangle = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    assert row_span(triangle, 1.0) == pytest.approx((0.0, 3.0))
    low, high = row_span(triangle, 5.0)
    assert low > high
