"""The shipped model: which scales it takes, and what it reports on the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

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


def test_what_is_below_the_least_score_is_kept_aside_as_doubtful() -> None:
    strict = Predictor("crystals", engine="onnxruntime", threads=1, min_score=0.8, scales=(1.0,))
    said = strict(window("prisms.jpg"))
    assert said.doubtful is not None
    assert (said.crystals["score"] >= 0.8).all()
    assert (said.doubtful["score"] < 0.8).all()
    assert len(said.doubtful)
