"""How a process went: the figures of every stored picture in the order of time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

import numpy as np

from crystalgauge.measure.statistics import STATISTICS
from crystalgauge.measure.summary import column_name
from crystalgauge.monitor.alarms import (
    Alarm,
    Cusum,
    CusumSeries,
    Threshold,
    check_name,
    cusum_alarms,
    cusum_series,
    threshold_alarms,
)
from crystalgauge.monitor.process_kinetics import process_kinetics
from crystalgauge.pipeline.naming import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from crystalgauge.monitor.process_kinetics import ProcessKinetics
    from crystalgauge.monitor.records import FileState, StoredSettings
    from crystalgauge.monitor.store import Store

QUARTILES = (25, 50, 75)
QUARTILE_COLUMNS = ("equivalent_diameter", "box_length", "box_width", "aspect_ratio")
"""Columns of the crystal table whose quartiles are followed; lengths take the unit of the trend."""

LENGTH_UNITS: tuple[Literal["um", "px"], ...] = ("um", "px")

WHOLE = "n_whole"
"""Crystals of a picture away from the border."""


@dataclass(frozen=True, eq=False)
class Trend:
    """The pictures of a store with their figures and alarms.

    Parameters
    ----------
    pictures
        One row per measured picture in the order of time: what the store has of it, quartiles of
        its crystals as ``<column>_q25`` and so on, and `WHOLE`.
    unit
        Of the lengths: ``um`` when any picture has a pixel size, else ``px``.
    uncalibrated
        Pictures that are left out because only others have a pixel size.
    files
        Every file that was looked into.
    settings
        What the figures depend on, one entry per version of the program.
    thresholds, cusums
        What was asked for.
    sums
        Of the CUSUMs, None where the reference window is not full or does not vary.
    alarms
        In the order of time.
    kinetics
        Growth, nucleation and induction time; None when they were not asked for.
    told
        Rules of the alarms that were told while the folder was watched.
    """

    pictures: pl.DataFrame
    unit: Literal["um", "px"]
    uncalibrated: int = 0
    files: Sequence[FileState] = ()
    settings: Sequence[StoredSettings] = ()
    thresholds: Sequence[Threshold] = ()
    cusums: Sequence[Cusum] = ()
    sums: Sequence[CusumSeries | None] = ()
    alarms: Sequence[Alarm] = ()
    kinetics: ProcessKinetics | None = None
    told: Sequence[str] = ()

    def values(self, name: str) -> NDArray[np.float64]:
        """Return a figure, ``(N,)`` with NaN where a picture does not have it.

        Parameters
        ----------
        name
            Of a column.
        """
        import polars as pl

        if name not in self.pictures.columns:
            return np.full(len(self.pictures), np.nan)
        return self.pictures[name].cast(pl.Float64).fill_null(np.nan).to_numpy()

    def names(self) -> list[str]:
        """Return the pictures' names: file, and number within a series."""
        columns = self.pictures.select("path", "page", "in_series").iter_rows()
        return [
            readable(PurePath(path).name) + (f"#{page}" if series else "")
            for path, page, series in columns
        ]


def read_trend(
    store: Store,
    thresholds: Sequence[Threshold] = (),
    cusums: Sequence[Cusum] = (Cusum(),),
    *,
    pool_h: float | None = None,
    least_size: float | None = None,
) -> Trend:
    """Read a store and evaluate the alarms.

    Parameters
    ----------
    store
        Of a watched folder.
    thresholds
        Limits of figures.
    cusums
        Drifts to look for.
    pool_h, least_size
        Of the kinetics, as for `process_kinetics.process_kinetics`.

    Raises
    ------
    ReadError
        When the store cannot be read.
    ArgumentError
        When an alarm names a figure that the pictures do not have, or an argument is out of range.
    """
    import polars as pl

    store.check()
    pictures = store.pictures()
    calibrated = pictures.filter(pl.col("pixel_size_um").is_not_null())
    unit: Literal["um", "px"] = "um" if len(calibrated) else "px"
    kept = calibrated if len(calibrated) else pictures
    settings = store.settings()
    weighted = weighs_crystals(settings)
    if len(kept):
        kept = kept.hstack(quartiles(store, kept["id"], unit, weighted=weighted))
    cusums = [replace(each, name=each.name or f"number_d50_{unit}") for each in cusums]
    known = figure_names(kept)
    if len(kept):
        for name in [*(each.name for each in thresholds), *(each.name for each in cusums)]:
            check_name(name, known)
    trend = Trend(
        kept,
        unit,
        len(pictures) - len(kept),
        store.files(),
        settings,
        thresholds,
        cusums,
        kinetics=process_kinetics(
            store, kept, unit, weighted=weighted, pool_h=pool_h, least_size=least_size
        ),
        told=store.alarms()["rule"].to_list(),
    )
    return _with_alarms(trend)


