from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from crystalgauge.core import AnnotationError, ArgumentError
from crystalgauge.datasets import sample_picture, write_dataset, writer

if TYPE_CHECKING:
    from pathlib import Path


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    write_dataset(folder, 6, size=96, seed=3)
    return folder


def test_the_number_of_workers_changes_no_byte(whole: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path, 6, size=96, seed=3, workers=2)
    assert contents(tmp_path) == contents(whole)


def test_a_stopped_run_goes_on(whole: Path, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise Stopped

    with pytest.raises(Stopped):
        write_dataset(tmp_path, 6, size=96, seed=3, progress=stop)
    assert not (tmp_path / "truth.coco.json").exists()
    seen: list[int] = []
    write_dataset(tmp_path, 6, size=96, seed=3, progress=lambda done, total: seen.append(done))
    assert seen == [3, 4, 5, 6]
    assert contents(tmp_path) == contents(whole)


def test_more_pictures_are_added_and_lost_ones_made_again(whole: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path, 4, size=96, seed=3)
    (tmp_path / "images" / "000001.png").unlink()
    write_dataset(tmp_path, 6, size=96, seed=3)
    assert contents(tmp_path) == contents(whole)


def test_other_settings_are_not_mixed_in(whole: Path) -> None:
    with pytest.raises(ArgumentError, match="other settings"):
        write_dataset(whole, 6, size=96, seed=4)


def test_a_damaged_truth_is_named(tmp_path: Path) -> None:
    (tmp_path / "truth.coco.json").write_text("{")
    with pytest.raises(AnnotationError, match=r"truth\.coco\.json.*is damaged"):
        write_dataset(tmp_path, 1, size=64)


@pytest.mark.parametrize("bad", [{"n": 0}, {"size": 8}, {"seed": -1}, {"workers": 0}])
def test_arguments_out_of_range_are_refused(tmp_path: Path, bad: dict[str, int]) -> None:
    arguments = {"n": 1, "size": 64, "seed": 0, "workers": 1, **bad}
    with pytest.raises(ArgumentError, match=next(iter(bad))):
        write_dataset(tmp_path, arguments.pop("n"), **arguments)


def test_truth_tells_what_the_pictures_hold(whole: Path) -> None:
    document = json.loads((whole / "truth.coco.json").read_text())
    assert [image["file_name"] for image in document["images"]][:2] == [
        "images/000000.png", "images/000001.png",
    ]  # fmt: skip
    ids = [annotation["id"] for annotation in document["annotations"]]
    assert ids == list(range(1, len(ids) + 1))
    for index, image in enumerate(document["images"]):
        _, truth = sample_picture(3, index, size=96)
        own = [a for a in document["annotations"] if a["image_id"] == image["id"]]
        assert len(own) == len(truth.crystals)
        assert len(image["contacts"]) == len(truth.contacts)
        own_ids = {a["id"] for a in own}
        assert all(set(pair) <= own_ids for pair in image["contacts"])
        for annotation, area in zip(own, truth.crystals.area_px2, strict=True):
            assert annotation["area"] == pytest.approx(area, abs=1e-3)
            corners = np.reshape(annotation["segmentation"][0], (-1, 2))
            x, y, length, width, angle = annotation["obb"]
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            reach = np.abs((corners - (x, y)) @ turn)
            # rounded to 0.001 px
            np.testing.assert_allclose(reach.max(axis=0), (length / 2, width / 2), atol=0.004)


def test_large_sets_are_cut_and_keep_their_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "PICTURES_PER_SET", 2)
    seen: list[tuple[int, int]] = []
    truths = writer.write_large_dataset(
        tmp_path / "cut", 5, size=48, seed=3, regime="blank",
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert [path.parent.name for path in truths] == ["set-0000", "set-0001", "set-0002"]
    assert seen[-1] == (5, 5)
    monkeypatch.setattr(writer, "PICTURES_PER_SET", 10)
    (whole,) = writer.write_large_dataset(tmp_path / "whole", 5, size=48, seed=3, regime="blank")
    for index in range(5):
        cut = truths[index // 2].parent / "images" / f"{index % 2:06d}.png"
        assert cut.read_bytes() == (whole.parent / "images" / f"{index:06d}.png").read_bytes()
    with pytest.raises(ArgumentError, match="other settings"):
        writer.write_dataset(truths[0].parent, 2, size=48, seed=3, regime="blank", first=2)
