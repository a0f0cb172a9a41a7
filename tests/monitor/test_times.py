"""When a picture was taken."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from crystalgauge.core import ArgumentError
from crystalgauge.monitor.times import DIRECTIVES, parse_time_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

MTIME_NS = 1_700_000_000_500_000_000
MODIFIED = datetime(2023, 11, 14, 22, 13, 20, 500_000)


@pytest.fixture(autouse=True)
def _clock_of_chatham(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run by a clock 12 h 45 min ahead, which no default gives by accident."""
    monkeypatch.setenv("TZ", "XXX-12:45")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("%Y%m%d-%H%M%S", "batch7_20260301-101530_cam1.tif", datetime(2026, 2, 28, 21, 30, 30)),
        ("%Y-%m-%dT%H.%M.%S.%f%z", "2026-03-01T10.15.30.25+0100.png",
         datetime(2026, 3, 1, 9, 15, 30, 250_000)),
        ("(%d.%m.%y %I%p)", "a (01.03.26 02PM) b.png", datetime(2026, 3, 1, 1, 15)),
        ("100%%_%Y%j", "100%_2026060.png", datetime(2026, 2, 28, 11, 15)),
        (r"t(?P<unix>\d+\.\d+)s", "x_t1700000000.5s.tif", MODIFIED),
        (r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)_(?P<hour>\d+)h", "20260301_23h.png",
         datetime(2026, 3, 1, 10, 15)),
    ],
)  # fmt: skip
def test_names_give_times(pattern: str, name: str, expected: datetime) -> None:
    taken = parse_time_rule(pattern).taken(name, None, MTIME_NS)
    assert (taken.utc, taken.origin, taken.note) == (expected, "name", "")


@pytest.mark.parametrize("name", ["no time.tif", "20261301-101530.tif", "2026-03-01.tif"])
def test_a_name_without_a_time_gives_that_of_the_file_and_says_so(name: str) -> None:
    taken = parse_time_rule("%Y%m%d-%H%M%S").taken(name, datetime(2020, 1, 1), MTIME_NS)
    assert (taken.utc, taken.origin) == (MODIFIED, "mtime")
    assert "'%Y%m%d-%H%M%S'" in taken.note


def test_metadata_come_before_the_time_of_the_file() -> None:
    zone = timezone(timedelta(hours=-2))
    recorded = datetime(2026, 3, 1, 10, tzinfo=zone)
    for words in ("auto", "exif", "metadata", "EXIF"):
        taken = parse_time_rule(words).taken("a.png", recorded, MTIME_NS)
        assert (taken.utc, taken.origin) == (datetime(2026, 3, 1, 12), "metadata")
    naive = parse_time_rule("auto").taken("a.png", datetime(2026, 3, 1, 12, 45), MTIME_NS)
    assert naive.utc == datetime(2026, 3, 1)
    assert parse_time_rule("mtime").taken("a.png", recorded, MTIME_NS).utc == MODIFIED


def test_missing_metadata_are_told_only_when_they_were_asked_for() -> None:
    assert parse_time_rule("auto").taken("a", None, MTIME_NS).note == ""
    assert "metadata" in parse_time_rule("exif").taken("a", None, MTIME_NS).note


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "write auto, exif, mtime"),
        ("%Q%Y", "unknown %Q"),
        ("%m%d", "no year"),
        ("(?P<year>", "no regular expression"),
        (r"(?P<month>\d)(?P<day>\d)", "needs year, month and day"),
        (r"(?P<unix>\d)(?P<frame>\d)", "unknown group 'frame'"),
    ],
)
def test_bad_rules_are_refused(text: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        parse_time_rule(text)


def test_every_directive_matches_what_it_writes() -> None:
    moment = datetime(2026, 11, 3, 4, 5, 6, 70_000, tzinfo=UTC)
    for letter in set(DIRECTIVES) - {"%", "y", "Y"}:
        pattern = f"%Y_%{letter}"
        rule = parse_time_rule(pattern)
        assert rule.from_name(f"a{moment.strftime(pattern)}b") is not None, letter
