"""Many pictures: complete files, bad ones listed, stopped runs resumed."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
import tifffile
from box_detector import BoxDetector, picture, save

from crystalgauge.core import ArgumentError, WriteError, parse_pixel_size
from crystalgauge.pipeline import BatchProgress, Settings, measure_batch

if TYPE_CHECKING:
    from pathlib import Path

TWO = [(10, 20, 30, 10), (60, 60, 20, 20)]


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def by_name(out: Path) -> dict[str, dict[str, str]]:
    return {row["name"]: row for row in rows(out / "images.csv")}


@pytest.fixture
def drops(tmp_path: Path) -> Path:
    save(tmp_path / "in" / "a.png", picture(TWO))
    save(tmp_path / "in" / "sub" / "b.png", picture([(5, 5, 8, 8)]))
    save(tmp_path / "in" / "empty.png", picture([]))
    return tmp_path / "in"


def test_every_file_of_the_promise_is_there_and_agrees(drops: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    settings = Settings(pixel_size=parse_pixel_size("0.5um"))
    result = measure_batch([drops], out, settings=settings, detector=BoxDetector())
    assert (result.measured, result.failed) == (3, 0)
    table = pl.read_parquet(out / "crystals.parquet")
    assert table["picture"].to_list() == ["a.png", "a.png", "sub/b.png"]
    assert [row["picture"] for row in rows(out / "crystals.csv")] == table["picture"].to_list()
    assert float(rows(out / "crystals.csv")[2]["area_um2"]) == pytest.approx(16)
    images = by_name(out)
    assert {name: row["crystals"] for name, row in images.items()} == {
        "a.png": "2", "empty.png": "0", "sub/b.png": "1",
    }  # fmt: skip
    assert images["a.png"]["status"] == "ok"
    assert float(images["a.png"]["pixel_size_um"]) == 0.5
    assert float(images["sub/b.png"]["number_d50_um"]) == pytest.approx(8 * np.sqrt(4 / np.pi) / 2)
    for row in images.values():
        assert (out / row["overlay"]).read_bytes().startswith(b"\x89PNG")
    coco = json.loads((out / "crystals.coco.json").read_text())
    assert [image["file_name"] for image in coco["images"]] == ["a.png", "empty.png", "sub/b.png"]
    assert all(0 < annotation["score"] < 1 for annotation in coco["annotations"])
    assert sum(annotation["area"] for annotation in coco["annotations"]) == 300 + 400 + 64
    facts = json.loads((out / "provenance.json").read_text())
    assert facts["arguments"]["frame_correction"] == "miles-lantuejoul"
    assert facts["detector"]["model_sha256"] == "0" * 64
    assert facts["inputs"][0]["calibration"]["pixel_size_um"] == 0.5
    assert len(facts["inputs"][0]["sha256"]) == 64
    page = (out / "report.html").read_text()
    assert "3 crystals in 3 pictures" in page
    assert "Not calibrated" not in page


def test_the_frame_correction_reaches_tables_and_page(tmp_path: Path) -> None:
    boxes = [(5, 5 + 12 * row, 60 if row % 2 else 8, 8) for row in range(8)]
    save(tmp_path / "in" / "a.png", picture(boxes))
    small, found = 8 * np.sqrt(4 / np.pi), {}
    for correction in ("miles-lantuejoul", "none"):
        out = tmp_path / correction
        settings = Settings(frame_correction=correction)  # type: ignore[arg-type]
        measure_batch([tmp_path / "in"], out, settings=settings, detector=BoxDetector())
        found[correction] = rows(out / "images.csv")[0]
        page = (out / "report.html").read_text()
        assert "8 crystals in 1 picture; in brackets the 95 % interval" in page
        assert "De Brouckere mean in px" in page
        assert f"frame correction = {correction}" in page.replace("_", " ")
    corrected, plain = found["miles-lantuejoul"], found["none"]
    assert float(plain["number_d50_px"]) == pytest.approx(small)
    # half of the boxes fit into half as many places: they count twice
    assert float(corrected["number_d50_px"]) > 2 * small
    assert float(plain["number_per_mpx"]) == pytest.approx(8e6 / 120**2)
    weights = [float(row["frame_weight"]) for row in rows(tmp_path / "none" / "crystals.csv")]
    assert float(corrected["number_per_mpx"]) == pytest.approx(sum(weights) * 1e6 / 120**2)
    assert float(corrected["d_4_3_px_low"]) < float(corrected["d_4_3_px"])


def test_uncalibrated_and_mixed_batches_say_so(drops: Path, tmp_path: Path) -> None:
    measure_batch([drops], tmp_path / "px", detector=BoxDetector())
    page = (tmp_path / "px" / "report.html").read_text()
    assert "Not calibrated: lengths are in px." in page
    assert "µm" not in page.split("<h2>Size distribution", 1)[1].split("<h2>Overlays", 1)[0]
    tifffile.imwrite(
        drops / "c.tif", picture(TWO), imagej=True, resolution=(2, 2), metadata={"unit": "um"}
    )
    measure_batch([drops], tmp_path / "mixed", detector=BoxDetector())
    page = (tmp_path / "mixed" / "report.html").read_text()
    assert "3 pictures of 4 without a pixel size" in page
    table = pl.read_parquet(tmp_path / "mixed" / "crystals.parquet")
    known = table.filter(pl.col("picture") == "c.tif")["area_um2"]
    assert sorted(known) == pytest.approx([75, 100])
    assert table.filter(pl.col("picture") != "c.tif")["area_um2"].null_count() == 3


def test_bad_pictures_are_listed_and_the_others_measured(drops: Path, tmp_path: Path) -> None:
    good = (drops / "a.png").read_bytes()
    (drops / "torn.png").write_bytes(good[: len(good) // 2])
    (drops / "zero.tif").write_bytes(b"")
    (drops / "text.jpg").write_text("not a picture")
    tifffile.imwrite(drops / "nan.tif", np.full((20, 20), np.nan, np.float32))
    save(drops / "one.png", np.full((1, 1), 210, np.uint8))
    save(drops / "constant.png", np.full((50, 50), 210, np.uint8))
    out = tmp_path / "out"
    result = measure_batch([drops, drops / "gone.png"], out, detector=BoxDetector())
    images = by_name(out)
    failed = {name for name, row in images.items() if row["status"] == "failed"}
    assert {"torn.png", "zero.tif", "text.jpg"} <= failed
    assert any("gone.png" in name for name in failed)
    assert all(images[name]["message"] for name in failed)
    assert images["zero.tif"]["crystals"] == ""
    assert images["one.png"]["crystals"] == images["constant.png"]["crystals"] == "0"
    assert "constant" in images["constant.png"]["message"]
    assert images["a.png"]["crystals"] == "2"
    assert result.failed == len(failed)
    page = (out / "report.html").read_text()
    assert f"{len(failed)} of {len(images)} pictures failed" in page


def test_when_every_picture_fails_the_files_are_still_there(tmp_path: Path) -> None:
    (tmp_path / "zero.png").write_bytes(b"")
    out = tmp_path / "out"
    result = measure_batch([tmp_path / "zero.png"], out, detector=BoxDetector())
    assert result.measured == 0
    assert by_name(out)["zero.png"]["status"] == "failed"
    assert (out / "report.html").is_file()
    assert json.loads((out / "crystals.coco.json").read_text())["annotations"] == []
    assert len(pl.read_parquet(out / "crystals.parquet")) == 0


HOSTILE = [
    "with space.png", "quote'\".png", "line\nbreak.png", "<script>alert(1)<script>.png",
    "=cmd|calc.png", "-1.png", "ünï漢.png", "%41&amp;.png", "{{7*7}}.png",
]  # fmt: skip


def test_hostile_names_harm_neither_files_nor_tables_nor_page(tmp_path: Path) -> None:
    for name in HOSTILE:
        save(tmp_path / "in" / name, picture(TWO))
    out = tmp_path / "out"
    exports = ("geojson", "imagej", "yolo-seg", "labels")
    result = measure_batch([tmp_path / "in"], out, exports=exports, detector=BoxDetector())
    assert result.measured == len(HOSTILE)
    for row in (*rows(out / "images.csv"), *rows(out / "crystals.csv")):
        assert all(not cell.startswith(("=", "+", "@", "\t")) for cell in row.values())
        assert not row.get("name", row.get("picture", "")).startswith("-")
    shown = {entry.name.shown for entry in result.entries}
    assert "line\\nbreak.png" in shown
    assert set(pl.read_parquet(out / "crystals.parquet")["picture"]) == shown
    assert len(list((out / "overlays").iterdir())) == len(HOSTILE)
    assert "<script>alert" not in (out / "report.html").read_text()
    for name in exports:
        assert any((out / "export" / name).iterdir())


def test_exports_hold_the_same_crystals(drops: Path, tmp_path: Path) -> None:
    from crystalgauge.io.annotations import read_annotations

    out = tmp_path / "out"
    measure_batch([drops], out, exports=["geojson", "coco"], detector=BoxDetector())
    pictures = read_annotations(out / "export" / "geojson")
    assert sum(picture.crystals.area_px2.sum() for picture in pictures) == pytest.approx(764)


def test_pictures_of_a_series_are_rows_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "s.tif"
    tifffile.imwrite(
        path, np.stack([picture(TWO), picture([]), picture(TWO[:1])]), photometric="minisblack"
    )
    out = tmp_path / "out"
    measure_batch([path], out, detector=BoxDetector())
    images = by_name(out)
    assert [(name, row["crystals"]) for name, row in images.items()] == [
        ("s.tif#1", "2"), ("s.tif#2", "0"), ("s.tif#3", "1"),
    ]  # fmt: skip
    assert (out / "overlays" / "s_p3.png").is_file()


class Looked:
    """Counts the pictures a detector was shown."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "looked.txt"

    def detector(self, **options: Any) -> BoxDetector:
        self.path.write_text("")
        return BoxDetector(log=str(self.path), **options)

    @property
    def count(self) -> int:
        return len(self.path.read_text().splitlines())


