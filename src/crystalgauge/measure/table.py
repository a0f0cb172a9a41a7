"""The crystal table: one row per crystal, columns in a fixed order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.measure.frame_correction import frame_weights
from crystalgauge.measure.glossary import CALIBRATED_ENTRIES, CRYSTAL_ENTRIES
from crystalgauge.measure.shape import shapes, touches_border

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from crystalgauge.core import Calibration, Crystals


def column_names(*, calibrated: bool) -> tuple[str, ...]:
    """Return the names of the columns that every crystal table has, in their order.

    Parameters
    ----------
    calibrated
        Whether the pixel size is known; without it there is nothing in µm.
    """
    entries = CRYSTAL_ENTRIES + (CALIBRATED_ENTRIES if calibrated else ())
    return tuple(entry.name for entry in entries)


def crystal_table(
    crystals: Crystals,
    micrograph_shape: tuple[int, int],
    calibration: Calibration | None,
    picture_name: str,
) -> pl.DataFrame:
    """Measure the crystals of a picture.

    Parameters
    ----------
    crystals
        Outlines in px of the picture, with ``score``, ``defocus_px`` and ``diameter_error`` where
        they are known.
    micrograph_shape
        Height and width of the picture in px.
    calibration
        Size of a pixel; without it the table has no column in µm.
    picture_name
        Goes into the column ``picture``.

    Returns
    -------
    table
        The columns `column_names` tells, null where a value is not known, and then what else the
        crystals carry, by name.
    """
    import polars as pl  # costs 0.1 s, and only tables need it

    size = shapes(crystals.outlines)
    values: dict[str, Any] = {
        "picture": np.full(len(crystals), picture_name, dtype=object),
        "crystal_id": np.arange(1, len(crystals) + 1),
        **size.columns(),
        "touches_border": touches_border(crystals.outlines, micrograph_shape),
        "frame_weight": frame_weights(crystals.bounds, micrograph_shape),
    }
    for name in ("score", "defocus_px", "diameter_error"):
        known = crystals[name] if name in crystals else np.full(len(crystals), np.nan)
        values[name] = known.astype(np.float64)
    if calibration is not None:
        values |= _in_micrometres(values, calibration.pixel_size_um)
    names = column_names(calibrated=calibration is not None)
    further = [n for n, v in crystals.columns.items() if n not in values and v.ndim == 1]
    values |= {name: crystals[name] for name in further}
    types = {"picture": pl.String, "crystal_id": pl.Int64}
    return pl.DataFrame([
        pl.Series(name, values[name], dtype=types.get(name), nan_to_null=True)
        for name in (*names, *sorted(further))
    ])  # fmt: skip


def _in_micrometres(values: dict[str, Any], pixel_size_um: float) -> dict[str, NDArray[np.float64]]:
    converted = {}
    for entry in CALIBRATED_ENTRIES:
        power = 2 if entry.name.endswith("_um2") else 1
        converted[entry.name] = values[entry.name.replace("_um", "_px")] * pixel_size_um**power
    return converted
