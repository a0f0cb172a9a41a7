"""A user's pictures become samples: regions, ignored crystals, padding, missing files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import shapely

pytest.importorskip("torch", reason="training needs the extra `train`")

from crystalgauge.core import AnnotationError, Crystals, ReadError
from crystalgauge.io.annotations import AnnotatedPicture, write_annotations
from crystalgauge.train.annotated import Interleaved, read_samples, split_samples

if TYPE_CHECKING:
    from pathlib import Path


def annotate(
    folder: Path, ignore: tuple[bool, bool] = (False, False), region: tuple | None = None
) -> Path:
    pixels = np.full((120, 160), 200, np.uint8)
    pixels[20:60, 30:70] = 90
    pixels[80:110, 100:150] = 60
    cv2.imwrite(str(folder / "drop.png"), pixels)
    outlines = np.array([shapely.box(30, 20, 70, 60), shapely.box(100, 80, 150, 110)])
    crystals = Crystals(outlines, {"ignore": np.array(ignore)})
    picture = AnnotatedPicture("drop.png", (120, 160), crystals, region)
    write_annotations(folder / "truth.coco.json", [picture], "coco")
    return folder / "truth.coco.json"


def test_outlines_lie_on_the_pixels(tmp_path: Path) -> None:
    (sample,) = read_samples(annotate(tmp_path), least_edge=64)
    x, y = sample.points[: sample.offsets[1]].T
    inside = sample.image[int(y.min()) : int(y.max()), int(x.min()) : int(x.max())]
    assert (inside == 90).all()
    assert np.isnan(sample.defocus_px).all()  # nobody outlined the blur


def test_regions_cut_and_silence(tmp_path: Path) -> None:
    path = annotate(tmp_path, region=(20.0, 10.0, 100.0, 90.0))
    (sample,) = read_samples(path, least_edge=64)
    assert sample.image.shape == (90, 100)
    assert sample.asked.tolist() == [True, False]  # the second lies mostly outside
    assert sample.points.min(0).tolist() == [10.0, 10.0]


def test_small_pictures_are_padded(tmp_path: Path) -> None:
    (sample,) = read_samples(annotate(tmp_path), least_edge=256)
    assert sample.image.shape == (256, 256)


def test_nothing_to_learn_from_is_said(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="no crystal to learn from"):
        read_samples(annotate(tmp_path, ignore=(True, True)), least_edge=64)


def test_missing_pictures_are_named(tmp_path: Path) -> None:
    path = annotate(tmp_path)
    (tmp_path / "drop.png").unlink()
    with pytest.raises(ReadError, match=r"the picture drop\.png named in"):
        read_samples(path, least_edge=64)


def test_every_fifth_picture_is_held_out(tmp_path: Path) -> None:
    (sample,) = read_samples(annotate(tmp_path), least_edge=64)
    kept, held = split_samples([sample] * 11)
    assert (len(kept), len(held)) == (9, 2)
    kept, held = split_samples([sample] * 3)
    assert (len(kept), len(held)) == (3, 3)


def test_two_sources_in_turn(tmp_path: Path) -> None:
    (sample,) = read_samples(annotate(tmp_path), least_edge=64)
    (other,) = read_samples(annotate(tmp_path), least_edge=256)
    mixed = Interleaved([sample], [other, other, other])
    assert [mixed[i].image.shape[0] for i in range(len(mixed))] == [120, 256] * 3
    with pytest.raises(IndexError):
        mixed[6]
