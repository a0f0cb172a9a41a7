"""Figures over time, read from a store."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from box_detector import BoxDetector, picture, save

import crystalgauge
from crystalgauge.core import ArgumentError, ReadError
from crystalgauge.monitor.alarms import Cusum, parse_threshold
from crystalgauge.monitor.store import Store
from crystalgauge.monitor.trends import figure_names, read_trend, weighted_quartiles

if TYPE_CHECKING:
    from pathlib import Path

    from crystalgauge.monitor.trends import Trend

SIZE = 200


def rows_of_boxes(lengths: list[int], width: int = 8) -> np.ndarray[Any, Any]:
    """Return a picture of one row per box, and one box that the border cuts."""
    boxes = [(20, 14 * k + 5, length, width) for k, length in enumerate(lengths)]
    return picture([*boxes, (0, SIZE - 12, 60, width)], size=SIZE)


def fill(folder: Path, store: str | Path, pictures: list[np.ndarray[Any, Any]], **how: Any) -> None:
    for index, pixels in enumerate(pictures):
        path = save(folder / f"{index:03d}.png", pixels)
        os.utime(path, (1_700_000_000 + 60 * index,) * 2)
    how = {"pixel_size_um": 0.5, **how}
    for record in crystalgauge.watch(
        folder, store, detector=BoxDetector(), once=True, settle_s=0, **how
    ):
        assert record.status == "ok"


def trend_of(store: str | Path, *alarms: str, cusums: tuple[Cusum, ...] = ()) -> Trend:
    opened = Store(store)
    try:
        return read_trend(opened, [parse_threshold(text) for text in alarms], cusums)
    finally:
        opened.close()


@pytest.fixture
def growing(tmp_path: Path, database: str) -> str:
    """Return a store of 18 pictures whose crystals grow in the last eight."""
    rng = np.random.default_rng(3)
    pictures = []
    for index in range(18):
        mean = 30 if index < 10 else 30 + 4 * (index - 9)
        pictures.append(rows_of_boxes(rng.normal(mean, 3, 9).round().astype(int).tolist()))
    fill(tmp_path / "in", database, pictures)
    return database


def test_quartiles_are_those_of_the_crystals_away_from_the_border(
    tmp_path: Path, database: str
) -> None:
    lengths = [20, 24, 28, 32]
    fill(tmp_path / "in", database, [rows_of_boxes(lengths)], frame_correction="none")
    trend = trend_of(database)
    found = [trend.values(f"box_length_um_q{percent}")[0] for percent in (25, 50, 75)]
    assert found == pytest.approx([10, 12, 14])
    assert trend.values("n_whole")[0] == 4
    assert trend.values("n_crystals")[0] == 5
    assert trend.values("aspect_ratio_q50")[0] == pytest.approx(3)


def test_the_median_diameter_is_d50(growing: str) -> None:
    trend = trend_of(growing)
    # the corrected percentile and the weighted quartile have one definition
    assert trend.values("equivalent_diameter_um_q50") == pytest.approx(
        trend.values("number_d50_um"), rel=1e-6
    )


def test_weighted_quartiles_are_those_of_replicated_sizes() -> None:
    rng = np.random.default_rng(1)
    sizes, counts = rng.lognormal(size=40), rng.integers(1, 9, 40)
    replicated = np.repeat(sizes, counts)
    expected = np.percentile(replicated, (25, 50, 75), method="inverted_cdf")
    assert weighted_quartiles(sizes, counts.astype(float)) == pytest.approx(expected)
    assert weighted_quartiles(sizes) == pytest.approx(
        np.percentile(sizes, (25, 50, 75), method="inverted_cdf")
    )
    assert np.isnan(weighted_quartiles(np.array([]))).all()
    assert np.isnan(weighted_quartiles(np.array([np.nan, 2.0]), np.array([1.0, 0.0]))).all()


def test_alarms_stand_where_they_should(growing: str) -> None:
    trend = trend_of(
        growing, "number_d50_um>12", "box_length_um_q50>=25", cusums=(Cusum(reference=10),)
    )
    kinds = {(alarm.kind, alarm.name) for alarm in trend.alarms}
    assert kinds == {
        ("limit", "number_d50_um"), ("limit", "box_length_um_q50"), ("CUSUM", "number_d50_um"),
    }  # fmt: skip
    drift = next(a for a in trend.alarms if a.kind == "CUSUM" and "upwards" in a.rule)
    assert 10 <= drift.first <= 14
    assert drift.last == 17
    assert 7 <= drift.since <= 12
    for alarm in trend.alarms:
        if alarm.kind == "limit":
            values = trend.values(alarm.name)
            assert values[alarm.worst] == values[alarm.first : alarm.last + 1].max()


def test_unknown_figures_are_refused_with_those_like_them(growing: str) -> None:
    with pytest.raises(ArgumentError, match="did you mean number_d50_um"):
        trend_of(growing, "number_d50>1")
    with pytest.raises(ArgumentError, match="no figure 'path'"):
        trend_of(growing, cusums=(Cusum("path"),))
    names = figure_names(trend_of(growing).pictures)
    assert {"number_d50_um", "volume_d50_um_high", "coverage", "n_crystals"} <= set(names)
    assert not {"id", "page", "provenance_id", "seconds"} & set(names)


def test_pictures_without_a_pixel_size_are_left_out_when_others_have_one(
    tmp_path: Path, database: str
) -> None:
    import tifffile

    save(tmp_path / "in" / "plain.png", rows_of_boxes([20, 30]))
    tifffile.imwrite(
        tmp_path / "in" / "known.tif", rows_of_boxes([24]), imagej=True, resolution=(2, 2),
        metadata={"unit": "um"},
    )  # fmt: skip
    for _ in crystalgauge.watch(
        tmp_path / "in", database, detector=BoxDetector(), once=True, settle_s=0
    ):
        pass
    trend = trend_of(database)
    assert (trend.unit, trend.uncalibrated, trend.names()) == ("um", 1, ["known.tif"])


def test_pictures_without_crystals_have_no_sizes(tmp_path: Path, database: str) -> None:
    fill(tmp_path / "in", database, [picture([]), picture([])[:-1]], pixel_size_um=None)
    trend = trend_of(database, cusums=(Cusum(),))
    assert trend.unit == "px"
    assert np.isnan(trend.values("number_d50_px")).all()
    assert trend.sums == [None]
    assert trend.alarms == []


def test_an_empty_store_and_none(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    fill(tmp_path / "in", tmp_path / "run.db", [])
    trend = trend_of(tmp_path / "run.db", "number_d50_um>1", cusums=(Cusum(),))
    assert len(trend.pictures) == len(trend.alarms) == 0
    Store(tmp_path / "none.db").close()
    with pytest.raises(ReadError, match="holds no store"):
        trend_of(tmp_path / "none.db")
