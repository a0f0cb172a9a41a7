"""Average precision of COCO, over outlines, without a cap on the number of predictions.

Lin et al., *Microsoft COCO: Common Objects in Context*, ECCV 2014; the reference implementation is
pycocotools, which allows 100 predictions a picture. A field of crystals holds thousands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crystalgauge.metrics.matching import Matches, PictureOverlap

IOU_THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""The ten intersections over union that AP averages over."""

_RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, eq=False)
class Ranking:
    """The predictions of all pictures that count, best first, and how many truths there are.

    Parameters
    ----------
    score
        ``(R,)`` scores, descending.
    is_true
        ``(R,)`` whether the prediction found a crystal.
    n_truth
        Crystals to be found.
    """

    score: NDArray[np.float64]
    is_true: NDArray[np.bool_]
    n_truth: int

    @property
    def recall(self) -> NDArray[np.float64]:
        """``(R,)`` part of the crystals found by the predictions down to each."""
        return np.cumsum(self.is_true) / max(self.n_truth, 1)

    @property
    def precision(self) -> NDArray[np.float64]:
        """``(R,)`` part of the predictions down to each that are true."""
        return np.cumsum(self.is_true) / np.arange(1, len(self.is_true) + 1)


@dataclass(frozen=True)
class OperatingPoint:
    """Figures of the predictions from a score upwards, at one intersection over union.

    Parameters
    ----------
    score
        Least score.
    precision
        True among the predictions, NaN when there are none.
    recall
        Found among the crystals, NaN when there are none.
    f1
        ``2 TP / (2 TP + FP + FN)``, NaN when there is neither.
    """

    score: float
    precision: float
    recall: float
    f1: float


def rank(
    pictures: Sequence[PictureOverlap],
    matches: Sequence[Matches],
    truth_subsets: Sequence[NDArray[np.bool_]] | None = None,
) -> Ranking:
    """Merge the matches of pictures into one list by score.

    Parameters
    ----------
    pictures, matches
        One of each per picture.
    truth_subsets
        The subsets that the matching was made for, when it was.
    """
    counted = [match.is_true | match.is_false for match in matches]
    empty = np.empty(0)
    score = np.concatenate([empty, *(p.score[c] for p, c in zip(pictures, counted, strict=True))])
    is_true = np.concatenate(
        [empty, *(m.is_true[c] for m, c in zip(matches, counted, strict=True))]
    )
    order = np.argsort(-score, kind="stable")
    subsets = truth_subsets or [np.ones(len(p.truth_counts), dtype=bool) for p in pictures]
    n_truth = sum(int((p.truth_counts & s).sum()) for p, s in zip(pictures, subsets, strict=True))
    return Ranking(score[order], is_true[order].astype(bool), n_truth)


def average_precision(ranking: Ranking) -> float:
    """Average the best precision at or beyond each of 101 recalls; NaN without crystals.

    Parameters
    ----------
    ranking
        From `rank`.
    """
    if ranking.n_truth == 0:
        return float("nan")
    best = np.maximum.accumulate(ranking.precision[::-1])[::-1]
    at = np.searchsorted(ranking.recall, _RECALLS, side="left")
    return float(np.append(best, 0.0)[np.minimum(at, len(best))].mean())


def operating_point(ranking: Ranking, min_score: float) -> OperatingPoint:
    """Return precision, recall and F1 of the predictions that score at least `min_score`."""
    kept = ranking.score >= min_score
    n_kept, n_true = int(kept.sum()), int(ranking.is_true[kept].sum())
    return OperatingPoint(
        min_score,
        _ratio(n_true, n_kept),
        _ratio(n_true, ranking.n_truth),
        _ratio(2 * n_true, n_kept + ranking.n_truth),
    )


def best_operating_point(ranking: Ranking) -> OperatingPoint:
    """Return the operating point of largest F1, the highest score of several; NaN without any."""
    if not len(ranking.score):
        return operating_point(ranking, float("nan"))
    f1 = 2 * np.cumsum(ranking.is_true) / (np.arange(1, len(ranking.score) + 1) + ranking.n_truth)
    # equal scores are kept or dropped together
    f1[:-1][ranking.score[:-1] == ranking.score[1:]] = -1.0
    return operating_point(ranking, float(ranking.score[np.argmax(f1)]))


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