def figure_names(pictures: pl.DataFrame) -> list[str]:
    """Return the names of the columns that an alarm may be set on.

    Parameters
    ----------
    pictures
        Of a `Trend`.
    """
    import polars as pl

    barred = {
        "id", "page", "in_series", "provenance_id", "n_pictures", "width_px", "height_px",
        "pixel_size_um", "pixel_size_uncertainty_um", "pixel_size_origin", "seconds",
    }  # fmt: skip
    return [
        name
        for name, kind in pictures.schema.items()
        if (kind.is_numeric() or kind == pl.Null) and name not in barred
    ]


def possible_names() -> set[str]:
    """Return the names of all figures that pictures may have, calibrated or not."""
    ends = ("", "_low", "_high")
    names = {"n_crystals", "n_border", "n_sized", WHOLE, "precision"}
    names |= {"share_in_focus", "focus_blur_px"}
    for unit in LENGTH_UNITS:
        names |= {f"{column_name(each.name, unit)}{end}" for each in STATISTICS for end in ends}
        names |= {f"{column}_q{p}" for column in quartile_columns(unit) for p in QUARTILES}
    return names


def weighs_crystals(settings: Sequence[StoredSettings]) -> bool:
    """Tell whether the crystals of a store count by their frame weight."""
    return any(each.arguments.get("frame_correction") != "none" for each in settings)


def quartile_columns(unit: str) -> list[str]:
    """Return the columns of crystals whose quartiles are followed."""
    return [name if name == "aspect_ratio" else f"{name}_{unit}" for name in QUARTILE_COLUMNS]


def named_quartiles(
    store: Store, ids: pl.Series, names: Sequence[str], *, weighted: bool, after: int = 0
) -> pl.DataFrame:
    """Return those columns of `quartiles` that are named, in either unit; often none.

    Parameters
    ----------
    store, ids, weighted, after
        As for `quartiles`.
    names
        Of figures, others among them.
    """
    import polars as pl

    found: dict[str, pl.Series] = {}
    for unit in LENGTH_UNITS:
        own = {f"{column}_q{p}" for column in quartile_columns(unit) for p in QUARTILES} | {WHOLE}
        wanted = own.intersection(names) - set(found)
        if wanted:
            made = quartiles(store, ids, unit, weighted=weighted, after=after)
            found |= {name: made[name] for name in wanted}
    return pl.DataFrame(found)


def quartiles(
    store: Store, ids: pl.Series, unit: str, *, weighted: bool, after: int = 0
) -> pl.DataFrame:
    """Return number and quartiles of each picture's crystals, without those at the border.

    A quartile is the least size up to which the crystals have that share of the weight, as D50 is;
    it is null for a picture without crystals.

    Parameters
    ----------
    store
        Has the crystals.
    ids
        ``(N,)`` numbers of the pictures.
    unit
        Of the lengths.
    weighted
        Take each crystal by its frame weight, not once.
    after
        No picture has this number or a smaller one.
    """
    import polars as pl

    columns = quartile_columns(unit)
    crystals = store.crystals([*columns, "frame_weight"], after=after).sort("picture_id")
    numbers = crystals["picture_id"].to_numpy()
    weights = crystals["frame_weight"].fill_null(1.0).to_numpy() if weighted else None
    starts = np.searchsorted(numbers, ids.to_numpy(), side="left")
    ends = np.searchsorted(numbers, ids.to_numpy(), side="right")
    found = {WHOLE: pl.Series(ends - starts)}
    for name in columns:
        sizes = crystals[name].to_numpy()
        rows = [
            weighted_quartiles(sizes[a:b], None if weights is None else weights[a:b])
            for a, b in zip(starts, ends, strict=True)
        ]
        table = np.array(rows, dtype=np.float64).reshape(-1, len(QUARTILES))
        for percent, column in zip(QUARTILES, table.T, strict=True):
            found[f"{name}_q{percent}"] = pl.Series(column, nan_to_null=True)
    return pl.DataFrame(found)


def weighted_quartiles(
    sizes: NDArray[np.float64], weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return the quartiles of one picture, NaN without crystals.

    Parameters
    ----------
    sizes
        ``(K,)``; those that are not finite are left out.
    weights
        ``(K,)`` at least 0; all alike when None.
    """
    known = np.isfinite(sizes)
    weights = np.ones(len(sizes)) if weights is None else weights
    known &= weights > 0
    if not known.any():
        return np.full(len(QUARTILES), np.nan)
    order = np.argsort(sizes[known], kind="stable")
    ordered, reached = sizes[known][order], np.cumsum(weights[known][order])
    # the tolerance keeps rounding of the sum from moving a share that is met exactly
    wanted = np.array(QUARTILES) / 100 * reached[-1] * (1 - 1e-12)
    return np.asarray(ordered[np.searchsorted(reached, wanted, side="left")], dtype=np.float64)


def _with_alarms(trend: Trend) -> Trend:
    sums = [cusum_series(trend.values(each.name), each) for each in trend.cusums]
    alarms = [a for t in trend.thresholds for a in threshold_alarms(trend.values(t.name), t)]
    for cusum, series in zip(trend.cusums, sums, strict=True):
        if series is not None:
            alarms += cusum_alarms(series, cusum)
    return replace(trend, sums=sums, alarms=sorted(alarms, key=lambda alarm: alarm.first))
