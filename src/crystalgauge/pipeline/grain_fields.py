"""Results of a measurement, read as fields of grains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from crystalgauge.core import CalibrationError, ReadError
from crystalgauge.measure.grain_size import GrainField
from crystalgauge.pipeline.csv_cells import harmless

if TYPE_CHECKING:
    import polars as pl


def read_fields(results: str | Path) -> dict[str, GrainField]:
    """Read the pictures of a result folder as fields of grains, by their names.

    Parameters
    ----------
    results
        Folder that ``crystalgauge measure`` wrote.

    Raises
    ------
    ReadError
        When its tables are missing or damaged, or no picture was measured.
    CalibrationError
        When a picture has no pixel size: grain-size numbers are of mm.
    """
    import polars as pl

    folder = Path(results)
    try:
        images = pl.read_csv(folder / "images.csv", infer_schema_length=None)
        crystals = pl.read_parquet(folder / "crystals.parquet", glob=False)
        images = images.filter(pl.col("status") == "ok").select(
            "name", "width_px", "height_px", pl.col("pixel_size_um").cast(pl.Float64)
        )
        grains = crystals.select(harmless("picture"), "outline_wkb")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ReadError(
            f"{str(folder)!r} is no whole result folder of crystalgauge measure: {error}"
        ) from error
    if not len(images):
        raise ReadError(f"no picture was measured in {str(folder)!r}")
    without = images.filter(pl.col("pixel_size_um").is_null())["name"].to_list()
    if without:
        raise CalibrationError(
            f"{', '.join(without[:3])}{' and others' if len(without) > 3 else ''} without a pixel "
            "size: a grain-size number is of mm; measure again with --pixel-size"
        )
    return {
        name: GrainField(_outlines(grains, name), (height, width), size)
        for name, width, height, size in images.iter_rows()
    }


def _outlines(grains: pl.DataFrame, name: str) -> np.ndarray:
    import polars as pl

    found = grains.filter(pl.col("picture") == name)["outline_wkb"].to_list()
    return np.array([shapely.from_wkb(each) for each in found], dtype=object)
