"""Watching a folder: what is measured, what is stored, what is passed over."""

from __future__ import annotations

import itertools
import os
import shutil
import threading
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from box_detector import BoxDetector, picture, save

import crystalgauge
from crystalgauge.core import ArgumentError, ReadError
from crystalgauge.monitor import WatchRecord, watch_folder
from crystalgauge.monitor.store import Store
from crystalgauge.pipeline import Settings
from crystalgauge.pipeline.focus_gate import GateAnswer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crystalgauge.core import Micrograph
    from crystalgauge.predict import Prediction

TWO = [(10, 20, 30, 10), (60, 60, 20, 20)]


def boxes(index: int) -> np.ndarray[Any, Any]:
    return picture([(10, 20, 10 + index, 10), (60, 60, 20, 20)])


def drop(path: Path, index: int = 0, mtime_s: int = 1_700_000_000) -> Path:
    save(path, boxes(index))
    os.utime(path, (mtime_s + 60 * index,) * 2)
    return path


def run(folder: Path, store: str | Path, **options: Any) -> list[WatchRecord]:
    options = {"detector": BoxDetector(), "once": True, "settle_s": 0, **options}
    return list(crystalgauge.watch(folder, store, **options))


def told(records: list[WatchRecord]) -> list[tuple[str, str]]:
    return [(record.path.name, record.status) for record in records]


def stored(store: str | Path) -> list[str]:
    opened = Store(store)
    names = [path.rsplit("/", 1)[-1] for path in opened.pictures()["path"]]
    opened.close()
    return names


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def test_what_waits_is_measured_oldest_first_and_only_once(folder: Path, database: str) -> None:
    for index in (3, 1, 2):
        drop(folder / f"{9 - index}.png", index)
    records = run(folder, database, pixel_size_um=0.5)
    assert told(records) == [("8.png", "ok"), ("7.png", "ok"), ("6.png", "ok")]
    assert [record.waiting for record in records] == [2, 1, 0]
    first = records[0]
    assert first.measurement is not None
    assert len(first.measurement.crystals) == 2
    assert first.summary["number_d50_um"] == first.measurement.summary.number.d50.value
    assert first.time_utc == datetime(2023, 11, 14, 22, 14, 20)
    assert run(folder, database, pixel_size_um=0.5) == []
    assert stored(database) == ["8.png", "7.png", "6.png"]


class Touching(BoxDetector):
    """Boxes whose blur is known, so that those that touch are agglomerates."""

    def __call__(self, micrograph: Micrograph, progress: object = None) -> Prediction:
        found = super().__call__(micrograph, progress)  # type: ignore[arg-type]
        blur = np.arange(1.0, len(found.crystals) + 1)
        return replace(found, crystals=found.crystals.with_columns(defocus_px=blur))


def test_sizes_may_be_of_what_is_sharp(folder: Path, database: str) -> None:
    drop(folder / "a.png", 5)
    (record,) = run(folder, database, detector=Touching(), max_crystal_blur_px=1.5)
    assert record.summary["n_crystals"] == 2
    assert record.summary["n_sized"] == 1
    opened = Store(database)
    assert opened.pictures()["n_sized"].to_list() == [1]
    assert len(opened.crystals(["defocus_px"])) == 2  # every crystal is stored
    opened.close()
    with pytest.raises(ArgumentError, match=r"max_crystal_blur_px: 1\.5 -> None"):
        run(folder, database, detector=Touching())


def test_particles_may_be_agglomerates(folder: Path, database: str) -> None:
    drop(folder / "a.png", 5)
    (record,) = run(folder, database, detector=Touching(), particles="agglomerates")
    assert record.measurement is not None
    assert record.measurement.sizing.particles == "agglomerates"
    assert any("Sizes are of agglomerates" in note for note in record.measurement.summary.notes)


