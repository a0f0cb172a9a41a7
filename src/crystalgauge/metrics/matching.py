"""Which prediction found which crystal: greedy by score, or one-to-one for the panoptic quality.

What a truth may say of itself (columns, all optional, boolean):

``ignore``
    A crystal that is there, but that nobody is asked to find. It is never missed, and a
    prediction that finds it, or lies mostly inside it, counts neither way.
``is_cluster`` (or ``iscrowd``)
    A region that holds crystals nobody outlined. It is never missed, and a prediction that lies
    mostly inside it counts neither way unless it finds an outlined crystal.

With a window, what has its centroid outside counts neither way: such a truth is as one to
ignore, and such a prediction is dropped unless it finds a crystal of the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numba import njit

from crystalgauge.metrics.outline_iou import overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.core import Crystals

MOSTLY = 0.5
"""A prediction lies in a region when the region covers more than this part of it."""

LEAST_IOU = 0.5
"""The least overlap that any figure counts as a match; pairs below may be missing."""


@dataclass(frozen=True, eq=False)
class PictureOverlap:
    """One picture's truth and predictions, and all that a matching needs of them.

    Parameters
    ----------
    score
        ``(M,)`` scores of the predictions.
    truth_counts
        ``(N,)`` whether a truth is to be found.
    truth_is_region
        ``(N,)`` whether a truth is a region and no crystal.
    prediction_counts
        ``(M,)`` whether a prediction that finds nothing is a false one.
    starts, truth_row, iou
        Prediction j overlaps the truths ``truth_row[starts[j]:starts[j + 1]]``, regions left
        out, in ascending order, by that much. All overlaps of at least `LEAST_IOU` are there.
    """

    score: NDArray[np.float64]
    truth_counts: NDArray[np.bool_]
    truth_is_region: NDArray[np.bool_]
    prediction_counts: NDArray[np.bool_]
    starts: NDArray[np.int64]
    truth_row: NDArray[np.int64]
    iou: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Matches:
    """What a matching decided.

    Parameters
    ----------
    truth_of
        ``(M,)`` row of the truth that each prediction found, or -1.
    is_true, is_false
        ``(M,)`` whether it counts as a true or as a false prediction; neither: it is dropped.
    """

    truth_of: NDArray[np.int64]
    is_true: NDArray[np.bool_]
    is_false: NDArray[np.bool_]


def picture_overlap(
    truth: Crystals, prediction: Crystals, region: tuple[float, float, float, float] | None = None
) -> PictureOverlap:
    """Relate the predictions of a picture to its truth.

    Parameters
    ----------
    truth
        May have the columns ``ignore`` and ``is_cluster`` or ``iscrowd``.
    prediction
        May have the column ``score``; without it every prediction scores 1.
    region
        Window x, y, width, height in px; None for the whole picture.
    """
    ignored, is_region = _flag(truth, "ignore"), _flag(truth, "is_cluster", "iscrowd")
    pairs = overlaps(prediction, truth, least_iou=LEAST_IOU, least_coverage=MOSTLY)
    inside = (pairs.coverage > MOSTLY) & (ignored | is_region)[pairs.row_b]
    counts = np.ones(len(prediction), dtype=bool)
    counts[pairs.row_a[inside]] = False
    crystal = ~is_region[pairs.row_b]
    found = np.bincount(pairs.row_a[crystal], minlength=len(prediction))
    score = prediction["score"] if "score" in prediction else np.ones(len(prediction))
    return PictureOverlap(
        score=np.asarray(score, dtype=np.float64),
        truth_counts=~ignored & ~is_region & _within(truth, region),
        truth_is_region=is_region,
        prediction_counts=counts & _within(prediction, region),
        starts=np.concatenate([[0], np.cumsum(found)]).astype(np.int64),
        truth_row=pairs.row_b[crystal].astype(np.int64),
        iou=pairs.iou[crystal],
    )


def match_by_score(
    picture: PictureOverlap,
    iou_threshold: float,
    *,
    truth_subset: NDArray[np.bool_] | None = None,
    prediction_subset: NDArray[np.bool_] | None = None,
) -> Matches:
    """Let the predictions choose, best score first, the free truth they overlap most (COCO).

    A truth that does not count is chosen only when none that counts is left.

    Parameters
    ----------
    picture
        From `picture_overlap`.
    iou_threshold
        Least intersection over union of a match, 0.5 to 1.
    truth_subset, prediction_subset
        ``(N,)`` and ``(M,)``: what counts in the figure at hand (a range of sizes), all by
        default. A prediction outside that finds a truth inside counts as true.
    """
    truth_counts, prediction_counts = picture.truth_counts, picture.prediction_counts
    if truth_subset is not None:
        truth_counts = truth_counts & truth_subset
    if prediction_subset is not None:
        prediction_counts = prediction_counts & prediction_subset
    order = np.argsort(-picture.score, kind="stable")
    truth_of = np.full(len(picture.score), -1, np.int64)
    # the margin is COCO's: an overlap of exactly 1 must pass a threshold of 1
    least = min(iou_threshold, 1 - 1e-10)
    _choose(order, picture.starts, picture.truth_row, picture.iou, truth_counts, least, truth_of)
    return _judged(truth_of, truth_counts, prediction_counts)


def match_one_to_one(
    picture: PictureOverlap, *, min_score: float = 0.0, iou_threshold: float = 0.5
) -> Matches:
    """Pair predictions and truths so that the sum of their overlaps is largest.

    Segments of a partition that overlap by more than 0.5 pair in one way only; outlines that may
    overlap each other do not, so the assignment is solved (Kuhn, 1955), among the truths that
    count first and for the rest of the predictions among the others.

    Parameters
    ----------
    picture
        From `picture_overlap`.
    min_score
        Predictions below it are left out.
    iou_threshold
        A match overlaps by more than this, 0.5 to 1.
    """
    column = np.repeat(np.arange(len(picture.score)), np.diff(picture.starts))
    usable = (picture.iou > iou_threshold) & (picture.score[column] >= min_score)
    truth_of = np.full(len(picture.score), -1, np.int64)
    for counted in (True, False):
        free = truth_of[column] < 0
        use = usable & free & (picture.truth_counts[picture.truth_row] == counted)
        rows, found = _assignment(column[use], picture.truth_row[use], picture.iou[use])
        truth_of[rows] = found
    in_play = picture.prediction_counts & (picture.score >= min_score)
    return _judged(truth_of, picture.truth_counts, in_play)


def _judged(
    truth_of: NDArray[np.int64],
    truth_counts: NDArray[np.bool_],
    prediction_counts: NDArray[np.bool_],
) -> Matches:
    matched = truth_of >= 0
    is_true = matched.copy()
    is_true[matched] = truth_counts[truth_of[matched]]
    return Matches(truth_of, is_true, prediction_counts & ~matched)


def _flag(truth: Crystals, *names: str) -> NDArray[np.bool_]:
    flag = np.zeros(len(truth), dtype=bool)
    for name in names:
        if name in truth:
            flag |= truth[name].astype(bool)
    return flag


def _within(
    crystals: Crystals, region: tuple[float, float, float, float] | None
) -> NDArray[np.bool_]:
    if region is None:
        return np.ones(len(crystals), dtype=bool)
    x, y, width, height = region
    centre = shapely.centroid(crystals.outlines)
    centre[shapely.is_empty(centre)] = None  # GEOS refuses the coordinates of an empty point
    cx, cy = shapely.get_x(centre), shapely.get_y(centre)
    return (cx >= x) & (cx < x + width) & (cy >= y) & (cy < y + height)


def _assignment(
    rows: NDArray[np.intp], columns: NDArray[np.int64], values: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Solve the assignment of largest sum, group by group of pairs that touch each other."""
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(rows):
        return rows, columns
    row_names, row = np.unique(rows, return_inverse=True)
    column_names, column = np.unique(columns, return_inverse=True)
    size = len(row_names) + len(column_names)
    graph = coo_array((np.ones(len(row)), (row, column + len(row_names))), shape=(size, size))
    label = connected_components(graph, directed=False)[1][row]
    chosen_rows, chosen_columns = [], []
    for group in np.split(np.argsort(label, kind="stable"), np.cumsum(np.bincount(label))[:-1]):
        local_rows, i = np.unique(row[group], return_inverse=True)
        local_columns, j = np.unique(column[group], return_inverse=True)
        gain = np.zeros((len(local_rows), len(local_columns)))
        gain[i, j] = values[group]
        best_i, best_j = linear_sum_assignment(gain, maximize=True)
        real = gain[best_i, best_j] > 0
        chosen_rows.append(row_names[local_rows[best_i[real]]])
        chosen_columns.append(column_names[local_columns[best_j[real]]])
    return np.concatenate(chosen_rows), np.concatenate(chosen_columns)


@njit(cache=True, nogil=True)
def _choose(
    order: NDArray[np.intp],
    starts: NDArray[np.int64],
    truth_row: NDArray[np.int64],
    iou: NDArray[np.float64],
    truth_counts: NDArray[np.bool_],
    least: float,
    truth_of: NDArray[np.int64],
) -> None:
    taken = np.zeros(len(truth_counts), np.bool_)
    for j in order:
        choice = -1
        for counted in (True, False):
            best = least
            for p in range(starts[j], starts[j + 1]):
                t = truth_row[p]
                # of equal overlaps the later truth wins, as in COCO's evaluation
                if not taken[t] and truth_counts[t] == counted and iou[p] >= best:
                    best, choice = iou[p], t
            if choice >= 0:
                break
        if choice >= 0:
            taken[choice] = True
            truth_of[j] = choice
