from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from crystalgauge.core import ArgumentError
from crystalgauge.render.degrade import (
    ORDER,
    Chance,
    Degradations,
    Drawn,
    Orientation,
    Outlines,
    Vessel,
    degrade,
    map_outlines,
    sample_degradations,
)

SHAPE = (96, 140)
SQUARE = Outlines(np.array([[30, 30], [60, 30], [60, 60], [30, 60]], float), np.array([0, 4]))


def picture(shape=SHAPE, seed=1):
    return np.random.default_rng(seed).integers(60, 200, shape).astype(np.uint8)


def draw(config, shape=SHAPE, seed=3):
    return sample_degradations(np.random.default_rng(seed), shape, config)


def only(name):
    return replace(Degradations.none(), **{name: getattr(Degradations.all_on(), name)})


def test_the_order_names_every_degradation_once():
    assert sorted(ORDER) == sorted(field.name for field in fields(Degradations))
    assert ORDER[0] == "orientation"


def test_the_same_seed_gives_the_same_bytes():
    config = Degradations.all_on()
    first, again = draw(config), draw(config)
    assert first == again
    image = picture()
    assert degrade(image, first, SQUARE).tobytes() == degrade(image, again, SQUARE).tobytes()
    assert draw(config, seed=4) != first


@pytest.mark.parametrize("name", ORDER)
def test_each_changes_the_picture_and_leaves_the_given_one(name):
    image = picture()
    before = image.copy()
    changed = [
        degrade(image, draw(only(name), seed=seed), SQUARE).tobytes() != before.tobytes()
        for seed in range(5)
    ]
    # one of eight orientations changes nothing; a share of crystals is left unmarked
    assert any(changed)
    np.testing.assert_array_equal(image, before)


def test_none_changes_nothing():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    drawn = draw(Degradations.none(), (16, 16))
    assert drawn == Drawn((16, 16))
    np.testing.assert_array_equal(degrade(levels, drawn), levels)
    assert drawn.seen(SQUARE).all()


def test_switching_one_off_leaves_the_others_as_they_are():
    config = Degradations.all_on()
    without = draw(replace(config, aggregate=Chance(0.0)))
    assert without == replace(draw(config), aggregate=None)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 2), (3, 64), (130, 67)])
@pytest.mark.parametrize("fill", ["noise", "black", "white"])
def test_any_size_and_any_picture_stays_a_picture(shape, fill):
    image = {
        "noise": np.random.default_rng(0).random(shape, np.float32),
        "black": np.zeros(shape, np.float32),
        "white": np.ones(shape, np.float32),
    }[fill]
    for seed in range(3):
        drawn = draw(Degradations.all_on(), shape, seed)
        for given in (image, (255 * image).astype(np.uint8)):
            result = degrade(given, drawn, SQUARE)
            turned = drawn.orientation.quarter_turns % 2
            assert result.shape == (shape[::-1] if turned else shape)
            assert result.dtype == given.dtype
            assert np.all(np.isfinite(result))
            assert result.min() >= 0
            assert result.max() <= (1 if given is image else 255)


def test_bytes_are_the_rounded_greys():
    image = picture()
    drawn = draw(Degradations.all_on())
    grey = degrade(image.astype(np.float32) * np.float32(1 / 255), drawn, SQUARE)
    np.testing.assert_array_equal(degrade(image, drawn, SQUARE), np.floor(grey * 255 + 0.5))


def test_marks_follow_the_turned_crystals():
    config = replace(only("orientation"), marks=Chance(1.0, (0.2, 0.2)))
    flat = np.full(SHAPE, 0.5, np.float32)
    for seed in range(40):
        drawn = draw(config, seed=seed)
        change = degrade(flat, drawn, SQUARE) != 0.5
        if drawn.orientation.quarter_turns and change.any():
            break
    rows, columns = np.nonzero(change)
    low, high = np.sort(map_outlines(SQUARE, drawn.matrix).points, axis=0)[[0, -1]]
    reach = 2.5 * drawn.marks.softness_px + 1
    assert abs(columns.min() - low[0]) <= reach
    assert abs(rows.min() - low[1]) <= reach
    assert abs(columns.max() - high[0]) <= reach
    assert abs(rows.max() - high[1]) <= reach


def test_the_wall_is_in_the_turned_frame():
    drawn = Drawn(SHAPE, orientation=Orientation(True, 1), vessel=Vessel(96, 0, 40, 2, 0.0))
    # mirrored: the upper right corner goes to the upper left, and by the turn to the upper right
    corner = Outlines(SQUARE.points - 30 + [105, 0], SQUARE.offsets)
    assert drawn.seen(corner).tolist() == [True]
    assert drawn.seen(SQUARE).tolist() == [False]


def test_probabilities_and_strengths_are_kept():
    config = replace(Degradations.none(), grain=Chance(0.3, (0.01, 0.02)))
    drawn = [draw(config, seed=seed).grain for seed in range(400)]
    used = [grain.deviation for grain in drawn if grain is not None]
    assert len(used) / 400 == pytest.approx(0.3, abs=0.1)  # standard error 0.023
    assert 0.01 <= min(used) < 0.0115
    assert 0.0185 < max(used) <= 0.02


def test_the_papers_contrast_is_exact():
    drawn = [draw(Degradations.paper(), seed=seed) for seed in range(30)]
    contrasts = {d.contrast for each in drawn for d in (each.aggregate, each.film) if d}
    assert contrasts == {5.0}


def test_impossible_settings_are_refused():
    with pytest.raises(ArgumentError, match="within 0 and 1"):
        Chance(1.2)
    with pytest.raises(ArgumentError, match="least and its most"):
        Chance(0.5, (0.3, 0.1))
    with pytest.raises(ArgumentError, match="drawn for"):
        degrade(picture((5, 5)), draw(Degradations.none()))
    with pytest.raises(ArgumentError, match="int16"):
        degrade(picture().astype(np.int16), draw(Degradations.none()))
