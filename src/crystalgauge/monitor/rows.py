"""A measured picture as rows of the store."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import polars as pl
import shapely

from crystalgauge.monitor import schema

if TYPE_CHECKING:
    from crystalgauge.monitor.records import WatchRecord
    from crystalgauge.pipeline import Measurement


def picture_row(record: WatchRecord, key: str) -> dict[str, Any]:
    """Return the row of a picture, without its number and provenance.

    Parameters
    ----------
    record
        With its measurement.
    key
        Path as text.

    Raises
    ------
    ValueError
        Without a measurement.
    """
    found = record.measurement
    if found is None:
        raise ValueError("only a measured picture has a row")
    summary = {name: plain(value) for name, value in record.summary.items()}
    unit = found.summary.unit
    height, width = found.micrograph.shape
    size = found.micrograph.calibration
    return {
        "content_sha256": record.content_sha256,
        "page": record.page or 1,
        "file_sha256": record.sha256,
        "path": key,
        "in_series": record.page is not None,
        "message": record.message,
        "time_utc": record.time_utc,
        "time_origin": record.time_origin,
        "width_px": width,
        "height_px": height,
        "pixel_size_um": size.pixel_size_um if size else None,
        "pixel_size_uncertainty_um": size.uncertainty_um if size else None,
        "pixel_size_origin": size.origin if size else None,
        "seconds": round(found.seconds, 3),
        "unit": unit,
        "n_crystals": len(found.crystals),
        "coverage": summary.get("coverage"),
        **{name: summary.get(_with_unit(name, unit)) for name in schema.PERCENTILES},
        "summary": summary,
    }


def _with_unit(name: str, unit: str) -> str:
    """Return the name in the summary: ``number_d50_low`` is ``number_d50_um_low`` there."""
    head, d50, end = name.partition("d50")
    return f"{head}{d50}_{unit}{end}"


def crystal_rows(measurement: Measurement, picture_id: int) -> list[dict[str, Any]]:
    """Return the rows of a picture's crystals, every one with the same columns.

    Parameters
    ----------
    measurement
        The picture.
    picture_id
        Number of the picture in the store.
    """
    table = measurement.table
    known = [name for name in schema.MEASURED_COLUMNS if name in table.columns]
    further = [n for n in table.columns if n not in (*known, "picture", "crystal_id")]
    numbers = [name for name in known if name not in schema.BOOLEAN_COLUMNS]
    columns = table.select("crystal_id", *known).with_columns(pl.col(numbers).cast(pl.Float64))
    outlines = shapely.to_wkb(measurement.crystals.outlines)
    beside = table.select(further).to_dicts() if further else [{}] * len(table)
    return [
        {
            "picture_id": picture_id,
            **{name: plain(value) for name, value in row.items()},
            "outline_wkb": bytes(outline),
            "further": {name: plain(value) for name, value in rest.items()} or None,
        }
        for row, outline, rest in zip(columns.to_dicts(), outlines, beside, strict=True)
    ]


def plain(value: Any) -> Any:
    """Return a value that JSON and every database know; NaN and infinity become None.

    Parameters
    ----------
    value
        Numbers and texts, also in lists and dicts.
    """
    if isinstance(value, dict):
        return {name: plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