def test_pictures_out_of_focus_are_left_out_and_told(
    folder: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(micrograph: Micrograph, settings: Settings) -> GateAnswer:
        share = float(micrograph.pixels.min() > 41)
        text = "" if share >= settings.min_focus else "out of focus: blurred"
        return GateAnswer(not text, text, {"share_in_focus": share, "focus_blur_px": 2.0})

    monkeypatch.setattr("crystalgauge.monitor.measuring.ask_gate", answer)
    save(folder / "soft.png", picture(TWO, grey=30))
    save(folder / "keen.png", picture(TWO, grey=60))
    tifffile.imwrite(folder / "both.tif", np.stack([picture(TWO, grey=31), picture(TWO, grey=61)]))
    found = {(r.path.name, r.page): r for r in run(folder, database, min_focus=0.5)}
    statuses = {key: record.status for key, record in found.items()}
    assert statuses == {
        ("soft.png", None): "out of focus", ("keen.png", None): "ok",
        ("both.tif", 1): "out of focus", ("both.tif", 2): "ok",
    }  # fmt: skip
    assert found["keen.png", None].summary["share_in_focus"] == 1.0
    opened = Store(database)
    assert opened.pictures()["share_in_focus"].to_list() == [1.0, 1.0]
    files = {each.key.rsplit("/", 1)[-1]: each for each in opened.files()}
    assert (files["soft.png"].status, files["soft.png"].message) == (
        "out of focus", "out of focus: blurred",
    )  # fmt: skip
    assert files["both.tif"].message == "pictures left out as out of focus: 1"
    opened.close()
    assert run(folder, database, min_focus=0.5) == []  # judged once


def test_renamed_and_copied_pictures_are_not_doubled(folder: Path, database: str) -> None:
    drop(folder / "a.png")
    run(folder, database)
    shutil.copy(folder / "a.png", folder / "copy.png")
    (folder / "a.png").rename(folder / "sub.png")
    records = run(folder, database)
    assert sorted(told(records)) == [("copy.png", "duplicate"), ("sub.png", "duplicate")]
    assert all(record.message.endswith("a.png") for record in records)
    assert run(folder, database) == []
    assert stored(database) == ["a.png"]


def test_a_touched_file_is_no_new_picture(folder: Path, database: str) -> None:
    path = drop(folder / "a.png")
    run(folder, database)
    os.utime(path, (1_800_000_000,) * 2)
    assert run(folder, database) == []
    assert stored(database) == ["a.png"]


def test_an_overwritten_picture_is_another_one(folder: Path, database: str) -> None:
    drop(folder / "latest.png", 1)
    run(folder, database)
    drop(folder / "latest.png", 2)
    assert told(run(folder, database)) == [("latest.png", "ok")]
    assert stored(database) == ["latest.png", "latest.png"]


def test_damaged_files_are_told_and_tried_again(folder: Path, database: str) -> None:
    good = drop(folder / "good.png").read_bytes()
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(good[: len(good) // 2])
    records = run(folder, database)
    assert sorted(told(records)) == [("a.png", "failed"), ("b.png", "failed"), ("good.png", "ok")]
    drop(folder / "a.png", 3)
    assert sorted(told(run(folder, database))) == [("a.png", "ok"), ("b.png", "failed")]
    opened = Store(database)
    assert {f.key.rsplit("/", 1)[-1]: f.status for f in opened.files()} == {
        "a.png": "ok", "b.png": "failed", "good.png": "ok",
    }  # fmt: skip
    opened.close()


def test_a_bug_in_the_detector_is_one_failed_picture(folder: Path, tmp_path: Path) -> None:
    class Breaks(BoxDetector):
        def __call__(self, micrograph: Micrograph, progress: Any = None) -> Prediction:
            if "1.png" in micrograph.source:
                raise ZeroDivisionError("by zero")
            return super().__call__(micrograph, progress)

    for index in range(3):
        drop(folder / f"{index}.png", index)
    records = run(folder, tmp_path / "run.db", detector=Breaks())
    assert told(records) == [("0.png", "ok"), ("1.png", "failed"), ("2.png", "ok")]
    assert "unexpected ZeroDivisionError" in records[1].message


def test_series_are_stored_page_by_page_and_taken_up_where_they_stopped(
    folder: Path, database: str
) -> None:
    pages = np.stack([boxes(index) for index in range(3)])
    tifffile.imwrite(folder / "s.tif", pages, photometric="minisblack")
    stop = threading.Event()
    seen = []
    for record in crystalgauge.watch(
        folder, database, detector=BoxDetector(), settle_s=0, once=True, stop=stop
    ):
        seen.append(record.page)
        stop.set()
    assert seen == [1]
    records = run(folder, database)
    assert [(record.page, record.status) for record in records] == [(2, "ok"), (3, "ok")]
    assert run(folder, database) == []
    shutil.copy(folder / "s.tif", folder / "t.tif")
    assert [(r.page, r.status) for r in run(folder, database)] == [(None, "duplicate")]


def test_a_series_that_grows_has_only_its_new_pages_measured(folder: Path, database: str) -> None:
    seen = []
    for number in (1, 2, 4):
        pages = np.stack([boxes(index) for index in range(number)])
        tifffile.imwrite(folder / "s.tif", pages, photometric="minisblack")
        seen.append([record.page for record in run(folder, database)])
    assert seen == [[None], [2], [3, 4]]
    assert run(folder, database) == []


def test_the_same_picture_in_another_format_is_a_duplicate(folder: Path, tmp_path: Path) -> None:
    drop(folder / "a.png", 1, mtime_s=1_600_000_000)
    tifffile.imwrite(folder / "b.tif", boxes(1))
    records = run(folder, tmp_path / "run.db")
    assert told(records) == [("a.png", "ok"), ("b.tif", "duplicate")]


def test_blank_pictures_of_different_times_are_different(folder: Path, tmp_path: Path) -> None:
    for minute in (1, 2):
        tifffile.imwrite(
            folder / f"{minute}.tif", picture([]), datetime=datetime(2026, 3, 1, 10, minute)
        )
    records = run(folder, tmp_path / "run.db")
    assert [record.status for record in records] == ["ok", "ok"]


def test_a_series_that_breaks_keeps_its_first_pictures(folder: Path, tmp_path: Path) -> None:
    class Breaks(BoxDetector):
        def __call__(self, micrograph: Micrograph, progress: Any = None) -> Prediction:
            if micrograph.source.endswith("#2"):
                raise MemoryError
            return super().__call__(micrograph, progress)

    pages = np.stack([boxes(index) for index in range(3)])
    tifffile.imwrite(folder / "s.tif", pages, photometric="minisblack")
    records = run(folder, tmp_path / "run.db", detector=Breaks())
    assert [(record.page, record.status) for record in records] == [(1, "ok"), (None, "failed")]
    assert "not enough memory" in records[1].message
    assert "the pictures after it" in records[1].message
    assert [r.page for r in run(folder, tmp_path / "run.db")] == [2, 3]


def changing(act: Callable[[], object]) -> BoxDetector:
    """Return a detector that lets something happen to the folder while it looks, once."""
    pending = [act]

    class Changing(BoxDetector):
        def __call__(self, micrograph: Micrograph, progress: Any = None) -> Prediction:
            while pending:
                pending.pop()()
            return super().__call__(micrograph, progress)

    return Changing()


def test_a_file_that_changes_while_it_is_measured_is_measured_again(
    folder: Path, tmp_path: Path
) -> None:
    path = drop(folder / "a.png", 1)
    detector = changing(lambda: drop(path, 5))
    records = run(folder, tmp_path / "run.db", detector=detector)
    assert told(records) == [("a.png", "ok")]
    assert records[0].measurement is not None
    assert records[0].measurement.table["box_length_px"].max() == 20
    assert stored(tmp_path / "run.db") == ["a.png"]


def test_a_file_that_is_renamed_while_it_is_measured_is_stored_once(
    folder: Path, tmp_path: Path
) -> None:
    path = drop(folder / "a.png", 1)
    detector = changing(lambda: path.rename(folder / "b.png"))
    assert told(run(folder, tmp_path / "run.db", detector=detector)) == [("b.png", "ok")]
    assert stored(tmp_path / "run.db") == ["b.png"]


def test_pictures_that_come_while_others_are_measured_are_taken_too(
    folder: Path, tmp_path: Path
) -> None:
    drop(folder / "a.png", 5)
    detector = changing(lambda: drop(folder / "older.png", 1))
    records = run(folder, tmp_path / "run.db", detector=detector)
    assert told(records) == [("a.png", "ok"), ("older.png", "ok")]
    assert stored(tmp_path / "run.db") == ["older.png", "a.png"]


def test_a_store_of_an_older_program_goes_on(folder: Path, tmp_path: Path) -> None:
    drop(folder / "a.png", 1)
    run(folder, tmp_path / "run.db")
    opened = Store(tmp_path / "run.db")
    (settings,) = opened.settings()
    opened.close()
    # options that it did not know are not written down while they are as they were
    assert not {"min_focus", "particles", "max_crystal_blur_px"} & set(settings.arguments)
    assert settings.arguments["frame_correction"] == "miles-lantuejoul"
    with pytest.raises(ArgumentError, match="particles: None -> agglomerates"):
        watch_folder(
            folder, tmp_path / "run.db", Settings(particles="agglomerates"),
            detector=BoxDetector(), once=True, settle_s=0,
        )  # fmt: skip


def test_watching_goes_on_until_it_is_stopped(folder: Path, tmp_path: Path) -> None:
    drop(folder / "0.png", 0)
    stop = threading.Event()
    records = watch_folder(
        folder, tmp_path / "run.db", Settings(), detector=BoxDetector(), settle_s=0.01,
        poll_s=0.2, stop=stop,
    )  # fmt: skip
    assert next(records).path.name == "0.png"
    timer = threading.Timer(0.3, lambda: drop(folder / "1.png", 1))
    timer.start()
    assert next(records).path.name == "1.png"
    stop.set()
    assert next(records, None) is None
    timer.join()


def test_a_stopped_store_can_be_taken_up(folder: Path, tmp_path: Path) -> None:
    for index in range(4):
        drop(folder / f"{index}.png", index)
    store = tmp_path / "run.db"
    records = crystalgauge.watch(folder, store, detector=BoxDetector(), settle_s=0, once=True)
    assert [r.path.name for r in itertools.islice(records, 2)] == ["0.png", "1.png"]
    records.close()  # type: ignore[attr-defined]
    assert told(run(folder, store)) == [("2.png", "ok"), ("3.png", "ok")]


def test_two_at_once_double_nothing(folder: Path, database: str) -> None:
    for index in range(12):
        drop(folder / f"{index:02d}.png", index)
    both: list[list[WatchRecord]] = [[], []]
    threads = [
        threading.Thread(target=lambda mine=mine: mine.extend(run(folder, database)))
        for mine in both
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [record.path.name for records in both for record in records if record.status == "ok"]
    assert sorted(done) == [f"{index:02d}.png" for index in range(12)]
    assert stored(database) == sorted(done)


def test_times_come_from_names(folder: Path, tmp_path: Path) -> None:
    drop(folder / "run_20260301-101530+0000.png", 1)
    drop(folder / "run.png", 2)
    records = run(folder, tmp_path / "run.db", time_from="%Y%m%d-%H%M%S%z")
    by_name = {record.path.name: record for record in records}
    named = by_name["run_20260301-101530+0000.png"]
    assert (named.time_utc, named.time_origin) == (datetime(2026, 3, 1, 10, 15, 30), "name")
    assert by_name["run.png"].time_origin == "mtime"
    assert "no time in the name" in by_name["run.png"].message


def test_times_come_from_metadata(folder: Path, tmp_path: Path) -> None:
    tifffile.imwrite(folder / "a.tif", boxes(1), datetime=datetime(2026, 3, 1, 10, 15, 30))
    (record,) = run(folder, tmp_path / "run.db", time_from="exif")
    assert record.time_origin == "metadata"
    local = datetime(2026, 3, 1, 10, 15, 30).astimezone()
    assert record.time_utc == (local - local.utcoffset()).replace(tzinfo=None)  # type: ignore[operator]


def test_progress_names_the_picture_at_hand(folder: Path, tmp_path: Path) -> None:
    drop(folder / "a.png")
    heard: list[tuple[str, float, int]] = []
    records = watch_folder(
        folder, tmp_path / "run.db", Settings(), detector=BoxDetector(), settle_s=0, once=True,
        on_progress=lambda *words: heard.append(words),
    )  # fmt: skip
    assert len(list(records)) == 1
    assert heard == [("a.png", 0.0, 0), ("a.png", 1.0, 0)]


def test_a_store_is_of_one_kind_of_measurement(folder: Path, tmp_path: Path) -> None:
    drop(folder / "a.png")
    run(folder, tmp_path / "run.db", pixel_size_um=0.5)
    with pytest.raises(ArgumentError, match=r"pixel_size: \[0.5, 0.0\] -> \[0.6, 0.0\]"):
        run(folder, tmp_path / "run.db", pixel_size_um=0.6)
    with pytest.raises(ArgumentError, match="model: boxes -> others"):
        run(folder, tmp_path / "run.db", pixel_size_um=0.5, detector=BoxDetector("others"))


def test_bad_arguments_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="there is no folder"):
        crystalgauge.watch(tmp_path / "gone", tmp_path / "run.db", detector=BoxDetector())
    with pytest.raises(ArgumentError, match="settle_s"):
        crystalgauge.watch(tmp_path, tmp_path / "run.db", settle_s=-1)
    with pytest.raises(ArgumentError, match="where times come from"):
        crystalgauge.watch(tmp_path, tmp_path / "run.db", time_from="yesterday")
    assert not (tmp_path / "run.db").exists()
