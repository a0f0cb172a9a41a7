"""Agglomerates in tables, figures, overlays and the page of a batch."""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np
import polars as pl
import pytest
import shapely

from crystalgauge.agglomeration import load_contact_model
from crystalgauge.core import ArgumentError, Crystals, Micrograph
from crystalgauge.measure import define
from crystalgauge.pipeline import Settings, measure
from crystalgauge.pipeline.contact_figures import agglomeration_tables
from crystalgauge.pipeline.contacts import judge_contacts
from crystalgauge.predict import Prediction

BOXES = [(40, 40, 100, 100), (100, 45, 160, 110), (240, 60, 300, 120)]
"""Two squares side by side, and one alone."""


@pytest.fixture(autouse=True)
def exact_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge by the model for exact outlines, as the known ones are."""
    exact = load_contact_model("exact")
    monkeypatch.setattr("crystalgauge.agglomeration.graph.load_contact_model", lambda: exact)


class Known:
    """A detector that knows what is there."""

    provenance: ClassVar = {"model": "known"}

    def __init__(self, blur: float) -> None:
        self.blur = blur

    def __call__(self, micrograph: Micrograph, progress: object = None) -> Prediction:
        outlines = np.array([shapely.box(*box) for box in BOXES], object)
        values = {"defocus_px": np.full(3, self.blur), "score": np.full(3, 0.9)}
        return Prediction(Crystals(outlines, values))


def picture() -> Micrograph:
    grey = np.full((160, 340), 200.0)
    for value, (x0, y0, x1, y1) in zip((90, 110, 100), BOXES, strict=True):
        grey[y0:y1, x0:x1] = value
    return Micrograph(cv2.GaussianBlur(grey, (0, 0), 1.0).astype(np.uint8))


def test_a_measurement_tells_agglomerates() -> None:
    found = measure(picture(), detector=Known(1.0))
    assert found.table["agglomerate_id"].to_list() == [1, 1, 0]
    assert found.table["agglomerated"].to_list() == [True, True, False]
    probability = found.table["contact_probability"].to_numpy()
    assert probability[:2].min() > 0.5
    assert probability[2] == 0
    figures = found.record().summary
    assert figures["n_agglomerates"] == 1
    assert figures["n_agglomerated"] == 2
    degree = figures["agglomeration_degree_number"]
    assert degree == pytest.approx(probability.mean())
    low, high = (figures[f"agglomeration_degree_number_{end}"] for end in ("low", "high"))
    assert low <= degree <= high
    for name in (*found.agglomeration, "agglomerate_id", "agglomerated", "contact_probability"):
        assert define(name).title


def test_agglomerates_have_rows_of_their_own(tmp_path) -> None:
    found = measure(picture(), detector=Known(1.0), pixel_size_um=0.5)
    found.save(tmp_path)
    rows = pl.read_csv(tmp_path / "agglomerates.csv")
    assert rows["members"].to_list() == [2]
    area = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in BOXES[:2])
    assert rows["agglomerate_diameter_px"][0] == pytest.approx(np.sqrt(4 * area / np.pi))
    assert rows["agglomerate_diameter_um"][0] == pytest.approx(np.sqrt(area / np.pi))
    # the side they share is 55 px long, and corners add a little
    assert 55 <= rows["contact_length_px"][0] < 62
    single = found.table.row(2, named=True)
    assert single["agglomerate_diameter_px"] == pytest.approx(single["equivalent_diameter_px"])


def test_without_blur_there_is_no_judgement() -> None:
    found = measure(picture(), detector=Known(float("nan")))
    assert "agglomerate_id" not in found.table.columns
    assert found.agglomeration == {}


def test_nobody_there() -> None:
    contacts = judge_contacts(picture(), Crystals.empty())
    assert contacts.figures["n_agglomerates"] == 0
    assert contacts.figures["agglomeration_degree_number"] is None
    assert "agglomerate_id" in contacts.crystals


def test_a_crystal_may_touch_what_is_too_doubtful_to_report() -> None:
    every = Known(1.0)(picture()).crystals
    alone = judge_contacts(picture(), every.take([0, 2]))
    assert alone.figures["n_agglomerated"] == 0
    unknown = every.take([1]).with_columns(defocus_px=[np.nan])
    assert judge_contacts(picture(), every.take([0, 2]), unknown).figures["n_agglomerated"] == 0
    joined = judge_contacts(picture(), every.take([0, 2]), every.take([1]))
    assert joined.crystals["agglomerated"].tolist() == [True, False]
    assert len(joined.crystals) == 2
    assert joined.figures["n_agglomerates"] == 1


def test_members_of_an_agglomerate_have_its_colour() -> None:
    found = measure(picture(), detector=Known(1.0))
    plain, joined = found.overlay(), found.overlay(colour="agglomerates")
    assert plain.shape == joined.shape
    first, second, alone = (joined[y, x].astype(int) for y, x in ((70, 40), (110, 130), (90, 240)))
    assert np.abs(first - second).max() < 60
    assert np.ptp(alone) < 30  # grey
    assert np.ptp(first) > 80
    with pytest.raises(ArgumentError, match="coloured by score or agglomerates"):
        Settings(colour="size")


def test_the_page_sums_up_all_pictures() -> None:
    found = measure(picture(), detector=Known(1.0))
    both = pl.concat([found.table.with_columns(picture=pl.lit(name)) for name in ("a", "b")])
    (table,) = agglomeration_tables(both.lazy())
    assert [row.cells[0] for row in table.rows[:2]] == ["2", "4"]
    assert "6 crystals in 2 pictures" in table.caption
    assert agglomeration_tables(both.drop("agglomerate_id").lazy()) == []
    assert agglomeration_tables(both.clear().lazy()) == []
