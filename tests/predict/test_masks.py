"""Outlines of a whole picture from a network with masks."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from crystalgauge.core import Micrograph
from crystalgauge.models.yolo12_seg import Yolo12SegConfig
from crystalgauge.models.yolo12_seg.targets import build_targets, ideal_outputs
from crystalgauge.predict.masks import find_masks
from crystalgauge.predict.normalise import measure_intensity

CRYSTALS = np.array(
    [[(20, 24), (60, 24), (60, 70), (20, 70)], [(80, 40), (120, 50), (110, 90), (76, 84)]], float
)


class Perfect:
    """Says where the crystals are, whatever it is shown."""

    name = "perfect"

    def outputs(self, image: np.ndarray) -> list[np.ndarray]:
        shape = (image.shape[1], image.shape[2])
        targets = build_targets(
            CRYSTALS.reshape(-1, 2), np.array([0, 4, 8]), np.ones(2, bool), np.array([1, 0]), shape
        )
        return list(ideal_outputs(targets, shape, Yolo12SegConfig()))


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_outlines_are_those_of_the_picture_at_any_scale(scale: float) -> None:
    size = tuple(round(edge / scale) for edge in (120, 150))  # padded to multiples of 32
    picture = Micrograph(np.random.default_rng(0).integers(0, 255, size).astype(np.uint8))
    found = find_masks(
        Perfect(), picture, measure_intensity(picture), (scale,), threshold=0.1
    ).to_crystals()
    assert len(found) == 2
    order = np.argsort(found["label"])[::-1]
    for outline, line in zip(found.outlines[order], CRYSTALS, strict=True):
        true = shapely.Polygon(line / scale)
        assert outline.intersection(true).area / outline.union(true).area > 0.9
    assert np.isnan(found["defocus_px"]).all()


def test_two_scales_say_one_crystal_once() -> None:
    picture = Micrograph(np.random.default_rng(0).integers(0, 255, (128, 160)).astype(np.uint8))

    class Scaled(Perfect):
        def outputs(self, image: np.ndarray) -> list[np.ndarray]:
            return (
                super().outputs(image)
                if image.shape[2] == 160
                else [np.full_like(part, -20.0) for part in super().outputs(image)]
            )

    seen = measure_intensity(picture)
    found = find_masks(Scaled(), picture, seen, (1.0, 0.5), threshold=0.1)
    assert len(found) == 2
    again = find_masks(Perfect(), picture, seen, (1.0, 1.0), threshold=0.1)
    assert len(again) == 2
