"""The store, in every database it may lie in."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely
import sqlalchemy as sa
from box_detector import BoxDetector, picture

from crystalgauge.core import (
    ArgumentError,
    Calibration,
    Crystals,
    Micrograph,
    ReadError,
    WriteError,
)
from crystalgauge.monitor.engine import store_url
from crystalgauge.monitor.records import FileState, StoredSettings, WatchRecord
from crystalgauge.monitor.source import Stamp
from crystalgauge.monitor.store import Store
from crystalgauge.pipeline import measure_micrograph
from crystalgauge.predict import Prediction

if TYPE_CHECKING:
    from collections.abc import Iterator

TWO = [(10, 20, 30, 10), (60, 60, 20, 20)]
SETTINGS = StoredSettings("f" * 64, "1.0", {"model": "boxes", "engine": "auto"}, {"sha": "0"})


def record(content: str = "a" * 64, boxes: Any = TWO, **changes: Any) -> WatchRecord:
    micrograph = Micrograph(picture(boxes), Calibration(0.5, 0.01), "a.png")
    found = measure_micrograph(micrograph, BoxDetector())
    made = WatchRecord(
        Path("a.png"), "ok", "a note", sha256="f" * 64, content_sha256=content,
        measurement=found,
        time_utc=datetime(2026, 3, 1, 10, 0, 0, 250_000), time_origin="mtime",
    )  # fmt: skip
    return replace(made, **changes)


def file_state(key: str = "/in/a.png", **changes: Any) -> FileState:
    return replace(
        FileState(key, Stamp(2**40, 1_700_000_000_123_456_789), "a" * 64, "ok"), **changes
    )


def ask(database: str, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query, past the store."""
    engine = sa.create_engine(store_url(database), poolclass=sa.NullPool)
    with engine.begin() as connection:
        found = connection.execute(sa.text(query))
        return [tuple(row) for row in found] if found.returns_rows else []


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    opened = Store(database)
    opened.prepare(SETTINGS)
    yield opened
    opened.close()


def test_a_picture_comes_back_as_it_was(store: Store, database: str) -> None:
    assert store.add_picture(record(), "/in/a.png", file_state())
    (row,) = store.pictures().to_dicts()
    found = record().measurement
    assert found is not None
    assert row["time_utc"] == datetime(2026, 3, 1, 10, 0, 0, 250_000)
    assert (row["content_sha256"], row["page"], row["path"]) == ("a" * 64, 1, "/in/a.png")
    assert row["file_sha256"] == "f" * 64
    assert (row["width_px"], row["height_px"], row["n_crystals"]) == (120, 120, 2)
    assert (row["pixel_size_um"], row["pixel_size_uncertainty_um"]) == (0.5, 0.01)
    for name, value in found.summary.as_dict().items():
        assert row[name] == value, name
    sizes = ask(database, "SELECT unit, number_d50, volume_d50 FROM pictures")
    assert sizes == [("um", row["number_d50_um"], row["volume_d50_um"])]
    columns = ["crystal_id", "area_um2", "aspect_ratio", "score", "touches_border"]
    stored = store.crystals(columns, whole=False)
    assert stored.drop("picture_id").rows() == [
        tuple(map(float, crystal)) for crystal in found.table.select(columns).iter_rows()
    ]
    assert store.files() == [file_state()]
    assert store.settings() == [SETTINGS]


def test_outlines_come_back_as_they_were(store: Store, database: str) -> None:
    store.add_picture(record(), "/in/a.png")
    rows = ask(database, "SELECT outline_wkb FROM crystals ORDER BY crystal_id")
    outlines = [shapely.from_wkb(bytes(wkb)) for (wkb,) in rows]
    found = record().measurement
    assert found is not None
    assert all(a.equals_exact(b) for a, b in zip(outlines, found.crystals.outlines, strict=True))


def test_a_content_is_stored_once(store: Store) -> None:
    assert store.add_picture(record(), "/in/a.png", file_state())
    other = record(boxes=[(1, 1, 9, 9)])
    assert not store.add_picture(other, "/in/b.png", file_state("/in/b.png"))
    assert store.origin("a" * 64, 1) == "/in/a.png"
    assert len(store.crystals(["score"])) == 2
    assert [file.key for file in store.files()] == ["/in/a.png", "/in/b.png"]


def test_pages_of_a_series_are_pictures_of_their_own(store: Store) -> None:
    for page in (1, 2):
        assert store.add_picture(record(page=page), "/in/s.tif")
    assert store.origin("a" * 64, 2) == "/in/s.tif"
    assert store.origin("a" * 64, 3) is None
    assert store.origin("b" * 64, 1) is None