@pytest.fixture
def looked(tmp_path: Path) -> Looked:
    return Looked(tmp_path)


def test_a_second_run_measures_only_what_is_new_failed_or_changed(
    drops: Path, tmp_path: Path, looked: Looked
) -> None:
    out = tmp_path / "out"
    (drops / "late.png").write_bytes(b"")
    measure_batch([drops], out, detector=looked.detector())
    assert looked.count == 3
    again = measure_batch([drops], out, detector=looked.detector())
    assert (looked.count, again.resumed) == (0, 3)
    save(drops / "late.png", picture(TWO))
    save(drops / "a.png", picture(TWO[:1]))
    result = measure_batch([drops], out, detector=looked.detector())
    assert (looked.count, result.resumed, result.failed) == (2, 2, 0)
    assert by_name(out)["a.png"]["crystals"] == "1"
    assert len(pl.read_parquet(out / "crystals.parquet")) == 1 + 1 + 2


@pytest.mark.parametrize(
    ("settings", "name"),
    [(Settings(min_score=0.4), "boxes"), (Settings(), "other weights")],
    ids=["argument", "model"],
)
def test_other_arguments_and_models_are_measured_anew(
    drops: Path, tmp_path: Path, looked: Looked, settings: Settings, name: str
) -> None:
    measure_batch([drops], tmp_path / "out", detector=looked.detector())
    measure_batch([drops], tmp_path / "out", settings=settings, detector=looked.detector(name=name))
    assert looked.count == 3


