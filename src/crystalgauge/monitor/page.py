"""The trend page: what it says and how it is put together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.monitor.alarms import Cusum
from crystalgauge.monitor.section import local_time, symbol_of
from crystalgauge.monitor.sections import SECTIONS
from crystalgauge.monitor.trends import WHOLE, Trend, read_trend
from crystalgauge.pipeline.focus_gate import OUT_OF_FOCUS
from crystalgauge.pipeline.naming import readable
from crystalgauge.report import Card

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from crystalgauge.monitor.alarms import Alarm, Threshold

LISTED_PICTURES = 300
LISTED_FAILURES = 100
LISTED_ALARMS = 200


@dataclass(frozen=True)
class Table:
    """Rows with a heading each.

    Parameters
    ----------
    columns
        Headings.
    rows
        Formatted cells.
    total
        Rows there are; the page may show fewer.
    texts
        Columns of words, which may be long; the others are figures and times.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    total: int
    texts: Sequence[int] = (0,)


def write_trend(
    store: str | Path,
    out: str | Path,
    *,
    thresholds: Sequence[Threshold] = (),
    cusums: Sequence[Cusum] = (Cusum(),),
    pool_h: float | None = None,
    least_size: float | None = None,
) -> Trend:
    """Write the trend page of a store and return what it shows.

    Parameters
    ----------
    store
        As for `crystalgauge.watch`; the store may be written to meanwhile.
    out
        The HTML file.
    thresholds
        Limits of figures that raise alarms.
    cusums
        Drifts to look for.
    pool_h
        Length of the windows over which pictures are one sample for the kinetics; found from
        their times when None.
    least_size
        Size from which on every crystal is found, for the kinetics; in the unit of the trend.

    Raises
    ------
    ReadError
        When there is no such store.
    ArgumentError
        When an alarm names a figure that the pictures do not have.
    WriteError
        When the page cannot be written.
    MissingExtraError
        When SQLAlchemy or the database's driver is not installed.
    """
    from crystalgauge.io import replacing
    from crystalgauge.monitor.opening import open_store

    opened = open_store(store, must_exist=True)
    try:
        trend = read_trend(opened, thresholds, cusums, pool_h=pool_h, least_size=least_size)
    finally:
        opened.close()
    with replacing(out, "w") as file:
        file.write(trend_page(trend))
    return trend


def trend_page(trend: Trend) -> str:
    """Return the page as text; it loads nothing from anywhere.

    Parameters
    ----------
    trend
        What to show. Every text in it is escaped, so that a file name cannot become markup.
    """
    from crystalgauge.report.page import fill_template

    template = resources.files("crystalgauge.monitor") / "templates" / "trend.html.j2"
    times = shown_times(trend)
    sections = [made for make in SECTIONS if (made := make(trend, times)) is not None]
    return fill_template(
        template.read_text("utf-8"),
        [figure for section in sections for figure in section.figures],
        title=_title(trend),
        subtitle=_subtitle(times),
        notices=_notices(trend),
        cards=_cards(trend) if times else [],
        sections=sections,
        alarms=_alarm_table(trend, times),
        rules=_rules(trend),
        pictures=_picture_table(trend, times),
        failures=_failure_table(trend),
        provenance=_provenance(trend),
    )


def shown_times(trend: Trend) -> list[datetime]:
    """Return the pictures' times by the clock of this computer, without a zone.

    Parameters
    ----------
    trend
        Of the pictures.
    """
    if not len(trend.pictures):
        return []
    return [local_time(time) for time in trend.pictures["time_utc"].to_list()]


def _title(trend: Trend) -> str:
    number = len(trend.pictures)
    return f"{_pictures(number)} of a process" if number else "No picture of this process yet"


def _subtitle(times: list[datetime]) -> str:
    if not times:
        return "Nothing was measured yet."
    zone = times[-1].astimezone().strftime("%z")
    clock = f"times by this computer's clock (UTC{zone[:3]}:{zone[3:5]})"
    return f"{_clock(times[0])} to {_clock(times[-1])}, {clock}"


def _notices(trend: Trend) -> list[str]:
    notices = []
    failed = sum(file.status == "failed" for file in trend.files)
    if failed:
        notices.append(
            f"{failed} file{'' if failed == 1 else 's'} could not be measured; see below."
        )
    unsharp = sum(file.status == OUT_OF_FOCUS for file in trend.files)
    if unsharp:
        notices.append(f"{_pictures(unsharp)} left out as out of focus.")
    if trend.unit == "px" and len(trend.pictures):
        notices.append("Not calibrated: lengths are in px. Give the pixel size to get µm.")
    if trend.uncalibrated:
        notices.append(f"{_pictures(trend.uncalibrated)} without a pixel size left out.")
    origins = sorted(set(trend.pictures["time_origin"])) if len(trend.pictures) else []
    if len(origins) > 1:
        words = {"name": "file names", "metadata": "metadata", "mtime": "times of modification"}
        told = ", ".join(words.get(origin, origin) for origin in origins)
        notices.append(f"Times come from different origins, their order may be wrong: {told}.")
    if len({each.version for each in trend.settings}) > 1:
        notices.append("More than one version of CrystalGauge measured these pictures.")
    missing = sorted(set(trend.told) - {alarm.rule for alarm in trend.alarms})
    if missing:
        notices.append(
            f"Told while watching, but not listed here: {'; '.join(missing)}. Give trend the same "
            "alarms to list them."
        )
    return notices