def test_nothing_of_a_picture_is_there_when_its_transaction_fails(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crystalgauge.monitor import store as module

    def fail(*_: Any) -> None:
        raise sa.exc.OperationalError("", {}, Exception("disk full"))

    monkeypatch.setattr(module, "_put_file", fail)
    with pytest.raises(WriteError, match="disk full; what was stored is kept"):
        store.add_picture(record(), "/in/a.png", file_state())
    assert len(store.pictures()) == len(store.crystals(["score"])) == len(store.files()) == 0


def test_files_are_finished_unless_they_failed(store: Store) -> None:
    for key, status in (("/in/a", "ok"), ("/in/b", "duplicate"), ("/in/c", "failed")):
        store.add_file(file_state(key, status=status))
    assert sorted(store.finished_files("a" * 64)) == ["/in/a", "/in/b"]
    assert store.finished_files("b" * 64) == []


def test_the_last_state_of_a_file_counts(store: Store) -> None:
    store.add_file(file_state(status="failed", message="torn", sha256=""))
    store.add_file(file_state())
    assert store.files() == [file_state()]


def test_empty_pictures_and_further_columns(store: Store, database: str) -> None:
    assert store.add_picture(record(boxes=[]), "/in/empty.png")
    outlines = [shapely.box(5, 5, 20, 20)]
    columns = {"score": np.array([0.5]), "twin": np.array([np.nan]), "kind": np.array(["a"])}

    class Further(BoxDetector):
        def __call__(self, *_: Any) -> Prediction:  # type: ignore[override]
            return Prediction(Crystals(outlines, columns), (1.0,), ())

    found = measure_micrograph(Micrograph(picture([])), Further())
    store.add_picture(record("b" * 64, measurement=found), "/in/b.png")
    ((text,),) = ask(database, "SELECT further FROM crystals")
    assert str(text).replace("'", '"').replace("None", "null") == '{"kind": "a", "twin": null}'
    assert sorted(store.pictures()["n_crystals"]) == [0, 1]


def test_any_name_and_message_is_taken(store: Store) -> None:
    text = "'; DROP TABLE pictures; -- \"\\ ü漢 \N{SNOWMAN} \x1b %s :a {{x}}"
    store.add_picture(record(message=text), text, file_state(text, message=text))
    assert store.pictures()["path"].to_list() == [text]
    assert store.pictures()["message"].to_list() == [text]
    assert store.files()[0].message == text


def test_pictures_come_in_the_order_of_time(store: Store) -> None:
    for index, minute in enumerate((30, 10, 20)):
        time = datetime(2026, 3, 1, 10, minute)
        store.add_picture(record(f"{index:064d}", time_utc=time), f"/in/{index}.png")
    assert [time.minute for time in store.pictures()["time_utc"]] == [10, 20, 30]


def test_settings_that_give_other_numbers_are_refused(store: Store) -> None:
    store.prepare(SETTINGS)
    newer = replace(SETTINGS, fingerprint="1" * 64, version="2.0")
    engine = replace(
        SETTINGS, fingerprint="2" * 64, arguments={**SETTINGS.arguments, "engine": "openvino"}
    )
    for each in (newer, engine):
        store.prepare(each)
    assert [each.version for each in store.settings()] == ["1.0", "2.0", "1.0"]
    store.add_picture(record(), "/in/a.png")
    other = replace(SETTINGS, fingerprint="3" * 64, detector={"sha": "1"})
    with pytest.raises(ArgumentError, match=r"sha: 0 -> 1.*name another store"):
        store.prepare(other)
    assert len(store.settings()) == 3


def test_a_store_without_pictures_takes_other_settings(store: Store) -> None:
    store.prepare(SETTINGS)
    store.add_file(file_state("/in/a.png", message="why"))
    other = replace(SETTINGS, fingerprint="3" * 64, arguments={"pixel_size": [0.5, None]})
    store.prepare(other)
    assert [each.arguments for each in store.settings()] == [other.arguments]
    assert store.files() == []  # to be looked into again
    store.add_picture(record(), "/in/a.png")
    with pytest.raises(ArgumentError, match="holds pictures measured otherwise"):
        store.prepare(SETTINGS)


def test_a_column_that_came_later_is_added(store: Store, database: str) -> None:
    ask(database, "ALTER TABLE crystals DROP COLUMN solidity")
    assert store.crystals(["solidity"]).is_empty()
    store.prepare(SETTINGS)
    store.add_picture(record(), "/in/a.png")
    assert store.crystals(["solidity"])["solidity"].to_list() == [1.0, 1.0]


def test_tables_of_others_are_left_alone(database: str) -> None:
    ask(database, "CREATE TABLE pictures (name TEXT)")
    opened = Store(database)
    with pytest.raises(WriteError, match="'pictures' that is not ours"):
        opened.prepare(SETTINGS)
    with pytest.raises(ReadError, match="holds no store"):
        opened.check()
    opened.close()


def test_a_store_of_another_format_is_refused(store: Store, database: str) -> None:
    ask(database, "UPDATE crystalgauge_store SET format = 99")
    with pytest.raises(ReadError, match="has format 99"):
        store.prepare(SETTINGS)
    with pytest.raises(ReadError, match="has format 99"):
        store.check()


def test_one_may_read_while_another_writes(store: Store, database: str) -> None:
    reader = Store(database)
    with store._writing() as connection:
        connection.execute(sa.text("DELETE FROM files"))
        assert len(reader.pictures()) == 0
    reader.close()


def test_sqlite_runs_in_wal_mode_and_forces_commits_to_the_disk(tmp_path: Path) -> None:
    opened = Store(tmp_path / "deep" / "run.db")
    opened.prepare(SETTINGS)
    with opened._reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    opened.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "picture.db"
    path.write_bytes(os.urandom(5000))
    opened = Store(path)
    with pytest.raises(ReadError, match="not a database"):
        opened.check()
    with pytest.raises(WriteError, match="not a database"):
        opened.prepare(SETTINGS)
    opened.close()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("mysql://a/b", "not in 'mysql'"),
        ("://", "cannot read the address"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
    ],
)
def test_bad_addresses_are_refused(address: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Store(address)


def test_addresses_get_their_driver_and_hide_their_password() -> None:
    assert store_url("run.db").render_as_string() == "sqlite:///run.db"
    assert store_url("postgres://a@b/c").drivername == "postgresql+pg8000"
    assert store_url("postgresql://a@b/c").drivername == "postgresql+pg8000"
    pytest.importorskip("pg8000")
    opened = Store("postgresql://user:secret@127.0.0.1:1/none")
    with pytest.raises(ReadError) as caught:
        opened.check()
    assert "secret" not in str(caught.value)
    opened.close()


def test_a_store_that_has_to_exist(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="there is no store"):
        Store(tmp_path / "run.db", must_exist=True)
    assert not (tmp_path / "run.db").exists()
