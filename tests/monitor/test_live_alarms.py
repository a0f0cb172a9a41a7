"""Alarms told while a folder is watched: when they happen, once, whatever stops in between."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from box_detector import BoxDetector, picture, save

import crystalgauge
from crystalgauge.core import ArgumentError
from crystalgauge.monitor import Cusum, RaisedAlarm, read_alarms
from crystalgauge.monitor.alarms import parse_threshold
from crystalgauge.monitor.engine import store_url
from crystalgauge.monitor.live_alarms import LiveAlarms
from crystalgauge.monitor.page import trend_page
from crystalgauge.monitor.store import Store
from crystalgauge.monitor.trends import read_trend

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = "box_length_um_q50>12"


def drop(folder: Path, index: int, length: int) -> None:
    """Write a picture whose one crystal is half a µm long per px."""
    path = save(folder / f"{index:03d}.png", picture([(10, 20, length, 10)], grey=40 + index))
    os.utime(path, (1_700_000_000 + 60 * index,) * 2)


def run(folder: Path, store: str, **how: Any) -> list[tuple[str, RaisedAlarm]]:
    how = {"alarms": [LIMIT], "pixel_size_um": 0.5, **how}
    records = crystalgauge.watch(
        folder, store, detector=BoxDetector(), once=True, settle_s=0, **how
    )
    return [(record.path.name, alarm) for record in records for alarm in record.alarms]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def test_an_alarm_is_told_at_its_picture_once_and_over_restarts(
    folder: Path, database: str
) -> None:
    for index, length in enumerate((20, 30, 32, 20)):
        drop(folder, index, length)
    ((name, alarm),) = run(folder, database)
    assert (name, alarm.picture, alarm.figure) == ("001.png", "001.png", "box_length_um_q50")
    assert alarm.value == pytest.approx(15)
    assert str(alarm).startswith("ALARM: box_length_um_q50 > 12 (15), from 001.png of 2023-11-1")
    assert run(folder, database) == []
    drop(folder, 4, 30)
    assert [name for name, _ in run(folder, database)] == ["004.png"]
    drop(folder, 5, 31)  # it goes on
    drop(folder, 6, 20)
    assert run(folder, database) == []
    assert read_alarms(database)["picture"].to_list() == ["001.png", "004.png"]


def test_what_is_told_is_what_the_trend_page_finds(folder: Path, database: str) -> None:
    lengths = [20, 21, 19, 20, 22, 18, 20, 30, 31, 20, 33, 20, 34, 35, 36]
    for index, length in enumerate(lengths):
        drop(folder, index, length)
    cusum = Cusum("box_length_um_q50", reference=6)
    told = run(folder, database, cusums=[cusum])
    opened = Store(database)
    trend = read_trend(opened, [parse_threshold(LIMIT)], [cusum])
    opened.close()
    names = trend.names()
    expected = sorted((names[alarm.first], alarm.rule) for alarm in trend.alarms)
    assert sorted((alarm.picture, alarm.rule) for _, alarm in told) == expected
    assert {alarm.kind for _, alarm in told} == {"limit", "CUSUM"}
    drift = next(alarm for _, alarm in told if alarm.kind == "CUSUM")
    assert drift.since_utc <= drift.time_utc
    assert "drifting since" in str(drift)


def test_a_kill_between_picture_and_alarm_loses_nothing(folder: Path, database: str) -> None:
    drop(folder, 0, 30)
    assert run(folder, database, alarms=[]) == []  # stored, and nobody looked
    drop(folder, 1, 20)
    ((name, alarm),) = run(folder, database)
    assert (name, alarm.picture) == ("001.png", "000.png")
    assert run(folder, database) == []


def test_a_picture_that_comes_late_joins_the_stretch_it_belongs_to(
    folder: Path, database: str
) -> None:
    for index in (1, 3):
        drop(folder, index, 30)
    assert len(run(folder, database)) == 1
    drop(folder, 2, 31)
    drop(folder, 0, 31)
    assert run(folder, database) == []


def test_the_page_tells_of_alarms_that_it_was_not_asked_for(folder: Path, database: str) -> None:
    drop(folder, 0, 30)
    assert len(run(folder, database)) == 1
    opened = Store(database)
    without, with_limit = (read_trend(opened, t, []) for t in ([], [parse_threshold(LIMIT)]))
    opened.close()
    told = "Told while watching, but not listed here: box_length_um_q50 &gt; 12"
    assert told in trend_page(without)
    assert "Told while watching" not in trend_page(with_limit)


def test_a_misspelled_figure_is_refused_before_a_store_is_made(
    folder: Path, tmp_path: Path
) -> None:
    drop(folder, 0, 20)
    with pytest.raises(ArgumentError, match="no figure 'nope'"):
        run(folder, str(tmp_path / "new.db"), alarms=["nope>1"])
    assert not (tmp_path / "new.db").exists()


def test_two_programs_tell_an_alarm_once(folder: Path, database: str) -> None:
    drop(folder, 0, 20)
    run(folder, database)
    opened = Store(database)
    one, other = (LiveAlarms(opened, [parse_threshold(LIMIT)], []) for _ in range(2))
    drop(folder, 1, 30)
    run(folder, database, alarms=[])
    assert len(one.raised()) == 1
    assert other.raised() == ()
    opened.close()


def test_short_names_and_the_default_drift(folder: Path, database: str) -> None:
    assert [parse_threshold(f"{name} >= 30.5 um").name for name in ("x50", "x10,1", "x90,3")] == [
        "number_d50_um", "length_d10_um", "volume_d90_um",
    ]  # fmt: skip
    assert parse_threshold("x50,2<1e-1µm").limit == 0.1
    assert parse_threshold("x50<7px").name == "number_d50_px"
    for text in ("x50>30", "x50,4>3um", "x55>3um", "coverage>3um", "number_d50_um,3>1"):
        with pytest.raises(ArgumentError, match="write it as"):
            parse_threshold(text)
    for index in range(12):
        drop(folder, index, 20 + index % 2 if index < 6 else 40)
    told = run(folder, database, alarms=["x50>100um"], cusums=[Cusum(reference=6)])
    assert [alarm.figure for _, alarm in told] == ["number_d50_um"]


def test_wrong_names_are_refused_before_any_picture(folder: Path, database: str) -> None:
    with pytest.raises(ArgumentError, match="did you mean number_d50_um"):
        run(folder, database, alarms=["number_d5_um>3"])


def test_pictures_that_lack_the_figure_are_told_of(
    folder: Path, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    for index in range(2):
        drop(folder, index, 30)
    assert run(folder, database, pixel_size_um=None) == []
    (message,) = [record.getMessage() for record in caplog.records]
    assert "cannot be raised" in message


def test_a_store_of_an_older_program_gets_the_table(folder: Path, database: str) -> None:
    drop(folder, 0, 30)
    run(folder, database, alarms=[])
    engine = sa.create_engine(store_url(database), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE alarms"))
    assert len(read_alarms(database)) == 0
    drop(folder, 1, 30)
    assert len(run(folder, database)) == 1


def test_leaving_the_loop_after_an_alarm_keeps_it_stored(folder: Path, database: str) -> None:
    for index in range(3):
        drop(folder, index, 30)
    records = crystalgauge.watch(
        folder, database, detector=BoxDetector(), once=True, settle_s=0, alarms=[LIMIT],
        pixel_size_um=0.5,
    )  # fmt: skip
    (first,) = itertools.islice(records, 1)
    records.close()  # type: ignore[attr-defined]
    assert len(first.alarms) == 1
    assert run(folder, database) == []
