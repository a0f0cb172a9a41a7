"""What watching a folder tells and stores about each picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from crystalgauge.monitor.section import local_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from crystalgauge.monitor.source import Stamp
    from crystalgauge.pipeline import Measurement

Status = Literal["ok", "failed", "duplicate", "out of focus"]

SAME_NUMBERS = ("engine",)
"""Settings that may change within a store: engines agree but for rounding."""


@dataclass(frozen=True)
class RaisedAlarm:
    """An alarm that began while a folder was watched; it is stored by the time it is handed out.

    Parameters
    ----------
    kind
        What raised it.
    figure
        Name of the figure.
    rule
        In words.
    value
        The figure at its farthest out so far; None where that picture does not have it.
    picture
        Name of the picture at which the alarm began.
    time_utc
        When that picture was taken.
    since_utc
        When the drift began by the CUSUM's own estimate; like the time before for a limit.
    raised_utc
        When the alarm was told.
    """

    kind: Literal["limit", "CUSUM"]
    figure: str
    rule: str
    value: float | None
    picture: str
    time_utc: datetime
    since_utc: datetime
    raised_utc: datetime

    def __str__(self) -> str:
        """Return the alarm on one line."""
        value = "" if self.value is None else f" ({self.value:.4g})"
        drift = f", drifting since {_clock(self.since_utc)}" if self.kind == "CUSUM" else ""
        return f"ALARM: {self.rule}{value}, from {self.picture} of {_clock(self.time_utc)}{drift}"


@dataclass(frozen=True, eq=False)
class WatchRecord:
    """What became of one picture; it is stored by the time this is handed out.

    Parameters
    ----------
    path
        The file.
    status
        ``duplicate`` when a picture of the same content is stored already, under any name;
        ``out of focus`` when it was left out for that.
    message
        Cause of a failure or of leaving out, or notes.
    page
        Number within a series, counted from 1; None for a file with a single picture, and where
        the status is that of the whole file.
    sha256
        Of the file; empty when it could not be read.
    content_sha256
        Of what the picture shows; empty unless the picture was measured.
    time_utc
        When the picture was taken, in UTC and without a zone; None unless it was measured.
    time_origin
        What gave the time: ``name``, ``metadata`` or ``mtime``.
    measurement
        None unless the picture was measured.
    waiting
        Files that are known to wait after this one.
    alarms
        Those that began with this picture.
    focus
        ``share_in_focus`` and ``focus_blur_px``, where only pictures in focus are measured.
    """

    path: Path
    status: Status
    message: str = ""
    page: int | None = None
    sha256: str = ""
    content_sha256: str = ""
    time_utc: datetime | None = None
    time_origin: str = ""
    measurement: Measurement | None = None
    waiting: int = 0
    alarms: tuple[RaisedAlarm, ...] = ()
    focus: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def summary(self) -> dict[str, Any]:
        """Figures by the names of the glossary; those of the focus alone unless it was measured."""
        found = self.measurement.summary.as_dict() if self.measurement else {}
        return {**found, **self.focus}


@dataclass(frozen=True)
class FileState:
    """The last thing known about a file of the folder.

    Parameters
    ----------
    key
        Its path as text, from `crystalgauge.monitor.source.path_key`.
    stamp
        Its state when it was read.
    sha256
        Of its content; empty when it could not be read.
    status
        What became of it.
    message
        Why it failed, or of what it is a duplicate.
    """

    key: str
    stamp: Stamp
    sha256: str
    status: Status
    message: str = ""


@dataclass(frozen=True)
class StoredSettings:
    """What the numbers of a store depend on besides the pictures.

    Parameters
    ----------
    fingerprint
        Hash of the rest, from `crystalgauge.pipeline.Settings.fingerprint`.
    version
        Of this program.
    arguments, detector
        Plain values.
    """

    fingerprint: str
    version: str
    arguments: dict[str, Any]
    detector: dict[str, Any]

    def differences(self, other: StoredSettings) -> list[str]:
        """Name what gives other numbers as ``name: old -> new``; the version is let pass.

        Parameters
        ----------
        other
            The newer settings.
        """
        before = {**self.arguments, **self.detector}
        after = {**other.arguments, **other.detector}
        names = [name for name in dict.fromkeys([*before, *after]) if name not in SAME_NUMBERS]
        return [
            f"{name}: {before.get(name)} -> {after.get(name)}"
            for name in names
            if before.get(name) != after.get(name)
        ]


def _clock(utc: datetime) -> str:
    """Return a time by the clock of this computer."""
    return local_time(utc).strftime("%Y-%m-%d %H:%M:%S")
