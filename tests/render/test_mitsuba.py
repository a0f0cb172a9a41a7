"""The tracer against Mitsuba; ``python tests/render/test_mitsuba.py`` renders the reference."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from crystalgauge.core import MissingExtraError
from crystalgauge.render.composite import trace_scene
from crystalgauge.render.mitsuba import disc_slopes, mitsuba_transmittance
from crystalgauge.scenes import (
    HabitLibrary,
    Optics,
    Population,
    Scene,
    SuspensionConfig,
    habit_library,
    sample_scene,
)
from crystalgauge.scenes.statistics import Crowd

FILE = Path(__file__).parent / "data" / "oracle.npz"
SIZE = 96
SHARP = Optics(1e-6, 0.18, 0.12, 0.05, (0.02, 0.03), directions=8, reflections=12)
DEEP = Optics(0.06, 0.18, 0.12, 0.05, (0.02, 0.03), directions=8, reflections=12)
DEPTH_PX = 60.0


def stored_scene(optics: Optics) -> Scene:
    """Return six crystals beside each other, as kept in the file; flat where there is no depth."""
    empty = SuspensionConfig(crowds=(Crowd("empty", 1.0, (0, 0), (9, 9), (9, 9)),))
    base = sample_scene(np.random.default_rng(0), (SIZE, SIZE), empty)
    with np.load(FILE) as kept:
        shapes = {name[6:]: kept[name] for name in kept.files if name.startswith("shape_")}
        position = kept["position"]
        if optics is SHARP:
            position = position * (1, 1, 0)
        crystals = Population.plain(
            np.arange(6), kept["size"], kept["rotation"], position, kept["index"]
        )
    return Scene(
        base.shape, crystals, HabitLibrary(**shapes), optics, base.backdrop, base.camera, "", 0
    )


def _draw() -> dict[str, np.ndarray]:
    library, rng = habit_library(0), np.random.default_rng(4)
    habits = ("prism", "bipyramid", "cuboid", "cube", "octahedron", "rhombohedron")
    rows = [int(rng.choice(library.rows_of(name))) for name in habits]
    turn = np.linalg.qr(rng.normal(size=(6, 3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))[:, None, None]
    grid = [(x, y) for x in (20, 48, 76) for y in (26, 70)]
    return {
        **{f"shape_{name}": values[rows] for name, values in vars(library).items()},
        "size": rng.uniform(20, 28, 6),
        "rotation": turn,
        "position": np.column_stack([grid, rng.uniform(-DEPTH_PX, DEPTH_PX, 6)]),
        "index": rng.uniform(1.05, 1.4, 6),
    }


def store_reference() -> None:
    """Draw the scene, render it sharp and with depth of field, and store both (minutes)."""
    arrays = _draw()
    np.savez_compressed(FILE, **arrays)
    sharp = mitsuba_transmittance(stored_scene(SHARP), samples=512, directions=1)
    deep = mitsuba_transmittance(stored_scene(DEEP), samples=512, directions=64)
    np.savez_compressed(
        FILE, **arrays, sharp=sharp.astype(np.float16), deep=deep.astype(np.float16)
    )


# similarity lost to eight directions a pixel and the reference's own noise: 0.004 and 0.012
CASES = [("sharp", SHARP, 1, 0.99), ("deep", DEEP, 32, 0.95)]


@pytest.mark.parametrize(("name", "optics", "views", "least"), CASES)
def test_tracer_agrees_with_the_stored_reference(name, optics, views, least) -> None:
    traced = trace_scene(stored_scene(optics)).transmittance
    with np.load(FILE) as kept:
        reference = kept[name].astype(np.float32)
    assert structural_similarity(traced, reference, data_range=1.0) > least
    # the picture is a flat field for the most part: the crystals must be there, too
    dark = reference < 0.9
    assert dark.mean() > 0.1
    assert np.corrcoef(traced[dark], reference[dark])[0, 1] > 0.95


@pytest.mark.slow
@pytest.mark.parametrize(("name", "optics", "views", "least"), CASES)
def test_tracer_agrees_with_mitsuba(name, optics, views, least) -> None:
    pytest.importorskip("mitsuba", reason="the reference renderer is not installed")
    scene = stored_scene(optics)
    reference = mitsuba_transmittance(scene, samples=256, directions=views, seed=1)
    traced = trace_scene(scene).transmittance
    assert structural_similarity(traced, reference, data_range=1.0) > least


def test_a_bubble_is_a_black_ring_with_a_bright_middle() -> None:
    pytest.importorskip("mitsuba", reason="the reference renderer is not installed")
    scene = stored_scene(SHARP)
    scene = replace(scene, crystals=scene.crystals.take(np.zeros(0, np.intp)))
    ball = np.array([[48.0, 48.0, 0.0, 30.0]])
    light = mitsuba_transmittance(scene, samples=64, directions=1, bubbles=ball)
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5 - 48
    away = np.hypot(x, y) / 30
    assert light[away > 1.05].mean() == pytest.approx(1.0, abs=0.01)
    assert light[away < 0.04].mean() > 0.8  # what is left after two faces
    assert light[(away > 0.6) & (away < 0.95)].mean() < 0.15  # bent out of the condenser's cone


def test_views_have_the_moments_of_a_disc() -> None:
    slopes = disc_slopes(400, 0.1)
    np.testing.assert_allclose(slopes.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(slopes.T @ slopes / 400, np.eye(2) * 0.0025, atol=5e-5)
    np.testing.assert_array_equal(disc_slopes(1, 0.1), 0)


def test_without_mitsuba_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mitsuba", None)
    with pytest.raises(MissingExtraError, match=r"crystalgauge\[mitsuba\]"):
        mitsuba_transmittance(stored_scene(SHARP))


if __name__ == "__main__":
    store_reference()
