"""Sizes of agglomerates as one particle, and without what is blurred."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from test_contacts import BOXES, Known, exact_model, picture

from crystalgauge.core import ArgumentError, Calibration
from crystalgauge.measure.frame_correction import frame_weights
from crystalgauge.pipeline import Settings, measure, measure_batch
from crystalgauge.pipeline.particles import Sizing, particle_table

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["exact_model"]

AREAS = [float((x1 - x0) * (y1 - y0)) for x0, y0, x1, y1 in BOXES]


def diameter(area: float) -> float:
    return float(np.sqrt(4 * area / np.pi))


def table(**columns: Any) -> pl.DataFrame:
    given: dict[str, Any] = {
        "equivalent_diameter_px": [diameter(area) for area in AREAS],
        "touches_border": [False] * 3, "frame_weight": [1.0] * 3, "defocus_px": [1.0, 2.0, 4.0],
        "agglomerate_id": [1, 1, 0],
        "agglomerate_diameter_px": [diameter(AREAS[0] + AREAS[1])] * 2 + [diameter(AREAS[2])],
    }  # fmt: skip
    return pl.DataFrame({**given, **columns})


def test_crystals_that_touch_are_one_particle_with_the_bounds_of_all() -> None:
    bounds = np.array(BOXES, float)
    sized = particle_table(table(), bounds, (160, 340), Calibration(0.5), Sizing("agglomerates"))
    assert sized.table["equivalent_diameter_px"].to_list() == pytest.approx(
        [diameter(AREAS[0] + AREAS[1]), diameter(AREAS[2])]
    )
    assert sized.table["equivalent_diameter_um"][0] == pytest.approx(
        0.5 * diameter(AREAS[0] + AREAS[1])
    )
    union = np.array([[40, 40, 160, 110], BOXES[2]], float)
    assert sized.table["frame_weight"].to_list() == frame_weights(union, (160, 340)).tolist()
    assert sized.table["defocus_px"].to_list() == [1.5, 4.0]
    cut = particle_table(
        table(touches_border=[True, False, False]), bounds, (160, 340), None, Sizing("agglomerates")
    )
    assert cut.table["touches_border"].to_list() == [True, False]
    assert cut.table["frame_weight"][0] == 0


def test_what_is_blurred_is_left_out_and_counted() -> None:
    bounds = np.array(BOXES, float)
    for sizing, kept, lost in (
        (Sizing("crystals", 2.0), 2, 1),
        (Sizing("agglomerates", 2.0), 1, 1),
        (Sizing("agglomerates", 1.0), 0, 2),
    ):
        sized = particle_table(table(), bounds, (160, 340), None, sizing)
        assert (len(sized.table), sized.n_blurred) == (kept, lost)
    unknown = particle_table(
        table(defocus_px=[None, 1.0, 9.0]), bounds, (160, 340), None, Sizing("crystals", 2.0)
    )
    assert len(unknown.table) == 2


def test_the_summary_says_what_its_sizes_are_of() -> None:
    single = measure(picture(), detector=Known(1.0))
    joined = measure(picture(), detector=Known(1.0), particles="agglomerates")
    assert single.summary.number.d90.value == pytest.approx(diameter(AREAS[1]))
    assert joined.summary.number.d90.value == pytest.approx(diameter(AREAS[0] + AREAS[1]), rel=1e-3)
    assert (joined.summary.n_crystals, joined.summary.n_sized) == (3, 2)
    assert "3 crystals, 2 particles" in joined.summary.notes[0]
    assert len(joined.table) == 3
    sharp = measure(picture(), detector=Known(1.0), max_crystal_blur_px=0.5)
    assert sharp.summary.n_sized == 0
    assert "3 crystals with a blur above 0.5 px" in sharp.summary.notes[0]


def test_a_batch_pools_particles_and_says_so(tmp_path: Path) -> None:
    from PIL import Image

    for index in range(2):
        Image.fromarray(picture().pixels).save(tmp_path / f"{index}.png")
    out = tmp_path / "out"
    settings = Settings(particles="agglomerates", max_crystal_blur_px=3.0)
    measure_batch([tmp_path / "*.png"], out, settings=settings, detector=Known(1.0))
    page = (out / "report.html").read_text()
    assert "Sizes are of agglomerates" in page
    assert "6 crystals, 4 particles" in page
    assert "Particles per area" in page
    assert "n = 4 particles in 2 pictures" in page
    images = pl.read_csv(out / "images.csv")
    assert images["n_sized"].to_list() == [2, 2]
    saved = measure(picture(), detector=Known(1.0), particles="agglomerates").save(tmp_path / "one")
    assert "3 crystals, 2 particles" in (saved / "report.html").read_text()


@pytest.mark.parametrize("bad", [{"particles": "heaps"}, {"max_crystal_blur_px": 0.0}])
def test_bad_settings_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match=r"not 'heaps'|above 0 px"):
        Settings(**bad)
