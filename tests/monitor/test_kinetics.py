"""Pictures pooled into samples, and the kinetics that the trend page tells of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from test_page import Elements, specs

from crystalgauge.core import ArgumentError
from crystalgauge.measure import define
from crystalgauge.monitor.page import trend_page
from crystalgauge.monitor.pooling import MOST_WINDOWS, parse_duration, pool_pictures
from crystalgauge.monitor.process_kinetics import ProcessKinetics, process_kinetics
from crystalgauge.monitor.trends import Trend

if TYPE_CHECKING:
    from numpy.typing import NDArray

START = datetime(2026, 3, 1, 10)
GROWTH, BIRTH, ONSET, LEAST = 20.0, 50.0, 0.4, 2.0


class Rows:
    """Stands for a store: the crystals of pictures."""

    def __init__(self, pictures: list[NDArray[np.float64]], weights: float = 1.0) -> None:
        self.numbers = np.repeat(np.arange(len(pictures)), [len(sizes) for sizes in pictures])
        self.sizes, self.weight = np.concatenate([np.empty(0), *pictures]), weights

    def crystals(self, columns: list[str]) -> pl.DataFrame:
        weights = np.full(len(self.sizes), self.weight)
        data = (self.numbers, self.sizes, weights)
        return pl.DataFrame(dict(zip(("picture_id", *columns), data, strict=True)))


def process(per_sample: int = 6, samples: int = 14) -> tuple[Rows, pl.DataFrame]:
    """Return bursts of pictures, 10 s apart, of a process with constant growth and nucleation."""
    rng = np.random.default_rng(17)
    sizes, seconds = [], []
    for hours in np.linspace(0.1, 3, samples):
        for index in range(per_sample):
            life = max(hours - ONSET, 0)
            born = GROWTH * rng.uniform(0, life, rng.poisson(BIRTH * life))
            sizes.append(born[born > LEAST])
            seconds.append(3600 * hours + 10 * index)
    return Rows(sizes), frame(seconds)


def frame(seconds: list[float]) -> pl.DataFrame:
    number = len(seconds)
    return pl.DataFrame({
        "id": np.arange(number),
        "time_utc": [START + timedelta(seconds=float(second)) for second in seconds],
        "width_px": [2000] * number, "height_px": [2000] * number,
        "pixel_size_um": [0.5] * number,  # a picture is 1 mm²
        "path": [f"/in/{k}.png" for k in range(number)], "page": [1] * number,
        "in_series": [False] * number, "time_origin": ["mtime"] * number,
        "n_crystals": [3] * number, "n_whole": [3] * number,
    })  # fmt: skip


def found_in(rows: Rows, pictures: pl.DataFrame, **how: Any) -> ProcessKinetics:
    found = process_kinetics(rows, pictures, "um", weighted=True, **how)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_durations_are_read() -> None:
    assert [parse_duration(text) for text in ("90s", "30 min", "2h", "1.5d")] == [
        0.025, 0.5, 2.0, 36.0
    ]  # fmt: skip
    for text in ("", "10", "0min", "-1h", "1e3h", "1..2h", "soon"):
        with pytest.raises(ArgumentError, match="write it as"):
            parse_duration(text)


def test_bursts_windows_and_single_pictures() -> None:
    bursts = pool_pictures(np.repeat(np.arange(5.0), 3) + np.tile([0, 0.01, 0.03], 5))
    assert bursts.way == "bursts"
    assert bursts.number.tolist() == np.repeat(np.arange(5), 3).tolist()
    even = pool_pictures(np.arange(240) / 10)
    assert (even.way, even.number[-1] + 1) == ("windows", MOST_WINDOWS)
    assert np.bincount(even.number).tolist() == [10] * MOST_WINDOWS
    few = pool_pictures(np.array([0.0, 1.0, 1.0, 2.0]))
    assert (few.way, few.number.tolist()) == ("single", [0, 1, 1, 2])
    # three pauses of a night are no reason to take a day's pictures together
    days = np.concatenate([24 * day + np.arange(0, 10, 0.1) for day in range(4)])
    assert pool_pictures(days).way == "bursts"
    shift = np.concatenate([24 * day + np.arange(0, 20, 0.1) for day in range(4)])
    assert pool_pictures(shift).way == "windows"
    asked = pool_pictures(np.array([0.0, 0.4, 0.6, 3.0]), 0.5)
    assert (asked.way, asked.number.tolist()) == ("asked", [0, 0, 1, 2])
    assert len(pool_pictures(np.empty(0)).number) == 0
    with pytest.raises(ArgumentError, match="above 0"):
        pool_pictures(np.arange(3.0), 0.0)


def test_the_rates_of_a_simulated_process_are_found() -> None:
    rows, pictures = process()
    found = found_in(rows, pictures, least_size=LEAST)
    kinetics = found.kinetics
    assert kinetics is not None
    assert found.pools.way == "bursts"
    assert found.n_pictures.tolist() == [6] * 14
    assert found.n_crystals.sum() == len(rows.sizes)
    middle = slice(4, 12)
    for course, truth in (
        (kinetics.growth_rate, GROWTH),
        (kinetics.growth_rate_moments, GROWTH),
        (kinetics.nucleation_rate, BIRTH),
    ):
        holds = (course.low[middle] <= truth) & (truth <= course.high[middle])
        assert holds.sum() >= 7  # of 8 that go together
    fit = kinetics.delayed_nucleation
    # hours count from the first picture, and a nucleus is seen when it has the least size
    assert fit.onset_h == pytest.approx(ONSET + LEAST / GROWTH - 0.1, abs=0.1)


def test_the_table_has_names_of_the_glossary_and_the_weights_count() -> None:
    rows, pictures = process()
    table = found_in(rows, pictures).table()
    doubled = found_in(Rows([rows.sizes[rows.numbers == k] for k in range(len(pictures))], 2.0),
                       pictures).table()  # fmt: skip
    assert table.columns[:4] == ["time_utc", "time_h", "n_pictures", "n_crystals"]
    for name in table.columns[4::3]:
        if name != "number_per_mm2":
            assert define(name).name == name
    last = [each["number_per_mm2"][-1] for each in (table, doubled)]
    assert last[0] == pytest.approx(rows.sizes[rows.numbers >= len(pictures) - 6].size / 6)
    assert last[1] == pytest.approx(2 * last[0])


@pytest.mark.parametrize(
    ("samples", "why"), [(3, "different times or more, got 3"), (14, "no crystal is as large")]
)
def test_the_page_says_when_the_data_carry_no_kinetics(samples: int, why: str) -> None:
    rows, pictures = process(samples=samples)
    found = found_in(rows, pictures, pool_h=1 / 6, least_size=None if samples == 3 else 1e6)
    assert found.kinetics is None
    text = Elements(trend_page(Trend(pictures, "um", kinetics=found))).text
    assert "No kinetics can be told" in text
    assert why in text
    assert "within windows of 10 min are one sample" in text
    assert found.table().columns == ["time_utc", "time_h", "n_pictures", "n_crystals"]


def test_the_page_shows_rates_with_intervals_and_n() -> None:
    rows, pictures = process()
    found = found_in(rows, pictures, least_size=LEAST)
    text = trend_page(Trend(pictures, "um", kinetics=found))
    words = " ".join(Elements(text).text.split())
    assert "Induction time: 0." in words
    assert "h after the first picture (95 % interval 0." in words
    assert "14 samples of 6 pictures each" in words
    assert "Crystals from 2 µm on" in words
    rates = next(s for s in specs(text) if s["layout"]["yaxis"]["title"]["text"] == "G in µm/h")
    assert [trace["name"] for trace in rates["data"]] == ["from quantiles", "from moments"]
    assert "n = " in rates["data"][0]["text"][0]
    lowest, highest = rates["layout"]["yaxis"]["range"]
    assert -20 < lowest < GROWTH < highest < 200  # the first moments have intervals of thousands
    density = next(s for s in specs(text) if "per mm²" in s["layout"]["yaxis"]["title"]["text"])
    (shaded,) = [shape for shape in density["layout"]["shapes"] if shape["type"] == "rect"]
    assert shaded["x0"] < shaded["x1"]


def test_nothing_measured_and_bad_arguments() -> None:
    rows, pictures = process()
    assert process_kinetics(rows, pictures[:0], "um", weighted=True) is None  # type: ignore[arg-type]
    for least in (0.0, -1.0, np.inf):
        with pytest.raises(ArgumentError, match="least size"):
            found_in(rows, pictures, least_size=least)
