"""Figures of Tables I and II: classes and outlines of what was found beside the truth.

The paper's masks are the same for Yolo-segmentation and for both contrasts on top of it, yet F1,
IoU, AP and recall differ: there a find is right when outline and class are. So here. Where the
paper does not say how it counts, all pictures and both classes are counted together.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import shapely

from crystalgauge.agglomeration.examples import OTHER_LIBRARY
from crystalgauge.agglomeration.labels import paper_classes
from crystalgauge.core import Micrograph
from crystalgauge.datasets.agglomerates_path import SHIPPED_AGGLOMERATES, agglomerates_scene
from crystalgauge.datasets.path_traced import read_packed
from crystalgauge.metrics import EvaluationPair, evaluate, match_one_to_one, picture_overlap
from crystalgauge.render.renderer import render
from crystalgauge.scenes.agglomerates import PICTURES, sample_scene

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from crystalgauge.core import Crystals

TEST_SEED = 93
"""Of the test pictures; no training, validation or fit has it."""

TEST_LIBRARY = OTHER_LIBRARY
"""Seed of the shapes, none of which was trained on."""


@dataclass(frozen=True, eq=False)
class KnownPicture:
    """A picture with the classes of its crystals.

    Parameters
    ----------
    micrograph
        The picture.
    truth
        Its crystals; ``ignore`` for those without a class.
    agglomerated
        ``(N,)`` their classes.
    """

    micrograph: Micrograph
    truth: Crystals
    agglomerated: NDArray[np.bool_]


@dataclass(frozen=True)
class Figures:
    """Of a set of pictures, 0 to 1, NaN where there is nothing to judge.

    Parameters
    ----------
    acc
        Of the outlines that match a crystal (IoU above 0.5), the share with the right class.
    acc_all
        The same when every outline is called agglomerated: the share of those that are.
    f1, precision, recall
        Of outlines whose class is right too; precision is what the paper's AP must be, a "predicted
        instance accurate ratio".
    iou
        Pixels of the same class in truth and finds over those of a class in either.
    ap50, found
        Average precision of COCO, and recall, of outlines whatever their class.
    n_truth, n_found, n_matched
        Crystals with a class, outlines that count, and matches.
    """

    acc: float
    acc_all: float
    f1: float
    precision: float
    recall: float
    iou: float
    ap50: float
    found: float
    n_truth: int
    n_found: int
    n_matched: int

    def as_dict(self) -> dict[str, float | int | None]:
        """Return the figures by name, None for NaN, as JSON wants them."""
        return {k: None if np.isnan(v) else v for k, v in asdict(self).items()}


def known_pictures(
    substance: str, count: int, progress: Callable[[float], None] | None = None
) -> list[KnownPicture]:
    """Render a test set.

    Parameters
    ----------
    substance
        A key of `crystalgauge.scenes.agglomerates.PICTURES`.
    count
        Number of pictures; number i does not depend on it.
    progress
        Called with the share done.
    """
    shape, config = PICTURES[substance]
    config = replace(config, library_seed=TEST_LIBRARY)
    pictures = []
    for index in range(count):
        scene = sample_scene(np.random.default_rng((TEST_SEED, index)), shape, config)
        micrograph, truth = render(scene)
        classes = paper_classes(truth)
        crystals = truth.crystals.with_columns(ignore=~classes.judged)
        pictures.append(KnownPicture(micrograph, crystals, classes.agglomerated))
        if progress:
            progress((index + 1) / count)
    return pictures


def path_traced_pictures(substance: str, most: int) -> list[KnownPicture]:
    """Return the shipped pictures of ``agglomerates-path``.

    Parameters
    ----------
    substance
        A key of `crystalgauge.scenes.agglomerates.PICTURES`.
    most
        The first so many.

    Raises
    ------
    ReadError
        When they are not part of this installation.
    """
    pictures, _ = read_packed(SHIPPED_AGGLOMERATES[substance])
    return [
        KnownPicture(Micrograph(p.pixels), p.crystals, p.crystals["agglomerated"].astype(bool))
        for p in pictures[:most]
    ]


def rendered_again(substance: str, path_traced: Sequence[KnownPicture]) -> list[KnownPicture]:
    """Return the scenes of path-traced pictures as our own renderer shows them.

    Parameters
    ----------
    substance
        Of the pictures.
    path_traced
        From `path_traced_pictures`.
    """
    return [
        replace(picture, micrograph=render(agglomerates_scene(substance, index))[0])
        for index, picture in enumerate(path_traced)
    ]


def score_classes(
    pictures: Sequence[KnownPicture],
    found: Sequence[Crystals],
    agglomerated: Sequence[NDArray[np.bool_]],
) -> Figures:
    """Compare finds with the truth.

    Parameters
    ----------
    pictures
        The set.
    found
        Outlines of each picture, with ``score`` where they have one.
    agglomerated
        The class of each outline.
    """
    right = matched = joined = counted = asked = shared = united = 0
    for picture, crystals, said in zip(pictures, found, agglomerated, strict=True):
        match = match_one_to_one(picture_overlap(picture.truth, crystals))
        true = picture.agglomerated[match.truth_of[match.is_true]]
        right += int((true == said[match.is_true]).sum())
        matched += int(match.is_true.sum())
        joined += int(true.sum())
        counted += int((match.is_true | match.is_false).sum())
        asked += int((~picture.truth["ignore"]).sum())
        inner, outer = _class_pixels(picture, crystals, said, match.is_true | match.is_false)
        shared, united = shared + inner, united + outer
    pairs = [EvaluationPair(p.truth, f) for p, f in zip(pictures, found, strict=True)]
    return Figures(
        acc=_ratio(right, matched),
        acc_all=_ratio(joined, matched),
        f1=_ratio(2 * right, counted + asked),
        precision=_ratio(right, counted),
        recall=_ratio(right, asked),
        iou=_ratio(shared, united),
        ap50=evaluate(pairs).ap50,
        found=_ratio(matched, asked),
        n_truth=asked,
        n_found=counted,
        n_matched=matched,
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _class_pixels(
    picture: KnownPicture, found: Crystals, said: NDArray[np.bool_], counts: NDArray[np.bool_]
) -> tuple[int, int]:
    """Return the pixels of one class in both and of a class in either, where truth has classes."""
    shape = picture.micrograph.shape
    asked = ~picture.truth["ignore"].astype(bool)
    nobody = painted(picture.truth.outlines[~asked], shape)
    shared = united = 0
    for kind in (False, True):
        true = painted(picture.truth.outlines[asked & (picture.agglomerated == kind)], shape)
        mine = painted(found.outlines[counts & (said == kind)], shape)
        mine &= true | ~nobody
        shared += int((true & mine).sum())
        united += int((true | mine).sum())
    return shared, united


def painted(outlines: NDArray[np.object_], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return ``(H, W)`` the pixels within any of some outlines.

    Parameters
    ----------
    outlines
        Polygons, px; holes are filled.
    shape
        Height and width, px.
    """
    canvas = np.zeros(shape, np.uint8)
    for outline in outlines:
        for part in getattr(outline, "geoms", [outline]):
            line = shapely.get_coordinates(part.exterior) if not part.is_empty else None
            if line is not None:
                fixed = np.round((line - 0.5) * 16).astype(np.int32)
                cv2.fillPoly(canvas, [fixed], 1, shift=4)
    return canvas.astype(bool)
