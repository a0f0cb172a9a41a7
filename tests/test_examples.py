"""The pictures of examples/ are what its README says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
import shapely

from crystalgauge.io import find_pictures, read_micrograph
from crystalgauge.io.annotations import AnnotatedPicture, read_annotations

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

NAMES = ["calibrated.ome.tif", "empty_well.jpg", "fine.jpg", "needles.png", "prisms.jpg"]


@pytest.fixture(scope="module")
def truth(examples: Path) -> dict[str, AnnotatedPicture]:
    pictures = read_annotations(examples / "truth.coco.json")
    return {picture.file_name: picture for picture in pictures}


def test_all_are_found_listed_and_small(examples: Path, truth: dict[str, AnnotatedPicture]) -> None:
    assert [path.name for path in find_pictures([examples]).paths] == NAMES
    assert sorted(truth) == NAMES
    assert sum(path.stat().st_size for path in examples.iterdir() if path.is_file()) < 1.5e6


def mean_slope(
    grey: NDArray[np.float32], outlines: NDArray[Any], shift_px: tuple[float, float]
) -> float:
    """Return the mean slope of grey along outlines moved by a distance in x and y."""
    slope = np.hypot(*np.gradient(cv2.GaussianBlur(grey, (0, 0), 1.0)))
    rings = shapely.segmentize(shapely.get_exterior_ring(outlines), 1.0)
    columns, rows = np.floor(shapely.get_coordinates(rings) + np.asarray(shift_px)).astype(int).T
    inside = (rows >= 0) & (columns >= 0) & (rows < grey.shape[0]) & (columns < grey.shape[1])
    return float(slope[rows[inside], columns[inside]].mean())


@pytest.mark.parametrize("name", [name for name in NAMES if name != "empty_well.jpg"])
def test_truth_fits_the_picture(
    name: str, examples: Path, truth: dict[str, AnnotatedPicture]
) -> None:
    micrograph, crystals = read_micrograph(examples / name), truth[name].crystals
    assert micrograph.shape == truth[name].shape
    asked = crystals.take(~crystals["ignore"].astype(bool))
    assert len(asked) > 15
    grey, outlines = micrograph.grey(), asked.outlines
    here = mean_slope(grey, outlines, (0, 0))
    # the light changes at the outlines, less so one px beside them, and much less five px away
    beside = [mean_slope(grey, outlines, shift) for shift in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    assert here > 1.02 * max(beside)
    assert here > 1.5 * mean_slope(grey, outlines, (5, 0))


def test_only_the_tiff_is_calibrated(examples: Path) -> None:
    sizes = {name: read_micrograph(examples / name).calibration for name in NAMES}
    known = sizes.pop("calibrated.ome.tif")
    assert known is not None
    assert known.pixel_size_um == pytest.approx(0.65)
    assert known.origin == "metadata"
    assert set(sizes.values()) == {None}


def test_the_well_is_empty(truth: dict[str, AnnotatedPicture]) -> None:
    assert len(truth["empty_well.jpg"].crystals) == 0


def test_colour_and_grey_are_both_there(examples: Path) -> None:
    dimensions = {name: read_micrograph(examples / name).pixels.ndim for name in NAMES}
    assert dimensions["prisms.jpg"] == 3
    assert dimensions["needles.png"] == 2
