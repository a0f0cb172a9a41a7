"""Plots: the classes hold every crystal, the shares add up, the JSON is valid."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crystalgauge.report.figures import (
    CumulativeCurve,
    Percentile,
    cumulative_figure,
    histogram_figure,
    size_classes,
)

SIZES = st.lists(st.floats(1e-3, 1e4), min_size=1, max_size=200).map(np.array)


@given(SIZES)
@settings(max_examples=25, deadline=None)
def test_classes_hold_every_size_and_are_equally_wide_in_the_logarithm(sizes: np.ndarray) -> None:
    edges = size_classes(sizes)
    assert edges[0] <= sizes.min()
    assert edges[-1] >= sizes.max()
    steps = np.diff(np.log(edges))
    assert steps == pytest.approx(np.full(len(steps), steps.mean()), rel=1e-6)


@given(SIZES)
@settings(max_examples=25, deadline=None)
def test_shares_add_up_to_everything(sizes: np.ndarray) -> None:
    figure = histogram_figure(sizes, "µm")
    bars = json.loads(json.dumps(figure.spec, allow_nan=False))["data"][0]
    assert sum(bars["y"]) == pytest.approx(100)


def test_curves_are_cumulative_and_weighted_by_volume() -> None:
    sizes = np.array([2.0, 1.0, 1.0])
    number, volume = (CumulativeCurve.from_sizes(sizes, power) for power in (0, 3))
    assert number.diameter.tolist() == [1, 1, 2]
    assert number.fraction == pytest.approx([1 / 3, 2 / 3, 1])
    assert volume.fraction == pytest.approx([0.1, 0.2, 1])


def test_long_curves_are_thinned_but_keep_their_ends() -> None:
    sizes = np.random.default_rng(0).lognormal(3, 0.5, 20_000)
    curve = CumulativeCurve.from_sizes(sizes, 3)
    assert len(curve.diameter) <= 400
    assert (curve.diameter[0], curve.diameter[-1]) == (sizes.min(), sizes.max())
    assert curve.fraction[-1] == pytest.approx(1)
    assert (np.diff(curve.fraction) >= 0).all()


def test_percentiles_are_marked_on_their_share_with_their_interval() -> None:
    marks = [Percentile("D10", 1.0, 0.8, 1.5), Percentile("D50", 2.0)]
    curve = CumulativeCurve.from_sizes(np.array([1.0, 2.0, 4.0]), 0, marks)
    figure = cumulative_figure(curve, curve, "µm", 3)
    dots = [trace for trace in figure.spec["data"] if trace["mode"] == "markers"]
    assert [(d["x"], d["y"]) for d in dots] == [([1.0, 2.0], [10.0, 50.0])] * 2
    assert dots[0]["error_x"]["array"] == pytest.approx([0.5, 0])
    assert dots[0]["error_x"]["arrayminus"] == pytest.approx([0.2, 0])
    assert dots[0]["text"] == ["D10 = 1 µm (0.8 to 1.5)", "D50 = 2 µm"]
    assert "n = 3" in figure.caption
    json.dumps(figure.spec, allow_nan=False)