def _cards(trend: Trend) -> list[Card]:
    measured, crystals = len(trend.pictures), int(np.nansum(trend.values("n_crystals")))
    cards = [Card("Crystals", str(crystals), detail=f"in {_pictures(measured)}")]
    counts = trend.values(WHOLE)
    for kind in ("number", "volume"):
        name = f"{kind}_d50_{trend.unit}"
        known = np.flatnonzero(np.isfinite(trend.values(name)))
        if len(known):
            last = int(known[-1])
            value, around = _value(trend, name, last)
            words = f"{around}, n = {counts[last]:.0f}, last picture that has one"
            cards.append(Card(f"D50 by {kind}, latest", value, symbol_of(trend), words))
    standing = sum(alarm.last == measured - 1 for alarm in trend.alarms)
    cards.append(Card("Alarms", str(len(trend.alarms)), detail=f"{standing} of them standing"))
    return cards


def _alarm_table(trend: Trend, times: list[datetime]) -> Table:
    columns = ("Alarm", "From", "To", "Worst value", "n", "Worst picture", "Drift since")
    names = trend.names() if trend.alarms else []
    newest = sorted(trend.alarms, key=lambda alarm: -alarm.first)
    rows = [_alarm_row(trend, alarm, times, names) for alarm in newest[:LISTED_ALARMS]]
    return Table(columns, rows, len(trend.alarms), texts=(0, 5))


def _alarm_row(
    trend: Trend, alarm: Alarm, times: list[datetime], names: Sequence[str]
) -> tuple[str, ...]:
    value, around = _value(trend, alarm.name, alarm.worst)
    counts = trend.values(WHOLE)
    stands = alarm.last == len(times) - 1
    return (
        alarm.rule,
        _clock(times[alarm.first]),
        "stands" if stands else _clock(times[alarm.last]),
        f"{value} ({around})" if around != "no interval" else value,
        f"{counts[alarm.worst]:.0f}",
        names[alarm.worst],
        _clock(times[alarm.since]) if alarm.kind == "CUSUM" else "",
    )


def _rules(trend: Trend) -> list[str]:
    return [str(each) for each in trend.thresholds] + [
        f"drift of {each.name} (k = {each.k:g}, h = {each.h:g}, "
        f"reference: first {each.reference} pictures)"
        for each in trend.cusums
    ]


def _picture_table(trend: Trend, times: list[datetime]) -> Table:
    columns = ("Picture", "Time", "Crystals", "D50 by number", "D50 by volume", "n", "Coverage")
    names, counts = (trend.names() if times else []), trend.values(WHOLE)
    found, covered = trend.values("n_crystals"), trend.values("coverage")
    rows = []
    for index in range(len(times) - 1, max(-1, len(times) - 1 - LISTED_PICTURES), -1):
        sizes = []
        for kind in ("number", "volume"):
            value, around = _value(trend, f"{kind}_d50_{trend.unit}", index)
            sizes.append(f"{value} ({around})" if value and around != "no interval" else value)
        part = f"{100 * covered[index]:.2g} %" if np.isfinite(covered[index]) else ""
        rows.append(
            (names[index], _clock(times[index]), f"{found[index]:.0f}", *sizes,
             f"{counts[index]:.0f}", part)
        )  # fmt: skip
    return Table(columns, rows, len(times))


def _failure_table(trend: Trend) -> Table:
    failed = [file for file in trend.files if file.status == "failed"]
    rows = [(readable(file.key), file.message) for file in failed[:LISTED_FAILURES]]
    return Table(("File", "Why it could not be measured"), rows, len(failed), texts=(0, 1))


def _provenance(trend: Trend) -> dict[str, str]:
    lines: dict[str, str] = {}
    for each in trend.settings:
        lines["Version"] = ", ".join(filter(None, [lines.get("Version"), each.version]))
        facts: dict[str, Any] = {**each.arguments, **each.detector}
        if facts.get("pixel_size"):
            facts["pixel_size"] = "{:g} µm, standard uncertainty {:g} µm".format(
                *facts["pixel_size"]
            )
        lines |= {n.replace("_", " "): str(v) for n, v in facts.items() if v is not None}
    lines["Written"] = datetime.now(tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return lines


def _value(trend: Trend, name: str, index: int) -> tuple[str, str]:
    """Return a figure of a picture and the words of its interval."""
    value = trend.values(name)[index]
    low, high = (trend.values(each)[index] for each in interval_names(name))
    if not np.isfinite(value):
        return "", "no interval"
    around = f"{low:.3g} to {high:.3g}" if np.isfinite(low + high) else "no interval"
    return f"{value:.3g}", around


def interval_names(name: str) -> tuple[str, str]:
    """Return the columns of the ends of a figure's interval; a median has its quartiles.

    Parameters
    ----------
    name
        Of the figure.
    """
    if name.endswith("_q50"):
        return name.removesuffix("50") + "25", name.removesuffix("50") + "75"
    return f"{name}_low", f"{name}_high"


def _pictures(number: int) -> str:
    return f"{number} picture{'' if number == 1 else 's'}"


def _clock(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")
