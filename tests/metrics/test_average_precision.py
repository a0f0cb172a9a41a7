from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from crystalgauge.core import Crystals
from crystalgauge.metrics import EvaluationPair, Ranking, Stratum, average_precision, evaluate
from crystalgauge.metrics.average_precision import best_operating_point, operating_point

SIDE = 48
SMALL = Stratum("small", "area_px2", 0.0, 60.0)


def rectangles(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return (n, 4) x, y, w, h on the pixel grid: there the IoU of masks is that of polygons."""
    corner = rng.integers(0, SIDE - 14, (n, 2))
    return np.concatenate([corner, rng.integers(2, 14, (n, 2))], axis=1)


def scene(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, predictions near it and elsewhere, and scores with ties."""
    truth = rectangles(rng, int(rng.integers(0, 9)))
    near = truth[rng.random(len(truth)) < 0.9] + rng.integers(-1, 2, (1, 4))
    near[:, 2:] = np.maximum(near[:, 2:], 1)
    near[:, :2] = np.maximum(near[:, :2], 0)
    found = np.concatenate([near, rectangles(rng, int(rng.integers(0, 6)))])
    return truth, found, np.round(rng.random(len(found)), 1)


def as_crystals(boxes: np.ndarray, **columns: Any) -> Crystals:
    x, y, w, h = boxes.T
    outlines = shapely.box(x, y, x + w, y + h) if len(boxes) else np.empty(0, dtype=object)
    return Crystals(outlines, {"area_px2": w * h, **columns})


def rle(box: np.ndarray) -> dict[str, Any]:
    from pycocotools import mask

    x, y, w, h = box
    pixels = np.zeros((SIDE + 4, SIDE + 4), np.uint8, order="F")
    pixels[y : y + h, x : x + w] = 1
    return mask.encode(pixels)


def coco_reference(scenes: list[Any], crowds: list[np.ndarray]) -> Any:
    """Run pycocotools on masks of the rectangles, with small crystals as an area range."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth, found = [], []
    for image, ((boxes, guesses, scores), crowd) in enumerate(zip(scenes, crowds, strict=True)):
        for box, iscrowd in zip(boxes, crowd, strict=True):
            truth.append({
                "id": len(truth) + 1, "image_id": image + 1, "category_id": 1,
                "segmentation": rle(box), "area": float(box[2] * box[3]),
                "iscrowd": int(iscrowd), "bbox": box.tolist(),
            })  # fmt: skip
        for box, score in zip(guesses, scores, strict=True):
            found.append({
                "image_id": image + 1, "category_id": 1, "segmentation": rle(box),
                "score": float(score),
            })  # fmt: skip
    data = COCO()
    data.dataset = {
        "info": {},
        "images": [
            {"id": i + 1, "width": SIDE + 4, "height": SIDE + 4} for i in range(len(scenes))
        ],
        "annotations": truth,
        "categories": [{"id": 1, "name": "crystal"}],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        data.createIndex()
        judge = COCOeval(data, data.loadRes(found), "segm")
        judge.params.maxDets = [1000]
        # COCO's ranges are closed, a stratum is half open: areas are whole numbers
        judge.params.areaRng = [[0, 1e10], [SMALL.low, SMALL.high - 0.5]]
        judge.params.areaRngLbl = ["all", "small"]
        judge.evaluate()
        judge.accumulate()
    return judge.eval["precision"]  # (T, R, K, A, M)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100_000))
def test_figures_are_those_of_pycocotools(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scenes = [scene(rng) for _ in range(4)]
    if not any(len(s[0]) for s in scenes) or not any(len(s[1]) for s in scenes):
        return
    reference = coco_reference(scenes, [np.zeros(len(s[0]), bool) for s in scenes])
    pairs = [EvaluationPair(as_crystals(t), as_crystals(p, score=s)) for t, p, s in scenes]
    ours = evaluate(pairs, strata=[SMALL])
    assert ours.ap == pytest.approx(reference[..., 0, 0].mean(), abs=1e-6)
    assert ours.ap50 == pytest.approx(reference[0, :, 0, 0, 0].mean(), abs=1e-6)
    assert ours.ap75 == pytest.approx(reference[5, :, 0, 0, 0].mean(), abs=1e-6)
    if (reference[..., 1, 0] >= 0).all():
        assert ours.ap_by_stratum["small"] == pytest.approx(reference[..., 1, 0].mean(), abs=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 100_000))
def test_clusters_are_crowds_of_pycocotools_at_half_coverage(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scenes = [scene(rng) for _ in range(4)]
    crowds = [rng.random(len(s[0])) < 0.3 for s in scenes]
    if all(c.all() for c in crowds) or not any(len(s[1]) for s in scenes):
        return
    # COCO asks for coverage >= 0.5, we for more: keep the rectangles off the exact half
    reference = coco_reference(scenes, crowds)
    pairs = [
        EvaluationPair(as_crystals(t, is_cluster=c), as_crystals(p, score=s))
        for (t, p, s), c in zip(scenes, crowds, strict=True)
    ]
    if any(_has_half_coverage(pair) for pair in pairs):
        return
    assert evaluate(pairs, strata=[]).ap50 == pytest.approx(
        reference[0, :, 0, 0, 0].mean(), abs=1e-6
    )


def _has_half_coverage(pair: EvaluationPair) -> bool:
    from crystalgauge.metrics import overlaps

    return bool((overlaps(pair.prediction, pair.truth).coverage == 0.5).any())


def test_average_precision_of_a_known_ranking() -> None:
    ranking = Ranking(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False]), 4)
    # precision 1 up to recall 1/4 (26 of the 101 recalls), 2/3 up to 1/2 (25), 0 beyond
    assert average_precision(ranking) == pytest.approx((26 + 25 * 2 / 3) / 101)


def test_operating_points_count_equal_scores_together() -> None:
    ranking = Ranking(np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, False]), 2)
    at_half = operating_point(ranking, 0.5)
    assert (at_half.precision, at_half.recall, at_half.f1) == (2 / 3, 1.0, 0.8)
    best = best_operating_point(ranking)
    assert best.score == 0.5  # not between the two that score 0.5, where F1 would be 1
    assert best.f1 == pytest.approx(0.8)


def test_nothing_to_find_has_no_precision() -> None:
    figures = evaluate([EvaluationPair(Crystals.empty(), Crystals.empty())])
    assert figures.as_dict()["ap"] is None
    assert figures.as_dict()["best_f1"] is None
    blank = Crystals(np.array([shapely.box(0, 0, 3, 3)], dtype=object), {"score": [0.9]})
    figures = evaluate([EvaluationPair(Crystals.empty(), blank)])
    assert figures.as_dict()["precision"] == 0.0
    assert figures.n_prediction == 1
