"""The trend page: what it says, and that nothing in it runs."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from crystalgauge.monitor.alarms import (
    Cusum,
    cusum_alarms,
    cusum_series,
    parse_threshold,
    threshold_alarms,
)
from crystalgauge.monitor.figures import MOST_BARS, MOST_POINTS, Line, time_figure
from crystalgauge.monitor.page import trend_page
from crystalgauge.monitor.records import FileState, StoredSettings
from crystalgauge.monitor.source import Stamp
from crystalgauge.monitor.trends import QUARTILE_COLUMNS, Trend

if TYPE_CHECKING:
    from crystalgauge.monitor.alarms import Alarm

HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=alert(1)> {{ 709*811 }} </title> ü漢.png"
START = datetime(2026, 3, 1, 10)


class Elements(HTMLParser):
    """Collect tags with attributes, and the text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


def pictures(values: list[float | None], names: list[str] | None = None) -> pl.DataFrame:
    """Return rows of pictures whose D50 is given, one a minute."""
    number = len(values)
    d50 = pl.Series("number_d50_um", values, dtype=pl.Float64)
    columns: dict[str, Any] = {
        "path": [f"/in/{name}" for name in names or [f"{k}.png" for k in range(number)]],
        "page": [1] * number,
        "in_series": [False] * number,
        "time_utc": [START + timedelta(minutes=k) for k in range(number)],
        "time_origin": ["mtime"] * number,
        "n_crystals": [12] * number,
        "n_whole": [10] * number,
        "coverage": [0.25] * number,
    }
    frame = pl.DataFrame(columns).with_columns(d50, (d50 - 2).alias("number_d50_um_low"),
                                               (d50 + 3).alias("number_d50_um_high"))  # fmt: skip
    for column in QUARTILE_COLUMNS:
        name = column if column == "aspect_ratio" else f"{column}_um"
        frame = frame.with_columns(
            [(d50 + shift).alias(f"{name}_q{q}") for q, shift in ((25, -1), (50, 0), (75, 1))]
        )
    return frame


def trend(frame: pl.DataFrame, *limits: str, cusum: Cusum | None = None, **more: Any) -> Trend:
    thresholds = [parse_threshold(text) for text in limits]
    made = Trend(frame, "um", thresholds=thresholds, cusums=[cusum] if cusum else [], **more)
    alarms: list[Alarm] = [
        alarm for each in thresholds for alarm in threshold_alarms(made.values(each.name), each)
    ]
    sums = [cusum_series(made.values(each.name), each) for each in made.cusums]
    for each, series in zip(made.cusums, sums, strict=True):
        alarms += cusum_alarms(series, each) if series else []
    return Trend(**{**vars(made), "alarms": alarms, "sums": sums})


def specs(text: str) -> list[dict[str, Any]]:
    found = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)
    return [json.loads(each) for each in found]


def test_hostile_names_and_messages_run_nowhere() -> None:
    file = FileState(HOSTILE, Stamp(1, 1), "", "failed", HOSTILE)
    settings = StoredSettings("f", HOSTILE, {HOSTILE: HOSTILE}, {"model": HOSTILE})
    frame = pictures([10.0, 30.0], [HOSTILE.replace("/", ":"), "b.png"])
    text = trend_page(trend(frame, "number_d50_um<20", files=[file], settings=[settings]))
    elements = Elements(text)
    scripts = [attributes for tag, attributes in elements.tags if tag == "script"]
    assert len(scripts) == len(specs(text)) + 2
    assert "img" not in {tag for tag, _ in elements.tags}
    assert not any(name.startswith("on") for _, attributes in elements.tags for name in attributes)
    assert elements.text.count(HOSTILE) == 6
    assert elements.text.count(HOSTILE.replace("/", ":")) == 2
    assert "574999" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)


def test_control_characters_of_names_are_shown_as_escapes() -> None:
    text = trend_page(trend(pictures([10.0], ["a\x1b[31m\n\u202eb.png"])))
    assert r"a\x1b[31m\n\u202eb.png" in Elements(text).text


def test_the_page_asks_for_nothing() -> None:
    elements = Elements(trend_page(trend(pictures([10.0, 11.0]))))
    for tag, attributes in elements.tags:
        assert not attributes.get("src")
        assert tag not in ("link", "iframe", "object", "embed", "base")
    policy = next(a for t, a in elements.tags if t == "meta" and "http-equiv" in a)
    assert (policy["content"] or "").startswith("default-src 'none'")


