"""The page: offline, escaped, complete, no heavier than it says."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import numpy as np
import pytest

from crystalgauge.report import (
    Card,
    Figure,
    FigureRow,
    FigureTable,
    PictureEntry,
    ReportContent,
    Term,
    page,
    render_page,
    thumbnail,
)
from crystalgauge.report.page import script_json

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "<script>alert(1)</script>\"'&</style> {{ 7*7 }} ü漢.png"


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


@pytest.fixture
def small_picture(tmp_path: Path) -> Path:
    path = tmp_path / "small.webp"
    path.write_bytes(thumbnail(np.zeros((20, 30, 3), np.uint8)))
    return path


@pytest.fixture
def hostile(small_picture: Path) -> ReportContent:
    return hostile_content(small_picture)


def hostile_content(small_picture: Path) -> ReportContent:
    return ReportContent(
        HOSTILE,
        HOSTILE,
        notices=[HOSTILE],
        cards=[Card(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)],
        figures=[Figure(HOSTILE, {"data": [{"name": HOSTILE}], "layout": {}}, HOSTILE)],
        tables=[FigureTable([HOSTILE], [FigureRow(HOSTILE, [HOSTILE], HOSTILE)], HOSTILE)],
        pictures=[
            PictureEntry(
                HOSTILE, "ok", HOSTILE, {HOSTILE: HOSTILE}, f"overlays/{HOSTILE}", small_picture
            ),
            PictureEntry(HOSTILE, "failed", HOSTILE),
        ],
        columns=["picture", HOSTILE],
        rows=[[HOSTILE, HOSTILE]],
        total_rows=1,
        glossary=[Term(HOSTILE, HOSTILE, HOSTILE, HOSTILE)],
        provenance={HOSTILE: HOSTILE},
    )


def test_hostile_names_are_shown_as_they_are_and_run_nowhere(hostile: ReportContent) -> None:
    text = render_page(hostile)
    elements = Elements(text)
    scripts = [attributes for tag, attributes in elements.tags if tag == "script"]
    assert len(scripts) == 3  # one figure's JSON, plotly, our own few lines
    assert elements.text.count(HOSTILE) >= 16
    assert "49" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)


def test_the_page_asks_for_nothing(hostile: ReportContent) -> None:
    elements = Elements(render_page(hostile))
    for tag, attributes in elements.tags:
        source = attributes.get("src") or ""
        assert source == "" or source.startswith("data:"), tag
        assert tag not in ("link", "iframe", "object", "embed", "base")
    policy = next(a for t, a in elements.tags if t == "meta" and "http-equiv" in a)
    assert (policy["content"] or "").startswith("default-src 'none'")


def test_plotly_is_there_once_and_only_when_needed(hostile: ReportContent) -> None:
    with_figure, without = render_page(hostile), render_page(ReportContent("nothing"))
    assert with_figure.count("plotly.js v") == 1
    assert "plotly.js v" not in without
    assert len(without) < 30_000


def test_links_are_quoted(hostile: ReportContent) -> None:
    elements = Elements(render_page(hostile))
    links = [attributes["href"] for tag, attributes in elements.tags if tag == "a"]
    assert links
    assert all(re.fullmatch(r"[\w/%.~()-]+", link or "") for link in links)


def test_script_json_survives_a_script_element() -> None:
    value = {"name": "</script><!-- & \u2028", "x": [1.5, 2]}
    text = script_json(value)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == value


def test_script_json_refuses_what_json_does_not_know() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        script_json({"x": float("nan")})


def test_overlays_beyond_the_budget_are_named_as_left_out(
    monkeypatch: pytest.MonkeyPatch, small_picture: Path
) -> None:
    thumb = small_picture
    monkeypatch.setattr(page, "THUMBNAIL_BUDGET", 2 * thumb.stat().st_size)
    entries = [PictureEntry(f"{n}.png", "ok", "", {}, f"overlays/{n}.png", thumb) for n in range(5)]
    text = render_page(ReportContent("many", pictures=entries))
    assert text.count("data:image/webp") == 2
    assert "3 more overlays would make this page too heavy" in text


def test_failures_come_first_when_not_all_pictures_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "LISTED_PICTURES", 2)
    entries = [PictureEntry(f"{n}.png", "ok") for n in range(4)]
    entries.append(PictureEntry("bad.png", "failed", "torn"))
    text = render_page(ReportContent("many", pictures=entries))
    assert "bad.png" in text
    assert "3 more pictures in" in text


def test_the_page_says_how_many_rows_it_leaves_out() -> None:
    text = render_page(ReportContent("t", columns=["a"], rows=[["1"], ["2"]], total_rows=9))
    assert "The first 2 of 9 crystals" in text
    whole = render_page(ReportContent("t", columns=["a"], rows=[["1"], ["2"]], total_rows=2))
    assert "The first" not in whole


def test_the_glossary_stands_on_the_headers() -> None:
    content = ReportContent(
        "t",
        columns=["picture", "feret_max_um"],
        rows=[["a", "1"]],
        glossary=[Term("feret_max_um", "Largest Feret diameter", "µm", "Between parallel lines.")],
    )
    headers = [attributes for tag, attributes in Elements(render_page(content)).tags if tag == "th"]
    titles = [attributes.get("title") for attributes in headers]
    assert "Largest Feret diameter (µm). Between parallel lines." in titles
