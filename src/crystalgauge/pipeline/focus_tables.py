"""Tables on focus: one row per picture, per tile, per plane of a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.focus import tile_bounds
from crystalgauge.pipeline.csv_cells import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from crystalgauge.focus import StackFocus
    from crystalgauge.pipeline.focus_batch import FocusEntry

BLURS = ("blur", "blur_low", "blur_high")
"""Standard deviation of the blur of edges and the ends of its 90 % interval, in px and in um."""

BOUNDS = ("left_px", "top_px", "right_px", "bottom_px")


def picture_table(entries: Sequence[FocusEntry], maps: str) -> pl.DataFrame:
    """Return one row per picture.

    Parameters
    ----------
    entries
        The pictures.
    maps
        Folder of the heat maps.
    """
    import polars as pl

    rows = [_picture_row(entry, maps) for entry in entries]
    frame = pl.DataFrame(rows, infer_schema_length=None, strict=False)
    return frame.with_columns(harmless("picture"), harmless("message"), harmless("heat_map"))


def _picture_row(entry: FocusEntry, maps: str) -> dict[str, Any]:
    focus, size = entry.focus, entry.calibration
    blurs = (None,) * 3 if focus is None else (focus.blur_px, focus.low_px, focus.high_px)
    numbers = [None if b is None or not np.isfinite(b) else b for b in blurs]
    um = size.pixel_size_um if size else None
    return {
        "picture": entry.name.shown,
        "status": "failed" if focus is None else "ok",
        "verdict": focus.verdict if focus else None,
        "share_in_focus": focus.share if focus and focus.judged else None,
        **{f"{name}_px": value for name, value in zip(BLURS, numbers, strict=True)},
        **{f"{name}_um": None if value is None or um is None else value * um
           for name, value in zip(BLURS, numbers, strict=True)},
        "tiles_judged": focus.judged if focus else None,
        "tiles": focus.tiles if focus else None,
        "pixel_size_um": um,
        "seconds": entry.seconds if focus else None,
        "heat_map": f"{maps}/{entry.name.stem}.png" if focus else None,
        "message": entry.message,
        "sha256": entry.sha256,
    }  # fmt: skip


def tile_table(entries: Sequence[FocusEntry], most_blur_px: float) -> pl.DataFrame:
    """Return one row per tile; blur is null where there is nothing to judge.

    Parameters
    ----------
    entries
        The pictures.
    most_blur_px
        Limit of being in focus.
    """
    import polars as pl

    frames = [_tile_rows(entry, most_blur_px) for entry in entries if entry.tiles is not None]
    return pl.concat([_no_tiles(), *frames]).with_columns(harmless("picture"))


def _no_tiles() -> pl.DataFrame:
    """Return the columns alone, for a batch in which no picture could be read."""
    import polars as pl

    whole = dict.fromkeys(("row", "column", *BOUNDS), pl.Int64)
    blurs = {f"{name}_{unit}": pl.Float64 for unit in ("px", "um") for name in BLURS}
    return pl.DataFrame(
        schema={
            "picture": pl.String,
            **whole,
            "content": pl.Float32,
            **blurs,
            "in_focus": pl.Boolean,
        }
    )


def _tile_rows(entry: FocusEntry, most_blur_px: float) -> pl.DataFrame:
    import polars as pl

    tiles = entry.tiles
    assert tiles is not None
    judged = tiles.judged.ravel()
    rows, columns = np.indices(tiles.judged.shape).reshape(2, -1)
    bounds = tile_bounds(tiles.shape).reshape(-1, 4).T
    um = entry.calibration.pixel_size_um if entry.calibration else None
    data: dict[str, Any] = {"row": rows, "column": columns}
    data |= dict(zip(BOUNDS, bounds, strict=True))
    data["content"] = tiles.content.ravel()
    blurs = {}
    for name, values in zip(BLURS, (tiles.blur_px, tiles.low_px, tiles.high_px), strict=True):
        blurs[name] = pl.Series(values.ravel(), dtype=pl.Float64).set(pl.Series(~judged), None)
        data[f"{name}_px"] = blurs[name]
    for name, series in blurs.items():
        data[f"{name}_um"] = series * um if um else pl.Series([None] * len(rows), dtype=pl.Float64)
    data["in_focus"] = blurs["blur"] <= most_blur_px
    return pl.DataFrame(data).select(pl.lit(entry.name.shown).alias("picture"), pl.all())


def plane_table(entries: Sequence[FocusEntry], focus: StackFocus) -> pl.DataFrame:
    """Return one row per plane of a stack.

    Parameters
    ----------
    entries
        The planes.
    focus
        Of the stack.
    """
    import polars as pl

    blur = [None if not np.isfinite(value) else float(value) for value in focus.blur_px]
    taken = [int((focus.depth == index).sum()) for index in range(len(entries))]
    table = pl.DataFrame(
        {
            "plane": range(len(entries)),
            "picture": [entry.name.shown for entry in entries],
            "blur_px": pl.Series(blur, dtype=pl.Float64),
            "tiles_sharpest_here": taken,
            "best": [index == focus.best for index in range(len(entries))],
        }
    )
    return table.with_columns(harmless("picture"))