def test_numbers_come_with_interval_and_n() -> None:
    words = " ".join(Elements(trend_page(trend(pictures([10.0, 12.0])))).text.split())
    assert "12 µm 10 to 15, n = 10, last picture that has one" in words
    assert "1.png" in words
    assert "12 (10 to 15)" in words
    assert "24 in 2 pictures" in words


def test_alarms_are_listed_newest_first_and_marked() -> None:
    values = [10.0, 30.0, 10.0, 40.0]
    text = trend_page(trend(pictures(values), "number_d50_um>20"))
    words = " ".join(Elements(text).text.split())
    first, second = (words.index(each) for each in ("40 (38 to 43)", "30 (28 to 33)"))
    assert first < second
    assert "stands" in words
    assert "Looked for: number_d50_um > 20." in words
    d50 = specs(text)[0]
    assert d50["layout"]["shapes"][0]["y0"] == 20
    assert d50["data"][-1]["y"] == [30.0, 40.0]


def test_a_drift_is_drawn_with_its_window() -> None:
    values = [10.0, 11.0, 10.0, 11.0, 10.5, 20.0, 30.0]
    text = trend_page(trend(pictures(values), cusum=Cusum("number_d50_um", reference=5)))
    assert "Drift of number_d50_um" in text
    limit, window = specs(text)[-1]["layout"]["shapes"]
    assert limit["y0"] == 5
    assert window["x1"] > window["x0"]
    assert "drifts upwards" in text


def test_why_no_drift_can_be_looked_for() -> None:
    page = trend_page(trend(pictures([10.0]), cusum=Cusum("number_d50_um")))
    assert "needs 20 pictures that have the figure, and there are 1" in page
    page = trend_page(trend(pictures([10.0] * 20), cusum=Cusum("number_d50_um")))
    assert "does not vary" in page


@pytest.mark.parametrize("values", [[10.0], [None], [None, 5.0, None], [7.0] * 3])
def test_few_points_and_gaps_are_drawn(values: list[float | None]) -> None:
    for spec in specs(trend_page(trend(pictures(values)))):
        low, high = spec["layout"]["xaxis"]["range"]
        assert low < high
        for trace in spec["data"]:
            assert None not in trace["y"]


def test_nothing_measured() -> None:
    file = FileState("/in/a.png", Stamp(1, 1), "", "failed", "is torn")
    text = trend_page(trend(pl.DataFrame(), files=[file]))
    assert "Nothing was measured yet" in text
    assert "is torn" in text
    assert "plotly.js v" not in text


def test_what_a_reader_must_know_first() -> None:
    frame = pictures([10.0, 11.0]).with_columns(time_origin=pl.Series(["name", "mtime"]))
    settings = [StoredSettings("a", "1.0", {}, {}), StoredSettings("b", "2.0", {}, {})]
    made = trend(frame, uncalibrated=3, settings=settings)
    text = " ".join(Elements(trend_page(made)).text.split())
    assert "3 pictures without a pixel size left out" in text
    assert "times of modification, file names" in text or "different origins" in text
    assert "More than one version" in text
    pixels = Trend(**{**vars(made), "unit": "px"})
    assert "Not calibrated: lengths are in px" in trend_page(pixels)


def test_many_points_become_bands_and_medians() -> None:
    def drawn(number: int) -> list[dict[str, Any]]:
        values = np.arange(number, dtype=float)
        times = [START + timedelta(minutes=k) for k in range(number)]
        line = Line("a", ("a",), values, values - 1, values + 1, np.ones(number))
        figure = time_figure("t", times, [line], unit="", caption="")
        return list(figure.spec["data"])

    (few,) = drawn(MOST_BARS)
    assert few["error_y"]["array"] == [1.0] * MOST_BARS
    band, curve = drawn(MOST_BARS + 1)
    assert band["fill"] == "toself"
    assert "error_y" not in curve
    _, thinned = drawn(3 * MOST_POINTS)
    assert len(thinned["y"]) == MOST_POINTS
    assert thinned["y"][:2] == [1.0, 4.0]
    assert "n = 3" in thinned["text"][0]
