"""Panoptic quality: how well crystals are outlined, times how well they are found.

Kirillov et al., *Panoptic Segmentation*, CVPR 2019, equation 1: ``PQ = SQ x RQ``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crystalgauge.metrics.matching import Matches, PictureOverlap


@dataclass(frozen=True)
class PanopticQuality:
    """Panoptic quality and its factors, 0 to 1; NaN where nothing is and nothing was found.

    Parameters
    ----------
    pq
        ``SQ x RQ``.
    sq
        Segmentation quality: mean intersection over union of the matches.
    rq
        Recognition quality: ``TP / (TP + FP / 2 + FN / 2)``.
    n_true, n_false, n_missed
        Matches, predictions that found nothing, crystals that nothing found.
    """

    pq: float
    sq: float
    rq: float
    n_true: int
    n_false: int
    n_missed: int


def panoptic_quality(
    pictures: Sequence[PictureOverlap], matches: Sequence[Matches]
) -> PanopticQuality:
    """Return the panoptic quality over pictures.

    Parameters
    ----------
    pictures, matches
        One of each per picture; the matches from `match_one_to_one`.
    """
    n_true = sum(int(match.is_true.sum()) for match in matches)
    n_false = sum(int(match.is_false.sum()) for match in matches)
    n_missed = sum(int(picture.truth_counts.sum()) for picture in pictures) - n_true
    overlap = sum(float(iou_of_matches(p, m).sum()) for p, m in zip(pictures, matches, strict=True))
    if n_true + n_false + n_missed == 0:
        nothing = float("nan")
        return PanopticQuality(nothing, nothing, nothing, 0, 0, 0)
    rq = n_true / (n_true + 0.5 * n_false + 0.5 * n_missed)
    sq = overlap / n_true if n_true else float("nan")
    return PanopticQuality(sq * rq if n_true else 0.0, sq, rq, n_true, n_false, n_missed)


def iou_of_matches(picture: PictureOverlap, match: Matches) -> NDArray[np.float64]:
    """Return the intersection over union of every true match, in the order of predictions."""
    column = np.repeat(np.arange(len(match.truth_of)), np.diff(picture.starts))
    chosen = match.is_true[column] & (picture.truth_row == match.truth_of[column])
    return picture.iou[chosen]
