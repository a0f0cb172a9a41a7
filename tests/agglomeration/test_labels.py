"""The paper's classes from a truth, criterion by criterion."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from crystalgauge.agglomeration import load_contact_model
from crystalgauge.agglomeration.contact import neighbour_pairs
from crystalgauge.agglomeration.examples import exact_example, found_example
from crystalgauge.agglomeration.fit import judge
from crystalgauge.agglomeration.labels import answers_for, label_pairs, paper_classes
from crystalgauge.agglomeration.score import score_examples
from crystalgauge.core import Crystals
from crystalgauge.render.truth import Truth
from crystalgauge.scenes.agglomerates import PIECE


def truth_of(contacts: list[tuple[int, int]], **columns: object) -> Truth:
    """Return four squares in a row that stand side by side."""
    outlines = np.array([shapely.box(60 * i, 0, 60 * i + 60, 60) for i in range(4)], object)
    plain = {
        "id": np.arange(4), "habit": np.array(["sugar"] * 4), "defocus_px": np.ones(4),
        "signal": np.full(4, 0.3), "noise": np.full(4, 0.01), "clutter": np.zeros(4),
        "box_width_px": np.full(4, 60.0), "visible_fraction": np.ones(4),
        "in_frame_fraction": np.ones(4), "ignore": np.zeros(4, bool),
    }  # fmt: skip
    values = {**plain, **{name: np.asarray(value) for name, value in columns.items()}}
    return Truth(Crystals(outlines, values), np.array(contacts, np.int64).reshape(-1, 2))


def test_crystals_in_contact_are_agglomerated() -> None:
    classes = paper_classes(truth_of([(0, 1)]))
    assert classes.agglomerated.tolist() == [True, True, False, False]
    assert classes.judged.all()


def test_other_layers_do_not_count_even_where_they_touch() -> None:
    classes = paper_classes(truth_of([(0, 1), (2, 3)], defocus_px=[1.0, 1.2, 1.0, 3.0]))
    assert classes.agglomerated.tolist() == [True, True, False, False]


def test_word_for_word_only_crystals_in_focus_count() -> None:
    truth = truth_of([(0, 1), (2, 3)], defocus_px=[1.0, 1.0, 3.0, 3.0])
    assert paper_classes(truth).agglomerated.tolist() == [True] * 4
    strict = paper_classes(truth, most_in_focus_px=1.5)
    assert strict.agglomerated.tolist() == [True, True, False, False]


def test_broken_pieces_do_not_count_and_have_no_class() -> None:
    classes = paper_classes(truth_of([(0, 1)], habit=["sugar", PIECE, "sugar", "sugar"]))
    assert not classes.agglomerated.any()
    assert classes.judged.tolist() == [True, False, True, True]


def test_what_cannot_be_seen_does_not_count() -> None:
    hidden = truth_of([(0, 1)], signal=[0.3, 0.001, 0.3, 0.3])
    assert not paper_classes(hidden).agglomerated.any()
    # at the border a third of the crystal is in the picture, and all of that is visible
    cut = truth_of([(0, 1)], in_frame_fraction=[1, 0.2, 1, 1], visible_fraction=[1, 0.2, 1, 1])
    assert paper_classes(cut).agglomerated.tolist() == [True, True, False, False]


def test_ids_need_not_be_rows() -> None:
    truth = truth_of([(7, 3)], id=[9, 7, 3, 0])
    assert paper_classes(truth).agglomerated.tolist() == [False, True, True, False]


def test_scene_without_crystals() -> None:
    empty = truth_of([])
    nothing = Truth(empty.crystals.take(slice(0, 0)), np.zeros((0, 2), np.int64))
    assert len(paper_classes(nothing).agglomerated) == 0


def found(*boxes: tuple[float, float, float, float]) -> Crystals:
    outlines = np.array([shapely.box(*box) for box in boxes], object)
    return Crystals(outlines, {"defocus_px": np.ones(len(boxes)), "score": np.ones(len(boxes))})


def test_faces_stand_for_their_crystal_and_dust_for_nothing() -> None:
    truth = truth_of([(0, 1)])
    crystals = found((0, 0, 60, 60), (60, 0, 118, 60), (5, 5, 25, 25), (0, 100, 9, 109))
    stands_for = answers_for(truth.crystals, crystals)
    assert stands_for.tolist() == [0, 1, 0, -1]
    pairs = neighbour_pairs(crystals)
    touch = label_pairs(pairs, stands_for, paper_classes(truth).contacts)
    named = {(int(a), int(b)): bool(t) for a, b, t in zip(pairs.row_a, pairs.row_b, touch,
                                                          strict=True)}  # fmt: skip
    assert named[0, 1]
    assert not named[0, 2]  # a face of the crystal itself


def test_examples_are_judged_where_they_match() -> None:
    truth = truth_of([(0, 1)], ignore=[False, False, False, True])
    classes = paper_classes(truth)
    outlined = found((0, 0, 60, 60), (60, 0, 120, 60), (180, 0, 240, 60))
    example = found_example(outlined, outlined.take(slice(0)), truth.crystals, classes)
    judged = judge(example)
    assert judged.rows.tolist() == [0, 1]
    assert judged.agglomerated.tolist() == [True, True]
    exact = exact_example(truth.crystals, classes)
    assert len(exact.crystals) == 3
    score = score_examples(load_contact_model("exact"), [exact])
    assert score.asked == 3
    # the third touches the second in the picture at the same blur: nothing tells it apart
    assert score.found.tolist() == [True, True, True]
    assert score.accuracy == pytest.approx(2 / 3)
    assert (score.recall, score.precision) == (1.0, pytest.approx(2 / 3))
    assert score.f1 == pytest.approx(0.8)
