from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from crystalgauge.core.errors import ArgumentError
from crystalgauge.scenes.backdrop import KINDS, BackdropConfig, sample_backdrop
from crystalgauge.scenes.backdrop_fields import Illumination

SHAPE = (384, 384)


def only(kind):
    """A configuration in which every picture has one kind of part."""
    return BackdropConfig(plain=0, busy=0, counts=(0, 1, 0, 0), weights=((kind, 1.0),))


def numbers_of(value):
    """All numbers in nested dataclasses and tuples."""
    if dataclasses.is_dataclass(value):
        value = tuple(getattr(value, field.name) for field in dataclasses.fields(value))
    if isinstance(value, tuple):
        return [number for item in value for number in numbers_of(item)]
    return [value] if isinstance(value, int | float) else []


def test_same_generator_same_backdrop():
    first = [sample_backdrop(np.random.default_rng(seed), SHAPE) for seed in range(40)]
    again = [sample_backdrop(np.random.default_rng(seed), SHAPE) for seed in range(40)]
    assert first == again
    assert len(set(first)) == 40  # frozen all the way down: hashable


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 1), (37, 211), SHAPE])
def test_every_kind_draws_finite_plain_numbers(kind, shape):
    rng = np.random.default_rng(1)
    for _ in range(10):
        backdrop = sample_backdrop(rng, shape, only(kind))
        assert len(backdrop.elements) > 1
        numbers = numbers_of(backdrop)
        assert all(math.isfinite(number) for number in numbers)
        assert {type(number) for number in numbers} <= {int, float, bool}


def test_how_many_pictures_are_plain_and_busy():
    rng = np.random.default_rng(2)
    kinds = [
        len({type(e) for e in sample_backdrop(rng, SHAPE).elements} - {Illumination})
        for _ in range(1500)
    ]
    # plain 10 % and 13 % of the 82 % that are neither plain nor busy: 20.7 %, standard error 1 %.
    assert np.mean(np.equal(kinds, 0)) == pytest.approx(0.207, abs=0.04)
    # Busy pictures have five to eight kinds; some kinds share a type of element.
    assert np.mean(np.greater(kinds, 3)) == pytest.approx(0.08, abs=0.03)


def test_the_lamp_comes_first_and_plain_pictures_have_nothing_else():
    config = BackdropConfig(plain=1.0, busy=0.0)
    backdrop = sample_backdrop(np.random.default_rng(0), SHAPE, config)
    assert [type(element) for element in backdrop.elements] == [Illumination]


def test_kinds_left_out_never_appear():
    config = BackdropConfig(plain=0, busy=1.0, weights=())
    backdrop = sample_backdrop(np.random.default_rng(0), SHAPE, config)
    assert len(backdrop.elements) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"weights": (("ghosts", 1.0),)},
            "unknown kinds of backdrop ghosts; the kinds are fringes",
        ),
        ({"plain": -0.1}, "must not be negative"),
        ({"plain": 0.6, "busy": 0.6}, "plain [+] busy at most 1"),
        ({"counts": (0, 0, 0, 0)}, "counts not all 0"),
    ],
)
def test_bad_configurations_are_refused(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        BackdropConfig(**arguments)
