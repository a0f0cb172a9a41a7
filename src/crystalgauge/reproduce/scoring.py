"""A model on the benchmark sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crystalgauge.io import read_micrograph
from crystalgauge.io.annotations import read_annotations
from crystalgauge.metrics import EvaluationPair, as_oriented_boxes, evaluate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crystalgauge.core import Crystals
    from crystalgauge.predict import Predictor

LEAST_SCORE = 0.05
"""Finds below are not read; published for S2A-Net. Their number is not limited."""

FIGURES = (
    "ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "n_pictures", "n_truth",
    "n_prediction",
)  # fmt: skip
"""Of `crystalgauge.metrics.Evaluation`."""

Figures = dict[str, float | int | None]


@dataclass(frozen=True, eq=False)
class BenchmarkPicture:
    """A picture of a set.

    Parameters
    ----------
    path
        The picture.
    truth
        Its crystals, with the column ``fair``.
    """

    path: Path
    truth: Crystals


def read_set(truth: Path) -> list[BenchmarkPicture]:
    """Return the pictures of a set.

    Parameters
    ----------
    truth
        A file of `crystalgauge.datasets.benchmark_sets.write_benchmark`.
    """
    return [
        BenchmarkPicture(truth.parent / picture.file_name, picture.crystals)
        for picture in read_annotations(truth)
    ]


def find_all(
    predictor: Predictor,
    pictures: list[BenchmarkPicture],
    progress: Callable[[float], None] | None = None,
) -> list[Crystals]:
    """Return what a model finds in every picture.

    Parameters
    ----------
    predictor
        Ready to be called.
    pictures
        Read one at a time.
    progress
        Called with the share done.
    """
    found = []
    for done, picture in enumerate(pictures, start=1):
        found.append(predictor(read_micrograph(picture.path)).crystals)
        if progress:
            progress(done / len(pictures))
    return found


def score(
    pictures: list[BenchmarkPicture], found: list[Crystals], *, outlines: bool
) -> dict[str, Figures]:
    """Return COCO's figures by what is compared: ``boxes`` and ``outlines``, each also ``fair``.

    ``boxes`` are the oriented boxes of least area, every crystal counts, as in the paper. In the
    ``fair`` figures crystals that cannot be made out count neither way.

    Parameters
    ----------
    pictures
        With truth.
    found
        One table a picture, with ``score``.
    outlines
        Whether what was found has outlines to compare.
    """
    pairs = [
        EvaluationPair(picture.truth, finds) for picture, finds in zip(pictures, found, strict=True)
    ]
    kinds = {"boxes": [_boxed(pair) for pair in pairs], **({"outlines": pairs} if outlines else {})}
    scores: dict[str, Figures] = {}
    for kind, both in kinds.items():
        scores[kind] = _figures([_asking(pair, everything=True) for pair in both])
        scores[f"{kind} fair"] = _figures([_asking(pair, everything=False) for pair in both])
    return scores


def _boxed(pair: EvaluationPair) -> EvaluationPair:
    return EvaluationPair(as_oriented_boxes(pair.truth), as_oriented_boxes(pair.prediction))


def _asking(pair: EvaluationPair, *, everything: bool) -> EvaluationPair:
    """Ask for all crystals or for the fair ones."""
    truth = pair.truth
    if not len(truth):
        return pair
    fair = truth["fair"].astype(bool)
    return EvaluationPair(truth.with_columns(ignore=~fair & (not everything)), pair.prediction)


def _figures(pairs: list[EvaluationPair]) -> Figures:
    every = evaluate(pairs).as_dict()
    return {name: every[name] for name in FIGURES}
