"""A user's own annotated pictures as samples."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.core import AnnotationError, Crystals, ReadError
from crystalgauge.datasets.shards import Sample, sample_of
from crystalgauge.io import read_micrograph
from crystalgauge.io.annotations import read_annotations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crystalgauge.datasets.shards import Samples
    from crystalgauge.io.annotations import AnnotatedPicture

logger = logging.getLogger(__name__)

HELD_OUT = 5
"""Every fifth picture is kept for validation."""


class Interleaved:
    """Two sources in turn, the shorter one repeated.

    Fine-tuning on a handful of pictures alone forgets what the scenes taught.

    Parameters
    ----------
    first, second
        Samples; neither may be empty.
    """

    def __init__(self, first: Samples, second: Samples) -> None:
        self.first, self.second = first, second

    def __len__(self) -> int:
        return 2 * max(len(self.first), len(self.second))

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        source = self.second if index % 2 else self.first
        return source[(index // 2) % len(source)]


def read_samples(annotations: str | Path, *, least_edge: int) -> list[Sample]:
    """Read annotated pictures.

    Parameters
    ----------
    annotations
        Any format that `crystalgauge.io.annotations` reads; pictures lie beside it, in a folder
        ``images`` beside it, or where their names say.
    least_edge
        Smaller pictures are padded to this edge, in px.

    Raises
    ------
    AnnotationError
        When no crystal is annotated.
    ReadError
        When a picture is missing or cannot be read.
    """
    path = Path(annotations)
    samples = [_sample(picture, path, least_edge) for picture in read_annotations(path)]
    if not any(sample.asked.any() for sample in samples):
        raise AnnotationError(
            f"{path} holds no crystal to learn from: outlines are missing or all marked ignore"
        )
    return samples


def _find(name: str, annotations: Path) -> Path:
    folder = annotations if annotations.is_dir() else annotations.parent
    for candidate in (
        folder / name,
        folder / "images" / name,
        folder / Path(name).name,
        Path(name),
    ):
        if candidate.is_file():
            return candidate
    raise ReadError(
        f"the picture {name} named in {annotations} was not found; put it into {folder} or "
        f"{folder / 'images'}"
    )


def _sample(picture: AnnotatedPicture, annotations: Path, least_edge: int) -> Sample:
    micrograph = read_micrograph(_find(picture.file_name, annotations))
    crystals = picture.crystals
    unclear = np.zeros(len(crystals), bool)
    for column in ("ignore", "is_cluster", "iscrowd"):
        if column in crystals:
            unclear |= crystals[column].astype(bool)
    crystals = Crystals(_largest_parts(crystals.outlines), {"ignore": unclear})
    grey = micrograph.grey()
    if picture.region is not None:
        x, y, width, height = (round(v) for v in picture.region)
        grey = grey[y : y + height, x : x + width]
        crystals = _inside(crystals.transformed(offset=(-x, -y)), width, height)
    bottom, right = (max(0, least_edge - edge) for edge in grey.shape)
    if bottom or right:
        grey = np.pad(grey, ((0, bottom), (0, right)), mode="median")
    return sample_of(np.ascontiguousarray(grey), crystals)


def _largest_parts(outlines: NDArray[Any]) -> NDArray[Any]:
    """Return one polygon for each outline: a crystal that another one cuts in two is still one."""
    whole = np.empty(len(outlines), dtype=object)
    for row, outline in enumerate(outlines):
        parts = getattr(outline, "geoms", [outline])
        whole[row] = max(parts, key=lambda part: part.area)
    return whole


def _inside(crystals: Crystals, width: int, height: int) -> Crystals:
    """Keep what touches a window; what lies mostly outside of it is not asked for."""
    shares = shapely.area(shapely.clip_by_rect(crystals.outlines, 0, 0, width, height))
    shares = shares / np.maximum(crystals.area_px2, 1e-9)
    kept = crystals.take(shares > 0)
    return kept.with_columns(ignore=kept["ignore"] | (shares[shares > 0] < 0.5))


def split_samples(samples: Sequence[Sample]) -> tuple[list[Sample], list[Sample]]:
    """Hold every fifth picture out for validation.

    Parameters
    ----------
    samples
        With fewer than five pictures all are trained on and validated on, and a warning says so.
    """
    if len(samples) < HELD_OUT:
        logger.warning(
            "%d pictures are too few to hold any out: the validation scores are those of the "
            "training pictures and flatter the model", len(samples),
        )  # fmt: skip
        return list(samples), list(samples)
    held = [s for i, s in enumerate(samples) if i % HELD_OUT == HELD_OUT - 1]
    kept = [s for i, s in enumerate(samples) if i % HELD_OUT != HELD_OUT - 1]
    return kept, held
