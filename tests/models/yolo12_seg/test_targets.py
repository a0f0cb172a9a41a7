"""Cells, distances, assignment, and truth to outputs and back."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from crystalgauge.core import ArgumentError
from crystalgauge.models.yolo12_seg import Yolo12SegConfig
from crystalgauge.models.yolo12_seg.cells import (
    Cells,
    box_iou,
    boxes_of,
    cells_of,
    decode_sides,
    encode_sides,
    sides_of,
)
from crystalgauge.models.yolo12_seg.decode import decode, mask_outline, suppress_boxes
from crystalgauge.models.yolo12_seg.targets import (
    NOBODY,
    OVERLAP_POWER,
    SCORE_POWER,
    Targets,
    assign,
    build_targets,
    coverage,
    ideal_outputs,
)

SHAPE = (160, 192)


def packed(*lines: list) -> tuple[np.ndarray, np.ndarray]:
    points = np.concatenate([np.array(line, float) for line in lines])
    return points, np.cumsum([0, *(len(line) for line in lines)]).astype(np.int64)


def rectangle(x0: float, y0: float, x1: float, y1: float) -> list:
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


HEXAGON = [(60 + 30 * np.cos(t), 60 + 22 * np.sin(t)) for t in np.arange(6) * np.pi / 3]
CRYSTALS = (HEXAGON, rectangle(75, 50, 140.5, 90), rectangle(20, 110, 52, 150))


def truth(labels: tuple[int, ...] = (1, 0, 1), asked: tuple[bool, ...] = (True,) * 3) -> Targets:
    return build_targets(*packed(*CRYSTALS), np.array(asked), np.array(labels), SHAPE)


def test_cells_lie_level_by_level_and_odd_sizes_are_refused() -> None:
    cells = cells_of((64, 96))
    assert len(cells.stride) == 8 * 12 + 4 * 6 + 2 * 3
    np.testing.assert_array_equal(cells.centre[[0, 1, 12]], [[4, 4], [12, 4], [4, 12]])
    np.testing.assert_array_equal(cells.centre[-1], [80, 48])
    with pytest.raises(ArgumentError, match="multiples of 32"):
        cells_of((60, 96))


def test_distances_survive_their_distributions() -> None:
    rng = np.random.default_rng(0)
    sides = rng.uniform(0, 14.99, (50, 4)).astype(np.float32)
    spread = encode_sides(sides)
    np.testing.assert_allclose(spread.sum(-1), 1, atol=1e-6)
    assert (np.count_nonzero(spread, -1) <= 2).all()
    logits = np.log(np.maximum(spread, 1e-12))
    np.testing.assert_allclose(decode_sides(logits), sides, atol=1e-4)


def test_boxes_survive_their_distances() -> None:
    cells = cells_of((64, 64))
    rng = np.random.default_rng(1)
    reach = rng.uniform(0.1, 14.0, (len(cells.stride), 4)).astype(np.float32)
    boxes = boxes_of(reach, cells)
    np.testing.assert_allclose(sides_of(boxes, cells), reach, atol=1e-3)


def test_overlap_of_boxes() -> None:
    a = np.array([[0.0, 0, 4, 4]])
    b = np.array([[0.0, 0, 4, 4], [2, 0, 6, 4], [4, 4, 8, 8]])
    np.testing.assert_allclose(box_iou(a, b), [[1, 8 / 24, 0]])


def hand_made(scores: list, said: list, boxes: list, labels: list, centres: list):
    cells = Cells(np.array(centres, np.float32), np.full(len(centres), 8, np.float32))
    none = np.zeros((len(boxes), 1, 1), np.uint8)
    targets = Targets(
        np.array(boxes, np.float32), np.array(labels), none, np.zeros(len(centres), bool)
    )
    return assign(np.array(scores), np.array(said, np.float32), cells, targets)


def test_cells_outside_a_box_never_answer_and_weights_end_at_the_best_overlap() -> None:
    box = [0.0, 0.0, 20.0, 20.0]
    half = [0.0, 0.0, 20.0, 10.0]
    found = hand_made(
        scores=[[0.9, 0.1], [0.4, 0.1], [0.9, 0.9]], said=[half, box, box], boxes=[box], labels=[0],
        centres=[(4, 4), (12, 12), (28, 4)],
    )  # fmt: skip
    np.testing.assert_array_equal(found.owner, [0, 0, NOBODY])
    # the second cell fits best: its overlap, 1, becomes its weight
    fit = np.array([0.9**SCORE_POWER * 0.5**OVERLAP_POWER, 0.4**SCORE_POWER])
    np.testing.assert_allclose(found.weight, [fit[0] / fit[1], 1.0, 0.0], rtol=1e-5)


def test_scores_of_the_own_class_decide() -> None:
    box = [0.0, 0.0, 20.0, 20.0]
    found = hand_made(
        scores=[[0.9, 0.01], [0.01, 0.9]], said=[box, box], boxes=[box], labels=[1],
        centres=[(4, 4), (12, 12)],
    )  # fmt: skip
    assert found.weight[1] == pytest.approx(1.0)
    assert found.weight[0] == pytest.approx(np.sqrt(0.01 / 0.9), rel=1e-5)


def test_a_cell_wanted_twice_answers_for_the_larger_overlap() -> None:
    small, large = [0.0, 0, 16, 16], [0.0, 0, 40, 40]
    found = hand_made(
        scores=[[0.5], [0.5]], said=[small, large], boxes=[small, large], labels=[0, 0],
        centres=[(4, 4), (12, 12)],
    )  # fmt: skip
    np.testing.assert_array_equal(found.owner, [0, 1])


def test_at_most_ten_cells_answer_and_the_nearest_do_where_nothing_overlaps() -> None:
    cells = cells_of((64, 64))
    box = np.array([[4.0, 4, 60, 60]], np.float32)
    targets = Targets(box, np.array([0]), np.zeros((1, 16, 16), np.uint8), np.zeros(84, bool))
    nowhere = np.full((84, 4), 200, np.float32)
    found = assign(np.full((84, 1), 0.01), nowhere, cells, targets)
    mine = cells.centre[found.owner == 0]
    assert len(mine) == 10
    assert np.abs(mine - 32).max() <= 16


def test_masks_say_how_much_of_a_cell_is_covered() -> None:
    share = coverage(np.array(rectangle(8, 8, 18, 16)), (32, 32)) / 255
    assert share[2:4, 2:4] == pytest.approx(1.0)
    assert share[2, 4] == pytest.approx(0.5, abs=0.26)  # OpenCV counts the border pixel in
    assert share[6:].sum() == 0


def test_crystals_without_a_class_are_quiet() -> None:
    targets = truth(labels=(1, 0, -1))
    assert len(targets.boxes) == 2
    cells = cells_of(SHAPE)
    inside = shapely.contains_xy(shapely.box(22, 112, 50, 148), *cells.centre.T.astype(float))
    assert inside.any()
    assert targets.quiet[inside].all()
    assert not targets.quiet[cells.centre[:, 1] < 100].any()
    assert not truth().quiet.any()


def test_outputs_of_a_perfect_network_are_the_truth() -> None:
    targets = truth()
    found = decode(*ideal_outputs(targets, SHAPE, Yolo12SegConfig()))
    assert len(found) == 3
    outlines = [shapely.Polygon(line) for line in CRYSTALS]
    for outline, label in zip(outlines, (1, 0, 1), strict=True):
        iou = [o.intersection(outline).area / o.union(outline).area for o in found.outlines]
        best = int(np.argmax(iou))
        # half a prototype's cell of 4 px along the outline is some 10 % of these
        assert iou[best] > 0.93
        assert found.label[best] == label
        assert found.score[best] > 0.99
        assert found.label_share[best] > 0.99
        distance = shapely.hausdorff_distance(found.outlines[best], outline)
        assert distance < 4.0
    np.testing.assert_allclose(
        np.sort(found.boxes, axis=0), np.sort(targets.boxes, axis=0), atol=0.02
    )


def test_holes_are_filled_and_the_largest_piece_stays() -> None:
    mask = np.zeros((30, 40), bool)
    mask[2:12, 3:23] = True
    mask[5:8, 8:12] = False
    mask[20:24, 30:35] = True
    outline = mask_outline(mask, (100, 50))
    assert outline.equals(shapely.box(103, 52, 123, 62))
    assert mask_outline(np.zeros((5, 5), bool)) is None


def test_suppression_keeps_the_better_of_two() -> None:
    boxes = np.array([[0.0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 5], [50, 50, 60, 60]])
    np.testing.assert_array_equal(suppress_boxes(boxes), [0, 2, 3])
    assert len(suppress_boxes(np.zeros((0, 4)))) == 0


def test_nothing_is_found_where_nothing_is() -> None:
    empty = build_targets(np.zeros((0, 2)), np.zeros(1, np.int64), *[np.zeros(0, int)] * 2, SHAPE)
    found = decode(*ideal_outputs(empty, SHAPE, Yolo12SegConfig()))
    assert len(found) == 0
    assert len(found.to_crystals()) == 0
