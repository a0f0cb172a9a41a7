"""A part of the trend page that has plots, and what such parts share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from crystalgauge.monitor.trends import Trend
    from crystalgauge.report import Figure


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Parameters
    ----------
    title
        Heading.
    figures
        Plots.
    remarks
        What to know about them, one sentence each.
    """

    title: str
    figures: Sequence[Figure]
    remarks: Sequence[str] = ()


def symbol_of(trend: Trend) -> str:
    """Return the symbol of the unit of lengths."""
    return "µm" if trend.unit == "um" else "px"


def local_time(utc: datetime) -> datetime:
    """Return a time by the clock of this computer, without a zone.

    Parameters
    ----------
    utc
        Without a zone.
    """
    return utc.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