def test_threads_and_workers_do_not_matter_for_resuming(
    drops: Path, tmp_path: Path, looked: Looked
) -> None:
    measure_batch([drops], tmp_path / "out", detector=looked.detector())
    settings = Settings(threads=7)
    measure_batch([drops], tmp_path / "out", settings=settings, detector=looked.detector())
    assert looked.count == 0


def test_overwrite_measures_everything_anew(drops: Path, tmp_path: Path, looked: Looked) -> None:
    measure_batch([drops], tmp_path / "out", detector=looked.detector())
    measure_batch([drops], tmp_path / "out", overwrite=True, detector=looked.detector())
    assert looked.count == 3


def test_a_damaged_part_is_measured_anew(drops: Path, tmp_path: Path, looked: Looked) -> None:
    out = tmp_path / "out"
    measure_batch([drops], out, detector=looked.detector())
    for record in out.glob(".parts/*/000001.json"):
        record.write_text(record.read_text()[:40])
    measure_batch([drops], out, detector=looked.detector())
    assert looked.count == 3


def test_a_stopped_series_goes_on_within_the_file(tmp_path: Path, looked: Looked) -> None:
    path = tmp_path / "s.tif"
    tifffile.imwrite(
        path, np.stack([picture(TWO), picture(TWO[:1]), picture([])]), photometric="minisblack"
    )

    class Stops(BoxDetector):
        def __call__(self, micrograph: Any, progress: Any = None) -> Any:
            if micrograph.source.endswith("#3"):
                raise KeyboardInterrupt
            return super().__call__(micrograph, progress)

    with pytest.raises(KeyboardInterrupt):
        measure_batch([path], tmp_path / "out", detector=Stops())
    measure_batch([path], tmp_path / "out", detector=looked.detector())
    assert looked.count == 1
    assert list(by_name(tmp_path / "out")) == ["s.tif#1", "s.tif#2", "s.tif#3"]


