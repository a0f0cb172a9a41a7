"""From a scene to its picture and the truth about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.core import Micrograph
from crystalgauge.render.backdrop import paint_backdrop
from crystalgauge.render.camera import expose
from crystalgauge.render.composite import trace_scene
from crystalgauge.render.truth import Truth, state_truth

if TYPE_CHECKING:
    from crystalgauge.scenes.scene import Scene


def render(scene: Scene) -> tuple[Micrograph, Truth]:
    """Take the picture of a scene.

    Parameters
    ----------
    scene
        What is there. The same scene gives the same bytes.

    Returns
    -------
    tuple
        8-bit picture and the truth about its crystals.
    """
    crystals = trace_scene(scene)
    backdrop = paint_backdrop(scene.backdrop, scene.shape)
    noise = np.random.default_rng(scene.seed)
    pixels = expose(crystals.transmittance * backdrop, scene.camera, noise)
    source = f"{scene.regime} scene {scene.seed}"
    return Micrograph(pixels, source=source), state_truth(scene, crystals, backdrop)
