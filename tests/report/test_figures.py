"""Plots: curves, bands and marks stand where they belong, the JSON is valid."""

from __future__ import annotations

import json

import numpy as np
import pytest

from crystalgauge.report.figures import (
    CumulativeCurve,
    Percentile,
    cumulative_figure,
    density_figure,
)


def test_classes_are_drawn_as_an_outline_on_the_axis() -> None:
    figure = density_figure(np.array([1.0, 2, 4]), np.array([0.5, 1]), np.ones(2), "µm", "n = 9")
    line = json.loads(json.dumps(figure.spec, allow_nan=False))["data"][0]
    assert line["x"] == [1, 1, 2, 2, 4, 4]
    assert line["y"] == [0, 0.5, 0.5, 1, 1, 0]
    assert figure.caption.startswith("n = 9. ")


def curve(low: np.ndarray | None = None, high: np.ndarray | None = None) -> CumulativeCurve:
    marks = [Percentile("D10", 1.0, 0.8, 1.5), Percentile("D50", 2.0)]
    share = np.array([0.3, 0.6, 1.0])
    return CumulativeCurve(np.array([1.0, 2.0, 4.0]), share, low, high, marks)


def test_percentiles_are_marked_on_their_share_with_their_interval() -> None:
    figure = cumulative_figure(curve(), curve(), "µm", "n = 3 crystals")
    dots = [trace for trace in figure.spec["data"] if trace["mode"] == "markers"]
    assert [(d["x"], d["y"]) for d in dots] == [([1.0, 2.0], [10.0, 50.0])] * 2
    assert dots[0]["error_x"]["array"] == pytest.approx([0.5, 0])
    assert dots[0]["error_x"]["arrayminus"] == pytest.approx([0.2, 0])
    assert dots[0]["text"] == ["D10 = 1 µm (0.8 to 1.5)", "D50 = 2 µm"]
    assert figure.caption == "n = 3 crystals. Dots mark D10, D50 and D90. No intervals."
    json.dumps(figure.spec, allow_nan=False)


def test_the_band_lies_around_the_curve() -> None:
    banded = curve(np.array([0.2, 0.5, 1.0]), np.array([0.4, 0.7, 1.0]))
    figure = cumulative_figure(banded, banded, "px", "n = 3")
    low, high, line, _ = figure.spec["data"][:4]
    assert (low["y"], high["y"]) == ([20, 50, 100], [40, 70, 100])
    assert high["fill"] == "tonexty"
    assert line["y"] == [30, 60, 100]
    assert "95 % intervals" in figure.caption
