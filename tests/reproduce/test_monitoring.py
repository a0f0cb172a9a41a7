"""Monitored batches: what is compared with what, and a small run of all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from crystalgauge.core import ArgumentError
from crystalgauge.measure.weighted_sizes import WeightedSizes
from crystalgauge.reproduce.monitored import Observation, Plan, Sample
from crystalgauge.reproduce.monitoring import (
    fit_line,
    quartiles,
    reproduce_monitoring,
    same_sizes,
    total_area,
)

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = Sample("wild type", 0, 7.0, "diluted")


def test_lines_and_their_share_of_the_variance() -> None:
    x = np.linspace(0, 3, 20)
    assert fit_line(x, 4 - 2 * x).slope == pytest.approx(-2)
    noise = np.random.default_rng(0).normal(0, 1, 20)
    noisy = fit_line(x, 4 - 2 * x + noise)
    assert noisy.r_squared == pytest.approx(np.corrcoef(x, 4 - 2 * x + noise)[0, 1] ** 2)
    assert np.isnan(fit_line(np.ones(5), np.ones(5)).slope)


def test_the_same_distribution_is_not_rejected_and_another_one_is() -> None:
    rng = np.random.default_rng(1)
    a, b = (WeightedSizes.unweighted(rng.lognormal(2, 0.5, 400)) for _ in range(2))
    wider = WeightedSizes.unweighted(rng.lognormal(2.4, 0.5, 400))
    assert same_sizes(a, b).p_value > 0.05
    assert same_sizes(a, wider).p_value < 1e-6
    assert np.isnan(same_sizes(a, WeightedSizes.unweighted([1.0, 2.0])).p_value)


def test_cut_crystals_are_left_out_and_made_up_for() -> None:
    table = pl.DataFrame({
        "picture": [0, 0, 1, 1],
        "length_um": [10.0, 20.0, 30.0, 500.0],
        "width_um": [5.0, 5.0, 6.0, 50.0],
        "area_um2": [40.0, 90.0, 150.0, 2e4],
        "weight": [1.0, 2.0, 1.0, 0.0],
    })  # fmt: skip
    one = Observation(SAMPLE, 2, table, table)
    assert one.sizes("length_um").sizes.tolist() == [10.0, 20.0, 30.0]
    assert quartiles(one.sizes("length_um")).tolist() == [10.0, 20.0, 20.0]
    assert one.sizes("aspect_ratio").sizes == pytest.approx([2.0, 4.0, 5.0])
    assert total_area(one) == pytest.approx(1e-6 * (40 + 180 + 150) / 2)
    assert one.in_batch("width_um").mean(1, 0) > 5.0


def test_a_small_run_writes_tables_and_figures_and_keeps_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = reproduce_monitoring(tmp_path, "smoke", engine="onnxruntime", threads=1)
    text = page.read_text()
    for title in ("Fig. 5", "Table 2", "Fig. 6", "Fig. 8", "Bias of each quantity"):
        assert title in text
    assert "nan" not in text
    assert "plotly" in (tmp_path / "pcs-monitoring.html").read_text()
    from crystalgauge.reproduce import monitored

    def never(*arguments: object) -> None:
        raise AssertionError("measured twice")

    monkeypatch.setattr(monitored, "_photographed", never)
    reproduce_monitoring(tmp_path, "smoke", engine="onnxruntime", threads=1)
    assert page.read_text() == text


def test_pictures_do_not_depend_on_the_plan() -> None:
    first, second = (SAMPLE.generator(k).random() for k in (0, 1))
    assert first != second
    assert first == Sample("wild type", 0, 7.0, "diluted").generator(0).random()
    assert len(list(Plan().samples())) == 3 * 7 * 2 + 4


def test_impossible_arguments(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="known are smoke"):
        reproduce_monitoring(tmp_path, "tpu")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="at least one picture"):
        reproduce_monitoring(tmp_path, "smoke", pictures=0)
