"""Alarms while a folder is watched: told and stored once, when they happen."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.monitor.alarms import (
    Alarm,
    check_name,
    cusum_alarms,
    cusum_series,
    threshold_alarms,
)
from crystalgauge.monitor.records import RaisedAlarm
from crystalgauge.monitor.trends import (
    named_quartiles,
    possible_names,
    weighs_crystals,
)
from crystalgauge.pipeline.naming import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from crystalgauge.monitor.alarms import Cusum, Threshold
    from crystalgauge.monitor.store import Store

_logger = logging.getLogger(__name__)

_FACTS = ("id", "time_utc", "path", "page", "in_series", "pixel_size_um")
_DEFAULTS = ("number_d50_um", "number_d50_px")


@dataclass(frozen=True)
class _Found:
    """An alarm with the figure it is of and the numbers of the pictures that bound it."""

    alarm: Alarm
    told: RaisedAlarm
    first_id: int
    ids: frozenset[int]
    stands: bool


def check_alarms(thresholds: Sequence[Threshold], cusums: Sequence[Cusum]) -> None:
    """Refuse alarms on figures that no picture has, before anything is stored.

    Parameters
    ----------
    thresholds, cusums
        As asked for.

    Raises
    ------
    ArgumentError
        Naming figures that are spelled like the wrong one.
    """
    for name in [each.name for each in thresholds] + [each.name for each in cusums if each.name]:
        check_name(name, possible_names())


class LiveAlarms:
    """Follow the figures of a store and tell each alarm once.

    An alarm is a stretch of pictures in the order of their times, as on the trend page. It is told
    when a picture comes that belongs to it, unless the store has it already; one that stood when
    the program ended and is not in the store is told with the first record after the start.

    Parameters
    ----------
    store
        Prepared; read now for what happened before.
    thresholds, cusums
        What to look for.

    Raises
    ------
    ReadError
        When the store cannot be read.
    """

    def __init__(
        self, store: Store, thresholds: Sequence[Threshold], cusums: Sequence[Cusum]
    ) -> None:
        self._store = store
        self._thresholds, self._cusums = tuple(thresholds), tuple(cusums)
        wanted = [t.name for t in thresholds] + [c.name for c in cusums if c.name]
        self._wanted = frozenset(wanted)
        self._names = tuple(dict.fromkeys([*wanted, *_DEFAULTS]))
        self._weighted = weighs_crystals(store.settings())
        self._frame: pl.DataFrame | None = None
        self._last_id = 0
        self._warned: set[str] = set()
        self._read()
        self._pending = [found for found in self._unknown() if found.stands]

    def raised(self) -> tuple[RaisedAlarm, ...]:
        """Store and return the alarms that have begun since the last call.

        Raises
        ------
        ReadError, WriteError
            When the store refuses.
        """
        new = self._read()
        found = [each for each in self._unknown() if new and (each.stands or each.ids & new)]
        rules = {(each.told.rule, each.first_id) for each in found}
        left = [e for e in self._pending if (e.told.rule, e.first_id) not in rules]
        self._pending = []
        return tuple(
            each.told for each in (*left, *found) if self._store.add_alarm(each.told, each.first_id)
        )

    def _read(self) -> frozenset[int]:
        """Read the pictures stored since the last time, by any program; return their numbers."""
        import polars as pl

        pictures = self._store.pictures(after=self._last_id)
        if not len(pictures):
            return frozenset()
        frame = pictures.hstack(
            named_quartiles(
                self._store, pictures["id"], self._names,
                weighted=self._weighted, after=self._last_id,
            )
        )  # fmt: skip
        self._warn_of_missing(frame)
        figures = [
            (pl.col(name) if name in frame.columns else pl.lit(None)).cast(pl.Float64).alias(name)
            for name in self._names
        ]
        kept = frame.select(*_FACTS, *figures).with_columns(
            pl.col("pixel_size_um").cast(pl.Float64)
        )
        self._frame = kept if self._frame is None else pl.concat([self._frame, kept])
        self._frame = self._frame.sort("time_utc", "path", "page")
        self._last_id = int(kept["id"].max())  # type: ignore[arg-type]
        return frozenset(kept["id"].to_list())

    def _warn_of_missing(self, frame: pl.DataFrame) -> None:
        """Say once that a figure needs a pixel size, which no picture has."""
        if frame["pixel_size_um"].is_not_null().any():
            return
        needs = {name for name in self._wanted if "_um" in name or "_mm2" in name}
        for name in sorted(needs - self._warned):
            self._warned.add(name)
            _logger.warning(
                "the alarm on %s cannot be raised: the pictures have no pixel size; give one, or "
                "set the alarm on lengths in px",
                name,
            )

    def _unknown(self) -> list[_Found]:
        """Return the alarms of all pictures that the store does not have."""
        import polars as pl

        if self._frame is None:
            return []
        calibrated = self._frame.filter(pl.col("pixel_size_um").is_not_null())
        frame = calibrated if len(calibrated) else self._frame
        unit = "um" if len(calibrated) else "px"
        found = [_told(alarm, frame) for alarm in self._evaluate(frame, unit)]
        if not found:
            return []
        known = self._store.alarms().select("rule", "first_picture_id").rows()
        return [
            each for each in found
            if not any(rule == each.told.rule and first in each.ids for rule, first in known)
        ]  # fmt: skip

    def _evaluate(self, frame: pl.DataFrame, unit: str) -> list[Alarm]:
        alarms: list[Alarm] = []
        for threshold in self._thresholds:
            alarms += threshold_alarms(_values(frame, threshold.name), threshold)
        for each in self._cusums:
            cusum = replace(each, name=each.name or f"number_d50_{unit}")
            series = cusum_series(_values(frame, cusum.name), cusum)
            alarms += cusum_alarms(series, cusum) if series is not None else []
        return sorted(alarms, key=lambda alarm: alarm.first)


def _values(frame: pl.DataFrame, name: str) -> Any:
    return frame[name].fill_null(np.nan).to_numpy()


def _told(alarm: Alarm, frame: pl.DataFrame) -> _Found:
    first = frame.row(alarm.first, named=True)
    value = float(_values(frame, alarm.name)[alarm.worst])
    name = readable(PurePath(first["path"]).name)
    told = RaisedAlarm(
        kind=alarm.kind,
        figure=alarm.name,
        rule=alarm.rule,
        value=value if np.isfinite(value) else None,
        picture=name + (f"#{first['page']}" if first["in_series"] else ""),
        time_utc=first["time_utc"],
        since_utc=frame["time_utc"][alarm.since],
        raised_utc=datetime.now(tz=UTC).replace(tzinfo=None),
    )
    ids = frozenset(frame["id"][alarm.first : alarm.last + 1].to_list())
    return _Found(alarm, told, int(first["id"]), ids, alarm.last == len(frame) - 1)
