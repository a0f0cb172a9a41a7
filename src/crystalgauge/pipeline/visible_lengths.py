"""Lengths of the crystals of a result folder, with those that the border cuts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import shapely

from crystalgauge.core import ReadError
from crystalgauge.measure.length_figures import LengthFigures, length_figures
from crystalgauge.measure.visible_axes import VisibleAxes, visible_axes
from crystalgauge.measure.weighted_sizes import WeightedSizes
from crystalgauge.pipeline.csv_cells import harmless

if TYPE_CHECKING:
    import polars as pl

    from crystalgauge.measure.length_figures import Form

WIDTHS_SEEN = 4.0
"""Of a crystal that shows fewer times its width the direction cannot be told."""
LEAST_ELONGATION = 4.0
"""Median aspect ratio below which cut crystals are of no use."""

FORMS: tuple[Form, ...] = ("log-normal", "classes")


@dataclass(frozen=True)
class Lengths:
    """Length distributions of a result folder.

    Parameters
    ----------
    unit
        Of lengths; numbers are per mm², or per million px².
    least
        Visible length from which on crystals count.
    elongation
        Median aspect ratio of the crystals away from the border.
    weighted
        Median, ninetieth percentile, D[4, 3] and number from the crystals away from the border by
        their frame weights, of all lengths.
    fits
        With the cut crystals.
    uncalibrated
        Pictures left out for having no pixel size where others have one.
    """

    unit: Literal["um", "px"]
    least: float
    elongation: float
    weighted: tuple[float, ...]
    fits: tuple[LengthFigures, ...]
    uncalibrated: int = 0


def read_lengths(results: str | Path) -> Lengths:
    """Fit the lengths of the crystals of a result folder.

    Parameters
    ----------
    results
        Folder that ``crystalgauge measure`` wrote.

    Raises
    ------
    ReadError
        When its tables are missing or damaged, or no picture was measured.
    ArgumentError
        When there are too few crystals.
    """
    import polars as pl

    folder = Path(results)
    if not (folder / "images.csv").is_file():
        raise ReadError(
            f"{str(folder)!r} is no result folder: it has no images.csv; name the folder that "
            "crystalgauge measure wrote with --out"
        )
    try:
        images = pl.read_csv(folder / "images.csv", infer_schema_length=None)
        crystals = pl.read_parquet(folder / "crystals.parquet", glob=False)
        images = images.filter(pl.col("status") == "ok").select(
            "name", "width_px", "height_px", pl.col("pixel_size_um").cast(pl.Float64)
        )
        crystals = crystals.select(
            harmless("picture"), "outline_wkb", "touches_border", "frame_weight", "box_length_px",
            "box_width_px", "aspect_ratio",
        )  # fmt: skip
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ReadError(
            f"{str(folder)!r} is no whole result folder of crystalgauge measure: {error}; measure "
            "its pictures again"
        ) from error
    known = images.filter(pl.col("pixel_size_um").is_not_null())
    unit: Literal["um", "px"] = "um" if len(known) else "px"
    kept = known if len(known) else images
    found = _lengths(kept, crystals, unit, folder)
    return replace(found, uncalibrated=len(images) - len(kept))


def _lengths(
    images: pl.DataFrame, crystals: pl.DataFrame, unit: Literal["um", "px"], folder: Path
) -> Lengths:
    import polars as pl

    sized = images.with_columns(pl.col("pixel_size_um").fill_null(1.0))
    inside = crystals.join(sized, left_on="picture", right_on="name").filter(
        ~pl.col("touches_border") & (pl.col("frame_weight") > 0)
    )
    if not len(inside):
        raise ReadError(
            f"no crystal away from the border in {str(folder)!r}; look at its overlays, or take "
            "more pictures"
        )
    scale = inside["pixel_size_um"].to_numpy()
    least = WIDTHS_SEEN * float(np.median(inside["box_width_px"].to_numpy() * scale))
    axes = []
    for name, width, height, size in sized.iter_rows():
        outlines = crystals.filter(pl.col("picture") == name)["outline_wkb"].to_list()
        shapes = np.array([shapely.from_wkb(each) for each in outlines], dtype=object)
        found = visible_axes(shapes, (height, width), least_px=least / size).scaled(size)
        axes.append(_with_least(found, least))
    area = float((sized["width_px"] * sized["height_px"] * sized["pixel_size_um"] ** 2).sum())
    sample = WeightedSizes(
        inside["box_length_px"].to_numpy() * scale, inside["frame_weight"].to_numpy()
    )
    return Lengths(
        unit,
        least,
        float(np.median(inside["aspect_ratio"].to_numpy())),
        (*sample.quantile([0.1, 0.5, 0.9]).tolist(), sample.mean(4, 3),
         1e6 * float(sample.weights.sum()) / area),
        tuple(length_figures(axes, form) for form in FORMS),
    )  # fmt: skip


def _with_least(axes: VisibleAxes, least: float) -> VisibleAxes:
    """Return axes whose least length is exactly that of the other pictures."""
    return replace(axes, least=least, length=np.maximum(axes.length, least))
