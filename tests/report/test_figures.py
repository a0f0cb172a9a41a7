"""Plots: the classes hold every crystal, the shares add up, the JSON is valid."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crystalgauge.report.figures import (
    CumulativeCurve,
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
    figure = histogram_figure(sizes, np.linspace(1, 2, len(sizes)), "µm")
    bars = json.loads(json.dumps(figure.spec, allow_nan=False))["data"][0]
    assert sum(bars["y"]) == pytest.approx(100)


def test_weights_count() -> None:
    bars = histogram_figure(np.array([1.0, 100.0]), np.array([3.0, 1.0]), "px").spec["data"][0]
    assert bars["y"][0] == pytest.approx(75)
    assert bars["y"][-1] == pytest.approx(25)


def curve(low: bool = True) -> CumulativeCurve:
    x, y = np.array([1.0, 2.0, 4.0]), np.array([0.2, 0.5, 1.0])
    band = np.clip(y - 0.1, 0, 1) if low else None
    return CumulativeCurve(x, y, band, y if low else None, {"D10": 1.0, "D50": 2.0, "D90": 3.6})


def test_percentiles_are_marked_on_their_share() -> None:
    data = cumulative_figure(curve(), curve(), "µm", 3).spec["data"]
    marks = [trace for trace in data if trace["mode"] == "markers"]
    assert [(m["x"], m["y"]) for m in marks] == [([1.0, 2.0, 3.6], [10.0, 50.0, 90.0])] * 2


def test_the_band_is_drawn_only_where_there_is_one_and_the_caption_says_so() -> None:
    with_band, without = (cumulative_figure(curve(b), curve(b), "µm", 3) for b in (True, False))
    assert sum("fill" in trace for trace in with_band.spec["data"]) == 2
    assert not any("fill" in trace for trace in without.spec["data"])
    assert "95 %" in with_band.caption
    assert "no interval" in without.caption
    assert "n = 3" in with_band.caption
