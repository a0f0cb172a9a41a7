"""Lengths with the crystals that the border cuts, from a result folder."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
import shapely

sys.path.append(str(Path(__file__).parents[1] / "measure"))
from test_censored import MEDIAN, SHAPE, SPREAD, rectangles

from crystalgauge.cli import main
from crystalgauge.core import Crystals, ReadError
from crystalgauge.measure import crystal_table
from crystalgauge.measure.length_figures import NAMES, length_figures
from crystalgauge.measure.visible_axes import visible_axes
from crystalgauge.pipeline.visible_lengths import read_lengths

if TYPE_CHECKING:
    from crystalgauge.measure.visible_axes import VisibleAxes

DENSITY = 8e-4


def results(folder: Path, pictures: int = 14, *, pixel_size: float | None = 0.5) -> Path:
    """Write what `measure` writes of pictures of needles, the first without any crystal."""
    folder.mkdir()
    rng = np.random.default_rng(5)
    tables = []
    for index in range(1, pictures):
        crystals = Crystals(rectangles(rng, DENSITY))
        table = crystal_table(crystals, SHAPE, None, f"{index}.png")
        tables.append(
            table.with_columns(pl.Series("outline_wkb", shapely.to_wkb(crystals.outlines)))
        )
    pl.concat(tables).write_parquet(folder / "crystals.parquet")
    pl.DataFrame({
        "name": [f"{index}.png" for index in range(pictures)], "status": ["ok"] * pictures,
        "height_px": [SHAPE[0]] * pictures, "width_px": [SHAPE[1]] * pictures,
        "pixel_size_um": [pixel_size] * pictures,
    }, schema_overrides={"pixel_size_um": pl.Float64}).write_csv(folder / "images.csv")  # fmt: skip
    return folder


def test_intervals_hold_the_truth_and_whole_crystals_alone_are_short(tmp_path: Path) -> None:
    found = read_lengths(results(tmp_path / "r"))
    truth = dict(zip(NAMES, (
        MEDIAN * math.exp(-1.2816 * SPREAD), MEDIAN, MEDIAN * math.exp(1.2816 * SPREAD),
        MEDIAN * math.exp(3.5 * SPREAD**2), 4 * DENSITY,
    ), strict=True))  # fmt: skip
    assert (found.unit, found.least) == ("um", pytest.approx(0.5 * 4 * 3))
    log_normal, classes = found.fits
    for name, true in truth.items():
        wanted = true * (1.0 if name == "number_per_area" else 0.5)  # µm, and per µm²
        estimate = log_normal.figures[name]
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low < wanted < estimate.high, name
        assert math.log(estimate.high / estimate.low) < 0.45
    assert classes.figures["number_d50"].value == pytest.approx(0.5 * MEDIAN, rel=0.12)
    assert log_normal.n_pictures == 14
    assert 0.2 * log_normal.n_crystals < log_normal.n_cut < log_normal.n_crystals


def axes_of(seed: int, pictures: int, density: float = DENSITY) -> list[VisibleAxes]:
    rng = np.random.default_rng(seed)
    return [visible_axes(rectangles(rng, density), SHAPE, least_px=8) for _ in range(pictures)]


def test_jackknife_errors_are_those_of_repeats() -> None:
    logs, widths = [], []
    for seed in range(20):
        figures = length_figures(axes_of(seed, 5)).figures
        logs.append([math.log(figures[name].value or 0) for name in NAMES])
        widths.append([math.log((figures[n].high or 0) / (figures[n].value or 1)) for n in NAMES])
    spread = np.std(logs, axis=0, ddof=1)
    # Student's quantile of 4 degrees; a deviation from 20 repeats is known to 16 %
    np.testing.assert_allclose(np.mean(widths, axis=0) / 2.776, spread, rtol=0.5)


def test_one_picture_has_an_interval_and_two_have_none() -> None:
    one = length_figures(axes_of(3, 1, density=4e-3))
    assert one.figures["number_d50"].low is not None
    two = length_figures(axes_of(3, 2))
    assert two.figures["number_d50"].low is None


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, table = results(tmp_path / "r", 6, pixel_size=None), tmp_path / "t.csv"
    with pytest.raises(SystemExit) as end:
        main(["lengths", str(folder), "--out", str(table)])
    assert not end.value.code
    out, err = capsys.readouterr()
    assert "cut ones kept, log-normal" in out
    assert "6 pictures" in out
    assert err == ""
    written = pl.read_csv(table)
    assert written.height == 2 * len(NAMES)
    row = written.filter(pl.col("figure") == "number_per_area").row(0, named=True)
    assert row["unit"] == "1/Mpx"
    assert row["value"] == pytest.approx(1e6 * DENSITY, rel=0.3)


def test_squat_crystals_are_warned_of_and_missing_tables_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = results(tmp_path / "r", 6)
    crystals = pl.read_parquet(folder / "crystals.parquet")
    crystals.with_columns(aspect_ratio=pl.lit(1.5)).write_parquet(folder / "crystals.parquet")
    with pytest.raises(SystemExit):
        main(["lengths", str(folder)])
    assert "1.5 times as long as wide" in capsys.readouterr().err
    with pytest.raises(ReadError, match="name the folder that crystalgauge measure wrote"):
        read_lengths(tmp_path / "nothing")
    (folder / "crystals.parquet").write_bytes(b"PAR1 cut short")
    with pytest.raises(ReadError, match=r"is no whole result folder.*measure its pictures again"):
        read_lengths(folder)


def test_pictures_left_out_for_want_of_a_pixel_size_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = results(tmp_path / "r", 6)
    images = pl.read_csv(folder / "images.csv")
    size = pl.when(pl.col("name") == "3.png").then(None).otherwise(pl.col("pixel_size_um"))
    images.with_columns(pixel_size_um=size).write_csv(folder / "images.csv")
    found = read_lengths(folder)
    assert (found.uncalibrated, found.fits[0].n_pictures) == (1, 5)
    with pytest.raises(SystemExit):
        main(["lengths", str(folder)])
    assert "1 picture without a pixel size" in capsys.readouterr().err
