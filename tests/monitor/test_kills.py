"""A watching process that is killed at any moment loses nothing and doubles nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tifffile
from box_detector import BoxDetector, picture, save

from crystalgauge.monitor import watch
from crystalgauge.monitor.store import Store

if TYPE_CHECKING:
    import polars as pl

DRIVER = Path(__file__).with_name("kill_often.py")
FIRST_TIME_S = 1_700_000_000


def arrivals(folder: Path, number: int) -> None:
    """Write pictures, and among them series, duplicates and damaged files."""
    folder.mkdir()
    for index in range(number):
        boxes = [(5, 3, 10 + index % 60, 12), (5, 30, 10 + index // 60, 12)]
        path = folder / f"{index:05d}.tif"
        if index % 10 == 4:
            pages = [picture(boxes, grey=40 + page) for page in range(3)]
            tifffile.imwrite(path, pages, photometric="minisblack")
        elif index % 10 == 7:
            shutil.copy(folder / f"{index - 3:05d}.tif", path)
        elif index % 10 == 9:
            path.write_bytes(b"no picture %d" % index)
        else:
            save(path, picture(boxes, grey=30))
        os.utime(path, (FIRST_TIME_S + 60 * index,) * 2)


def content(store: str, folder: Path) -> dict[str, Any]:
    """Return all that a store says of the pictures, free of when and in what order it was told."""
    opened = Store(store)
    pictures = opened.pictures()
    columns = ["crystal_id", "equivalent_diameter_px", "centroid_x_px", "score"]
    crystals = opened.crystals(columns, whole=False)
    files = [
        (Path(f.key).name, f.sha256, f.status, f.stamp.size, f.stamp.mtime_ns)
        for f in opened.files()
    ]
    opened.close()
    drop = {"id", "seconds", "provenance_id", "path"}  # the path is compared by its name
    keys = pictures.select("id", "content_sha256", "page")
    joined: pl.DataFrame = crystals.join(keys, left_on="picture_id", right_on="id")
    rows = pictures.select(sorted(set(pictures.columns) - drop)).to_dicts()
    return {
        "pictures": sorted(rows, key=lambda row: (row["content_sha256"], row["page"])),
        "names": sorted(Path(path).name for path in pictures["path"]),
        "crystals": sorted(joined.drop("picture_id").rows()),
        "files": sorted(files),
    }


def compare_with_clean_run(tmp_path: Path, database: str, kills: int, number: int) -> None:
    arrivals(tmp_path / "coming", number)
    shutil.copytree(tmp_path / "coming", tmp_path / "clean")
    (tmp_path / "in").mkdir()
    words = [tmp_path / "in", tmp_path / "coming", database, kills, 7]
    done = subprocess.run(
        [sys.executable, str(DRIVER), *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    killed, finished = map(int, done.stdout.split())
    assert killed == kills
    assert finished >= number // 20, "hardly a file was finished before a kill"
    clean = f"sqlite:///{tmp_path}/clean.db"
    for _record in watch(tmp_path / "clean", clean, detector=BoxDetector(), once=True, settle_s=0):
        pass
    expected, found = content(clean, tmp_path / "clean"), content(database, tmp_path / "in")
    assert len(expected["files"]) == number
    assert len(expected["pictures"]) == number - number // 10 * 2 + 2 * (number // 10)
    for name, rows in expected.items():
        assert found[name] == rows, name


def test_a_few_kills(tmp_path: Path) -> None:
    compare_with_clean_run(tmp_path, f"sqlite:///{tmp_path}/run.db", 5, 20)


@pytest.mark.slow
def test_two_hundred_kills(tmp_path: Path, database: str) -> None:
    compare_with_clean_run(tmp_path, database, 200, 600)
