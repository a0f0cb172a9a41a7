"""The shipped model: which scales it takes, and what it reports on the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from crystalgauge.cli.options import parse_scales
from crystalgauge.core import Micrograph
from crystalgauge.io import read_micrograph
from crystalgauge.predict import Predictor

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor("crystals", engine="onnxruntime", threads=1)


def window(name: str) -> Micrograph:
    """Return the middle of an example."""
    return Micrograph(read_micrograph(EXAMPLES / name).grey()[200:600, 300:700])


def test_the_content_chooses_the_scale_and_progress_never_goes_back(predictor: Predictor) -> None:
    shares: list[float] = []
    found = predictor(window("fine.jpg"), shares.append)
    assert np.median(np.sqrt(4 * shapely.area(found.crystals.outlines) / np.pi)) < 20
    assert found.scales == (1.5, 1.0)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert predictor(window("prisms.jpg")).scales == (1.0,)


def test_scales_that_were_asked_for_are_kept(predictor: Predictor) -> None:
    asked = Predictor("crystals", engine="onnxruntime", threads=1, scales=(1.0,))
    found, enlarged = asked(window("fine.jpg")), predictor(window("fine.jpg"))
    assert found.scales == (1.0,)
    assert len(found.crystals) != len(enlarged.crystals)


def test_scales_are_read_as_written() -> None:
    assert parse_scales(" Careful") == "careful"
    assert parse_scales("auto") == "auto"
    assert parse_scales("1.5, 1") == (1.5, 1.0)


def test_a_careful_look_sees_the_mirror_image_alike() -> None:
    careful = Predictor("crystals", engine="onnxruntime", threads=1, scales="careful")
    assert careful.provenance["scales"] == "careful"
    seen = window("fine.jpg")
    shares: list[float] = []
    plain = careful(seen, shares.append)
    assert shares == sorted(shares)
    turned = careful(Micrograph(seen.pixels[:, ::-1]))
    assert len(plain.crystals) == len(turned.crystals)
    areas = [np.sort(shapely.area(found.crystals.outlines)) for found in (plain, turned)]
    assert areas[0] == pytest.approx(areas[1], rel=0.02)
    assert plain.scales == (1.5, 1.0)


def test_what_is_below_the_least_score_is_kept_aside_as_doubtful() -> None:
    strict = Predictor("crystals", engine="onnxruntime", threads=1, min_score=0.8, scales=(1.0,))
    said = strict(window("prisms.jpg"))
    assert said.doubtful is not None
    assert (said.crystals["score"] >= 0.8).all()
    assert (said.doubtful["score"] < 0.8).all()
    assert len(said.doubtful)
