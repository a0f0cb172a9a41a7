"""One picture: the numbers are those of the crystals in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from box_detector import BoxDetector, picture, save

import crystalgauge
from crystalgauge.core import ArgumentError, Calibration, Micrograph, ReadError, WriteError

if TYPE_CHECKING:
    from pathlib import Path

BOXES = [(10, 20, 30, 10), (60, 60, 20, 20), (0, 100, 15, 10)]


def test_known_rectangles_get_their_numbers(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", picture(BOXES))
    found = crystalgauge.measure(path, pixel_size_um=0.5, detector=BoxDetector())
    row = found.table.filter(pl.col("area_px2") == 300).row(0, named=True)
    assert (row["centroid_x_px"], row["centroid_y_px"]) == (25, 25)
    assert row["area_um2"] == pytest.approx(75)
    assert row["box_length_um"] == pytest.approx(15)
    assert row["aspect_ratio"] == pytest.approx(3)
    assert row["score"] == pytest.approx(1 - 50 / 255)
    assert found.table["touches_border"].sum() == 1
    assert found.summary.n_crystals == 3
    assert found.summary.coverage.value == pytest.approx((300 + 400 + 150) / 120**2)


def test_without_a_pixel_size_nothing_is_in_micrometres(tmp_path: Path) -> None:
    found = crystalgauge.measure(save(tmp_path / "a.png", picture(BOXES)), detector=BoxDetector())
    assert not [name for name in found.table.columns if "um" in name]
    assert found.summary.unit == "px"
    assert not [name for name in found.summary.as_dict() if "_um" in name]


def test_arrays_and_micrographs_are_measured_like_files(tmp_path: Path) -> None:
    pixels = picture(BOXES)
    path = save(tmp_path / "a.png", pixels)
    tables = [
        crystalgauge.measure(each, detector=BoxDetector()).table.drop("picture")
        for each in (path, str(path), pixels, Micrograph(pixels))
    ]
    assert all(table.equals(tables[0]) for table in tables)


def test_the_argument_wins_over_the_micrographs_calibration() -> None:
    micrograph = Micrograph(picture(BOXES), Calibration(2.0, origin="metadata"))
    found = crystalgauge.measure(micrograph, pixel_size_um=0.5, detector=BoxDetector())
    assert found.micrograph.calibration == Calibration(0.5, detail="pixel_size_um")
    kept = crystalgauge.measure(micrograph, detector=BoxDetector())
    assert kept.micrograph.calibration == micrograph.calibration


@pytest.mark.parametrize(
    ("pixels", "says"),
    [
        (np.full((5, 5), np.nan), "NaN or infinite"),
        (np.full((5, 5), 1j), "integers or floats"),
        (np.zeros((0, 5), np.uint8), "H, W >= 1"),
        (np.zeros((5, 5, 7), np.uint8), "got shape"),
    ],
)
def test_impossible_arrays_are_refused(pixels: np.ndarray, says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        crystalgauge.measure(pixels, detector=BoxDetector())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"nowhere\.png"):
        crystalgauge.measure(tmp_path / "nowhere.png", detector=BoxDetector())


def test_a_series_says_that_only_its_first_picture_was_measured(tmp_path: Path) -> None:
    import tifffile

    tifffile.imwrite(tmp_path / "s.tif", np.stack([picture(BOXES), picture([])]))
    found = crystalgauge.measure(tmp_path / "s.tif", detector=BoxDetector())
    assert len(found.table) == 3
    assert any("series" in note for note in found.notes)


@pytest.mark.parametrize("shape", [(1, 1), (9, 12, 3)])
def test_pictures_without_crystals_have_a_table_and_an_overlay(shape: tuple[int, ...]) -> None:
    found = crystalgauge.measure(np.full(shape, 210, np.uint8), detector=BoxDetector())
    assert len(found.table) == 0
    assert found.summary.n_crystals == 0
    assert found.overlay().shape[1] == shape[1]


def test_save_writes_the_files_of_a_batch(tmp_path: Path) -> None:
    found = crystalgauge.measure(picture(BOXES), pixel_size_um=0.5, detector=BoxDetector())
    out = found.save(tmp_path / "o")
    assert len(pl.read_csv(out / "crystals.csv")) == 3
    assert pl.read_parquet(out / "crystals.parquet")["area_um2"].sum() == pytest.approx(850 / 4)
    assert len(json.loads((out / "crystals.coco.json").read_text())["annotations"]) == 3
    assert (out / "overlays" / "picture.png").is_file()
    assert "3 crystals in picture" in (out / "report.html").read_text()


def test_save_refuses_a_file_as_folder(tmp_path: Path) -> None:
    (tmp_path / "o").write_text("mine")
    found = crystalgauge.measure(picture(BOXES), detector=BoxDetector())
    with pytest.raises(WriteError, match="is a file"):
        found.save(tmp_path / "o")
    assert (tmp_path / "o").read_text() == "mine"
