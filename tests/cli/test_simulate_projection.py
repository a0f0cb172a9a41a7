"""The time a long rendering takes is projected from a measured rate, once."""

from __future__ import annotations

from crystalgauge.cli.simulate import Projection


def spoken_after(rate: float, total: int, already: int = 0) -> list[str]:
    said: list[str] = []
    now = 0.0
    project = Projection(total, said.append, lambda: now)
    for second in range(30):
        now = float(second)
        project(already + int(rate * second))
    return said


def test_the_projection_follows_from_the_rate_and_is_said_once() -> None:
    (sentence,) = spoken_after(40.0, 332_558)
    assert "40.0 pictures/s" in sentence
    assert f"{332_558 - 400} pictures left" in sentence
    assert "2.3 h" in sentence  # 332158 / 40 s


def test_pictures_of_an_earlier_run_do_not_count_as_made() -> None:
    (sentence,) = spoken_after(10.0, 332_558, already=300_000)
    assert "10.0 pictures/s" in sentence
    assert "54 min" in sentence


def test_short_work_needs_no_projection() -> None:
    assert spoken_after(40.0, 500) == []


def test_a_slow_first_picture_is_no_rate() -> None:
    said: list[str] = []
    now = 0.0
    project = Projection(50, said.append, lambda: now)
    project(0)
    now = 60.0  # kernels were compiled
    project(1)
    assert said == []
