"""The sets that models are compared on: fixed seeds, shapes of their own, never trained on.

``pcs-val`` has two variants of the same scenes, ``clean`` and ``augmented``, as the validation set
of Bischoff et al. 2022 (doi 10.1007/s00216-022-04101-8) has. ``pcs-path`` holds other scenes of the
same statistics as a path tracer sees them (`crystalgauge.datasets.path_traced`),
``agglomerates-path`` agglomerates of two substances (`crystalgauge.datasets.agglomerates_path`).

Of protein crystals every one counts, as in the paper. The column ``fair`` says which ones a careful
observer could outline, the rule by which our trainings leave crystals out. Agglomerates have the
paper's classes, and ``ignore`` for crystals without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crystalgauge._version import __version__
from crystalgauge.core import ArgumentError
from crystalgauge.datasets.agglomerates_path import SHIPPED_AGGLOMERATES
from crystalgauge.datasets.benchmark_scenes import (
    LIBRARY_SEED,
    SIZE_PX,
    VALIDATION_SEED,
    all_count,
    benchmark_scene,
)
from crystalgauge.datasets.degraded import PAPER, degrade_picture
from crystalgauge.datasets.path_traced import SHIPPED, unpack
from crystalgauge.datasets.synthetic import judge
from crystalgauge.datasets.writer import TRUTH_FILE, write_pictures
from crystalgauge.render.renderer import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from crystalgauge.render.truth import Truth

SetName = Literal["pcs-val", "pcs-path", "agglomerates-path"]

VARIANTS: dict[str, tuple[str, ...]] = {
    "pcs-val": ("clean", "augmented"),
    "pcs-path": ("path-traced",),
    "agglomerates-path": tuple(name.replace(" ", "-") for name in SHIPPED_AGGLOMERATES),
}
"""Folders that each set writes."""

SHIPPED_FILES = {"pcs-path": (SHIPPED,), "agglomerates-path": tuple(SHIPPED_AGGLOMERATES.values())}
"""Of sets that are not rendered but unpacked, one a folder."""

PICTURES = 1000
"""Pictures of each variant of ``pcs-val`` unless told otherwise; the authors have 10 000."""


@dataclass(frozen=True)
class ValidationPictures:
    """Pictures of ``pcs-val`` by number.

    Parameters
    ----------
    augmented
        With the degradations of the paper's augmented set.
    size
        Edge in px.
    """

    augmented: bool
    size: int = SIZE_PX

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides their bytes."""
        return {
            "set": "pcs-val", "variant": "augmented" if self.augmented else "clean",
            "seed": VALIDATION_SEED, "library_seed": LIBRARY_SEED, "size": self.size,
            "version": __version__,
        }  # fmt: skip

    def __call__(self, index: int) -> tuple[NDArray[np.uint8], Truth]:
        """Make picture number `index`; both variants show the same scene."""
        scene = benchmark_scene(VALIDATION_SEED, index, (self.size, self.size))
        micrograph, truth = render(scene)
        pixels, truth = micrograph.pixels, judge(truth, scene)
        if self.augmented:
            chance = np.random.default_rng((VALIDATION_SEED, index, 1))
            pixels, truth = degrade_picture(pixels, truth, chance, PAPER)
        return pixels, all_count(truth)


def write_benchmark(
    name: SetName,
    out: str | Path,
    n: int | None = None,
    *,
    size: int = SIZE_PX,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write a set as pictures with COCO truth, one folder a variant; what is there is kept.

    Parameters
    ----------
    name
        Of the set.
    out
        Folder; it may hold all sets.
    n
        The first so many pictures of each variant; `PICTURES`, or all that are shipped, by
        default.
    size
        Edge of the pictures of ``pcs-val`` in px; figures of other sizes are those of other sets.
    workers
        Processes that render.
    progress
        Called with pictures done and in all, over all variants.

    Returns
    -------
    list of Path
        The files of truth, in the order of `VARIANTS`.

    Raises
    ------
    ArgumentError
        When the set is unknown, `n` is out of range, or a folder holds something else.
    ReadError
        When the path-traced pictures are not part of this installation.
    """
    if name not in VARIANTS:
        raise ArgumentError(f"unknown set {name!r}; known are {', '.join(VARIANTS)}")
    if n is not None and n < 1:
        raise ArgumentError(f"a set has at least one picture, got {n}")
    folders = [Path(out) / variant for variant in VARIANTS[name]]
    if name in SHIPPED_FILES:
        for file, folder in zip(SHIPPED_FILES[name], folders, strict=True):
            unpack(file, folder, n, progress=progress)
        return [folder / TRUTH_FILE for folder in folders]
    count, truths = n or PICTURES, []
    for place, folder in enumerate(folders):

        def report(done: int, total: int, before: int = place * count) -> None:
            if progress:
                progress(before + done, len(folders) * total)

        source = ValidationPictures(folder.name == "augmented", size)
        truths.append(write_pictures(folder, count, source, workers=workers, progress=report))
    return truths
