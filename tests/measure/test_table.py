from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import shapely

from crystalgauge.core import ArgumentError, Calibration, Crystals
from crystalgauge.measure import GLOSSARY, column_names, crystal_table, define


def two() -> Crystals:
    outlines = np.array([shapely.box(10, 10, 40, 20), shapely.box(0, 0, 5, 5)], dtype=object)
    columns = {"score": [0.9, 0.4], "defocus_px": [1.5, np.nan], "habit": ["rod", "cube"]}
    return Crystals(outlines, {k: np.asarray(v) for k, v in columns.items()})


def test_without_a_pixel_size_nothing_is_in_micrometres() -> None:
    table = crystal_table(two(), (100, 100), None, "a b.png")
    assert table.columns == [*column_names(calibrated=False), "habit"]
    assert not [name for name in table.columns if "_um" in name]
    assert table["crystal_id"].to_list() == [1, 2]
    assert table["picture"].to_list() == ["a b.png"] * 2
    assert table["touches_border"].to_list() == [False, True]
    assert table["defocus_px"].to_list() == [1.5, None]
    assert table["aspect_ratio"].to_list() == pytest.approx([3.0, 1.0])


def test_lengths_scale_with_the_pixel_size_and_areas_with_its_square() -> None:
    table = crystal_table(two(), (100, 100), Calibration(0.5), "a.png")
    assert table.columns == [*column_names(calibrated=True), "habit"]
    assert table["area_um2"].to_list() == pytest.approx([75.0, 6.25])
    assert table["feret_max_um"][0] == pytest.approx(np.hypot(15, 5))
    assert table["defocus_um"].to_list() == [0.75, None]
    for name in (n for n in table.columns if n.endswith("_um")):
        pixels = table[name.replace("_um", "_px")].to_numpy()
        np.testing.assert_allclose(table[name].to_numpy(), 0.5 * pixels)


def test_tables_of_pictures_stack_whatever_was_found() -> None:
    none = crystal_table(Crystals.empty(), (100, 100), None, "blank.png")
    plain = crystal_table(Crystals(two().outlines), (100, 100), None, "b.png")
    both = pl.concat([none, plain, crystal_table(two(), (9, 9), None, "c").drop("habit")])
    assert both.schema == plain.schema
    assert plain["score"].null_count() == 2


def test_every_column_is_defined() -> None:
    for name in column_names(calibrated=True):
        entry = define(name)
        assert entry.name == name
        assert entry.title
        assert entry.definition.endswith(".")
    assert define("area_um2").unit == "µm²"
    assert define("volume_d90_um_high").unit == "µm"
    assert "centroid_x_um" not in GLOSSARY
    with pytest.raises(ArgumentError, match="no quantity is called 'colour'"):
        define("colour")
