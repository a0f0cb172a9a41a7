"""When a picture was taken: from its name, its metadata, or the time its file was written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

Origin = Literal["name", "metadata", "mtime"]
KINDS = ("auto", "metadata", "exif", "mtime")
"""Words that name a rule; any other text is a pattern of file names."""

DIRECTIVES = {
    "Y": r"\d{4}", "y": r"\d{2}", "m": r"\d{2}", "d": r"\d{2}", "j": r"\d{3}", "H": r"\d{2}",
    "I": r"\d{2}", "M": r"\d{2}", "S": r"\d{2}", "f": r"\d{1,6}", "p": "[AaPp][Mm]",
    "b": "[A-Za-z]{3}", "z": r"(?:Z|[+-]\d{2}:?\d{2})", "%": "%",
}  # fmt: skip
"""Directives of `datetime.strptime` that are understood, each with what it matches."""

CALENDAR_GROUPS = ("year", "month", "day", "hour", "minute", "second")
GROUPS = (*CALENDAR_GROUPS, "fraction", "unix")
"""Named groups of a regular expression; ``unix`` is seconds since 1970 and stands alone."""


@dataclass(frozen=True)
class TakenTime:
    """A time and how it is known.

    Parameters
    ----------
    utc
        Without a zone, in UTC.
    origin
        What said so.
    note
        What a user should know, empty when the wanted origin gave the time.
    """

    utc: datetime
    origin: Origin
    note: str = ""


@dataclass(frozen=True)
class TimeRule:
    """Where to take the time of a picture from.

    Parameters
    ----------
    kind
        ``auto``: metadata where there are any, else the file's time of modification.
    pattern
        Regular expression searched in the file name, of the kind ``name``.
    strptime
        Format of what the pattern finds; without one its named groups are read.
    text
        As the user wrote it.
    """

    kind: Literal["auto", "metadata", "mtime", "name"] = "auto"
    pattern: str = ""
    strptime: str = ""
    text: str = "auto"

    def taken(self, name: str, recorded: datetime | None, mtime_ns: int) -> TakenTime:
        """Return the time of a picture; a time without a zone is that of this computer's clock.

        Parameters
        ----------
        name
            File name.
        recorded
            From the metadata.
        mtime_ns
            Time of modification, ns since 1970; taken when the wanted origin has nothing.
        """
        modified = datetime.fromtimestamp(mtime_ns / 1e9, tz=UTC).replace(tzinfo=None)
        if self.kind == "name":
            named = self.from_name(name)
            if named is not None:
                return TakenTime(named, "name")
            return TakenTime(
                modified,
                "mtime",
                f"no time in the name by the pattern {self.text!r}; that of the file is taken",
            )
        if self.kind != "mtime" and recorded is not None:
            return TakenTime(_utc(recorded), "metadata")
        note = "no time in the metadata; that of the file is taken"
        return TakenTime(modified, "mtime", note if self.kind == "metadata" else "")

    def from_name(self, name: str) -> datetime | None:
        """Read the time in a file name, in UTC; None when there is none.

        Parameters
        ----------
        name
            The file name.
        """
        found = re.search(self.pattern, name)
        if found is None:
            return None
        try:
            if self.strptime:
                return _utc(datetime.strptime(found.group(), self.strptime))
            return _utc(_from_groups(found.groupdict()))
        except (ValueError, OverflowError, OSError):  # the 31st of February, or the year 99999
            return None


def parse_time_rule(text: str) -> TimeRule:
    r"""Read a rule.

    Parameters
    ----------
    text
        ``auto``, ``metadata`` (or ``exif``), ``mtime``, or a pattern of the file name: with the
        directives of strptime (``%Y%m%d-%H%M%S``), searched anywhere in the name, or a regular
        expression with named groups (``t(?P<unix>\d+)``).

    Raises
    ------
    ArgumentError
        When it is none of these.
    """
    words = text.strip()
    if words.lower() in KINDS:
        kind = "metadata" if words.lower() == "exif" else words.lower()
        return TimeRule(kind, text=words)  # type: ignore[arg-type]  # one of the choices
    if "(?P<" in words:
        _check_groups(words)
        return TimeRule("name", words, text=words)
    if re.search("%[A-Za-z]", words):
        return TimeRule("name", _as_expression(words), words, words)
    raise ArgumentError(
        f"cannot read where times come from in {text!r}; write auto, exif, mtime, or a pattern of "
        "the file names such as %Y%m%d-%H%M%S"
    )


def _as_expression(words: str) -> str:
    """Turn a format of strptime into an expression that finds such a time within a name."""
    parts = []
    for directive, literal in re.findall(r"%(.)|([^%]+|%$)", words, re.DOTALL):
        if literal:
            parts.append(re.escape(literal))
        elif directive in DIRECTIVES:
            parts.append(DIRECTIVES[directive])
        else:
            known = " ".join(f"%{name}" for name in DIRECTIVES)
            raise ArgumentError(f"unknown %{directive} in the time pattern {words!r}; use {known}")
    if not any(f"%{year}" in words for year in "Yy"):
        raise ArgumentError(f"the time pattern {words!r} has no year; add %Y")
    return "".join(parts)


def _check_groups(words: str) -> None:
    try:
        groups = set(re.compile(words).groupindex)
    except re.error as error:
        raise ArgumentError(
            f"the time pattern {words!r} is no regular expression: {error}"
        ) from error
    unknown = sorted(groups - set(GROUPS))
    if unknown:
        raise ArgumentError(
            f"unknown group {unknown[0]!r} in the time pattern {words!r}; use {', '.join(GROUPS)}"
        )
    if "unix" not in groups and not {"year", "month", "day"} <= groups:
        raise ArgumentError(f"the time pattern {words!r} needs year, month and day, or unix")


def _from_groups(groups: Mapping[str, str | None]) -> datetime:
    if groups.get("unix") is not None:
        return datetime.fromtimestamp(float(groups["unix"] or 0), tz=UTC)
    year, month, day, hour, minute, second = (int(groups.get(n) or 0) for n in CALENDAR_GROUPS)
    fraction = int(((groups.get("fraction") or "0") + "000000")[:6])
    return datetime(year, month, day, hour, minute, second, fraction)


def _utc(time: datetime) -> datetime:
    """Return a time in UTC without a zone; one that has no zone is local."""
    return time.astimezone(UTC).replace(tzinfo=None)
