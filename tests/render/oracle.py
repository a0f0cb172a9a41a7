"""Render the stored reference anew: ``python tests/render/oracle.py`` (minutes)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from crystalgauge.render.mitsuba import mitsuba_transmittance
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


def main() -> None:
    """Draw the scene, render it sharp and with depth of field, and store both."""
    arrays = _draw()
    np.savez_compressed(FILE, **arrays)
    sharp = mitsuba_transmittance(stored_scene(SHARP), samples=512, directions=1)
    deep = mitsuba_transmittance(stored_scene(DEEP), samples=512, directions=64)
    np.savez_compressed(
        FILE, **arrays, sharp=sharp.astype(np.float16), deep=deep.astype(np.float16)
    )


if __name__ == "__main__":
    main()