def test_results_do_not_depend_on_the_number_of_workers(drops: Path, tmp_path: Path) -> None:
    for workers in (1, 2):
        out = tmp_path / str(workers)
        measure_batch([drops], out, workers=workers, detector=BoxDetector())
    for name in ("crystals.csv", "crystals.coco.json", "overlays/a.png"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_a_picture_that_kills_its_worker_fails_alone(drops: Path, tmp_path: Path) -> None:
    save(drops / "killer.png", picture(TWO, grey=66))
    out = tmp_path / "out"
    result = measure_batch([drops], out, workers=2, detector=BoxDetector(dies_at=66))
    assert (result.measured, result.failed) == (3, 1)
    assert "worker process died" in by_name(out)["killer.png"]["message"]


def test_a_detector_that_cannot_be_sent_to_workers_is_refused(drops: Path, tmp_path: Path) -> None:
    detector = BoxDetector()
    object.__setattr__(detector, "name", lambda: None)
    with pytest.raises(ArgumentError, match="use one worker"):
        measure_batch([drops], tmp_path / "out", workers=2, detector=detector)


def test_progress_tells_every_file_once(drops: Path, tmp_path: Path) -> None:
    events: list[BatchProgress] = []
    out = tmp_path / "out"
    measure_batch([drops], out, detector=BoxDetector(), on_progress=events.append)
    finished = [event for event in events if event.records]
    assert [(e.done, e.total) for e in finished] == [(1, 3), (2, 3), (3, 3)]
    assert {event.name for event in finished} == {"a.png", "empty.png", "sub/b.png"}
    assert all(0 <= event.share <= 1 for event in events)


def test_an_unexpected_error_of_one_picture_is_reported_as_ours(
    drops: Path, tmp_path: Path
) -> None:
    class Breaks(BoxDetector):
        def __call__(self, micrograph: Any, progress: Any = None) -> Any:
            if micrograph.source.endswith("a.png"):
                raise ZeroDivisionError("oh\nno")
            return super().__call__(micrograph, progress)

    result = measure_batch([drops], tmp_path / "out", detector=Breaks())
    assert (result.measured, result.failed) == (2, 1)
    assert "unexpected ZeroDivisionError: oh\\nno" in by_name(tmp_path / "out")["a.png"]["message"]


def test_folders_named_like_patterns_are_no_patterns(drops: Path, tmp_path: Path) -> None:
    out = tmp_path / "run [1] *"
    assert measure_batch([drops], out, detector=BoxDetector()).measured == 3
    assert len(pl.read_csv(out / "crystals.csv", glob=False)) == 3
    assert "3 crystals in 3 pictures" in (out / "report.html").read_text()


def test_nothing_to_measure_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="there is no picture in"):
        measure_batch([tmp_path], tmp_path / "out", detector=BoxDetector())
    with pytest.raises(ArgumentError, match="no pictures given"):
        measure_batch([], tmp_path / "out", detector=BoxDetector())


def test_a_file_as_result_folder_is_refused(drops: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(WriteError, match="is a file"):
        measure_batch([drops], tmp_path / "out", detector=BoxDetector())


def test_files_of_others_are_not_replaced_unasked(drops: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "crystals.csv").write_text("mine")
    with pytest.raises(WriteError, match=r"crystals\.csv, not written by an earlier run"):
        measure_batch([drops], out, detector=BoxDetector())
    assert (out / "crystals.csv").read_text() == "mine"
    measure_batch([drops], out, overwrite=True, detector=BoxDetector())
    assert (out / "crystals.csv").read_text() != "mine"


def test_results_inside_the_picture_folder_are_not_measured(drops: Path) -> None:
    for _ in range(2):
        result = measure_batch([drops], drops / "results", detector=BoxDetector())
        assert len(result.entries) == 3


def test_a_full_disk_stops_the_batch_and_leaves_nothing_half_written(
    drops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looked: Looked
) -> None:
    import errno
    import os

    out, replace = tmp_path / "out", os.replace

    def full(source: Any, target: Any) -> None:
        if str(target).endswith(".parquet") and list(out.glob(".parts/*/done.json")):
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(WriteError, match="the disk is full"):
            measure_batch([drops], out, detector=looked.detector())
    assert not list(out.rglob("*.part"))
    assert not (out / "images.csv").exists()
    result = measure_batch([drops], out, detector=looked.detector())
    assert (looked.count, result.resumed, result.measured) == (2, 1, 3)
