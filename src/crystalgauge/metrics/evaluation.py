"""All figures of a set of pictures at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crystalgauge.metrics.agreement import DefocusError, SizeBias, defocus_error, size_bias
from crystalgauge.metrics.average_precision import (
    IOU_THRESHOLDS,
    OperatingPoint,
    Ranking,
    average_precision,
    best_operating_point,
    operating_point,
    rank,
)
from crystalgauge.metrics.matching import (
    PictureOverlap,
    match_by_score,
    match_one_to_one,
    picture_overlap,
)
from crystalgauge.metrics.panoptic import PanopticQuality, panoptic_quality
from crystalgauge.metrics.strata import DEFAULT_STRATA, strata_members

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crystalgauge.core import Crystals
    from crystalgauge.metrics.strata import Stratum


@dataclass(frozen=True, eq=False)
class EvaluationPair:
    """What is in a picture, and what was found in it.

    Parameters
    ----------
    truth
        Outlines; the columns ``ignore``, ``is_cluster``, ``iscrowd`` as in
        `crystalgauge.metrics.matching`, ``defocus_px`` where it is known.
    prediction
        Outlines with ``score``, and ``defocus_px`` where it was estimated.
    region
        Window x, y, width, height in px that the truth describes; None for the whole picture.
    """

    truth: Crystals
    prediction: Crystals
    region: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Evaluation:
    """Figures of a set of pictures; NaN where there is nothing to judge.

    Parameters
    ----------
    ap
        Average precision, mean over intersections over union of 0.50, 0.55 ... 0.95.
    ap_by_iou
        Average precision by intersection over union.
    ap_by_stratum
        As `ap`, of the crystals of each stratum.
    ap50_by_stratum
        Average precision at 0.50 of each stratum.
    chosen
        Precision, recall and F1 from the score asked for, at 0.50.
    best
        The same from the score of largest F1.
    panoptic
        Panoptic quality from the score asked for.
    size
        Found over true diameter of the matches at 0.50 from the score asked for.
    defocus
        Error of the blur of the same matches.
    n_pictures, n_truth, n_prediction
        Pictures, crystals to be found, and predictions of any score that count.
    """

    ap: float
    ap_by_iou: Mapping[float, float]
    ap_by_stratum: Mapping[str, float]
    ap50_by_stratum: Mapping[str, float]
    chosen: OperatingPoint
    best: OperatingPoint
    panoptic: PanopticQuality
    size: SizeBias
    defocus: DefocusError
    n_pictures: int
    n_truth: int
    n_prediction: int

    @property
    def ap50(self) -> float:
        """Average precision at an intersection over union of 0.50."""
        return self.ap_by_iou[0.5]

    @property
    def ap75(self) -> float:
        """Average precision at an intersection over union of 0.75."""
        return self.ap_by_iou[0.75]

    @property
    def best_f1(self) -> float:
        """Largest F1 over all scores, at 0.50."""
        return self.best.f1

    @property
    def best_score(self) -> float:
        """Score from which predictions reach it."""
        return self.best.score

    def as_dict(self) -> dict[str, float | int | None]:
        """Return the figures by flat name, None for NaN, as JSON and tables want them."""
        figures: dict[str, float | int] = {
            "ap": self.ap, "ap50": self.ap50, "ap75": self.ap75,
            **{f"ap_{name}": value for name, value in self.ap_by_stratum.items()},
            **{f"ap50_{name}": value for name, value in self.ap50_by_stratum.items()},
            "pq": self.panoptic.pq, "sq": self.panoptic.sq, "rq": self.panoptic.rq,
            "min_score": self.chosen.score, "precision": self.chosen.precision,
            "recall": self.chosen.recall, "f1": self.chosen.f1,
            "best_f1": self.best.f1, "best_score": self.best.score,
        }  # fmt: skip
        for name, estimate in (("median", self.size.median), ("mean", self.size.mean)):
            figures[f"size_ratio_{name}"] = estimate.value
            figures[f"size_ratio_{name}_low"] = estimate.low
            figures[f"size_ratio_{name}_high"] = estimate.high
        figures |= {
            "n_matched": self.size.n,
            "defocus_median_relative_error": self.defocus.median_relative,
            "defocus_median_absolute_error_px": self.defocus.median_absolute_px,
            "n_defocus": self.defocus.n,
            "n_pictures": self.n_pictures, "n_truth": self.n_truth,
            "n_prediction": self.n_prediction,
        }  # fmt: skip
        return {name: None if math.isnan(value) else value for name, value in figures.items()}


def evaluate(
    pairs: Sequence[EvaluationPair],
    *,
    min_score: float = 0.5,
    strata: Sequence[Stratum] = DEFAULT_STRATA,
) -> Evaluation:
    """Compare predictions with truth.

    Parameters
    ----------
    pairs
        One per picture.
    min_score
        Score from which a prediction counts as a crystal, in the figures that need a decision.
    strata
        Subsets with a figure of their own.

    Raises
    ------
    ArgumentError
        When a stratum's quantity is no column of the truth or the predictions.
    """
    pictures = [picture_overlap(pair.truth, pair.prediction, pair.region) for pair in pairs]
    rankings = {iou: _ranking(pictures, iou) for iou in IOU_THRESHOLDS}
    by_iou = {iou: average_precision(ranking) for iou, ranking in rankings.items()}
    by_stratum = _precisions_by_stratum(pairs, pictures, strata)
    chosen = [match_one_to_one(picture, min_score=min_score) for picture in pictures]
    truths, predictions = [pair.truth for pair in pairs], [pair.prediction for pair in pairs]
    return Evaluation(
        ap=_mean(list(by_iou.values())),
        ap_by_iou=by_iou,
        ap_by_stratum={name: _mean(values) for name, values in by_stratum.items()},
        ap50_by_stratum={name: values[0] for name, values in by_stratum.items()},
        chosen=operating_point(rankings[0.5], min_score),
        best=best_operating_point(rankings[0.5]),
        panoptic=panoptic_quality(pictures, chosen),
        size=size_bias(truths, predictions, chosen),
        defocus=defocus_error(truths, predictions, chosen),
        n_pictures=len(pairs),
        n_truth=rankings[0.5].n_truth,
        n_prediction=len(rankings[0.5].score),
    )


def _ranking(pictures: Sequence[PictureOverlap], iou_threshold: float) -> Ranking:
    return rank(pictures, [match_by_score(picture, iou_threshold) for picture in pictures])


def _precisions_by_stratum(
    pairs: Sequence[EvaluationPair], pictures: Sequence[PictureOverlap], strata: Sequence[Stratum]
) -> dict[str, list[float]]:
    """Return the average precision of each stratum at each intersection over union."""
    true = [strata_members(pair.truth, strata) for pair in pairs]
    said = [strata_members(pair.prediction, strata) for pair in pairs]
    precisions: dict[str, list[float]] = {stratum.name: [] for stratum in strata}
    for name, values in precisions.items():
        subsets = [members[name] for members in true]
        for iou in IOU_THRESHOLDS:
            matches = [
                match_by_score(picture, iou, truth_subset=t, prediction_subset=p[name])
                for picture, t, p in zip(pictures, subsets, said, strict=True)
            ]
            values.append(average_precision(rank(pictures, matches, subsets)))
    return precisions


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
