"""Pictures of agglomerates with a class for each crystal: agglomerated, or in focus."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from crystalgauge.agglomeration.labels import paper_classes
from crystalgauge.core import Crystals
from crystalgauge.datasets.composed import Composed
from crystalgauge.datasets.instance_blur import blur_instances
from crystalgauge.datasets.shards import Sample, sample_of
from crystalgauge.render.renderer import render
from crystalgauge.scenes.agglomerates import PICTURES, sample_scene

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.datasets.shards import Samples
    from crystalgauge.train.recipe import Recipe

SUBSTANCE = "ammonium perchlorate"
"""What is trained on; sugar is kept for tests."""

Labels = Literal["agglomerated", "focus"]

OUT_OF_FOCUS = 1
"""Class of blurred crystals where classes say the focus."""

MOST_IN_FOCUS_PX = 1.15
"""Crystals of more blur are out of focus. Of the scenes' crystals those in focus reach 1.0 px with
the camera's own blur, those meant to be out of focus start at 1.25 px."""


def labelled_samples(recipe: Recipe) -> tuple[Samples, Samples]:
    """Render the pictures of a recipe; return training and validation.

    The pictures are those of 1224 x 920 px of `crystalgauge.scenes.agglomerates.PICTURES`, reduced
    to the recipe's size, their longer edge. To each of them come copies with blurred crystals.

    Parameters
    ----------
    recipe
        Of a YOLO12 with masks; its data section has the regime ``agglomerates`` alone.
    """
    settings, network = recipe.data, recipe.network
    labels: Labels = network.labels  # type: ignore[union-attr]  # checked by the recipe
    regime = settings.regimes["agglomerates"]
    copies: int = network.blurred_copies  # type: ignore[union-attr]
    train: list[Sample] = []
    for index in range(regime.pictures):
        picture = labelled_picture(settings.seed, index, labels)
        rng = np.random.default_rng((settings.seed, index, 2))
        relabel = OUT_OF_FOCUS if labels == "focus" else None
        blurred = [blur_instances(picture, rng, relabel=relabel)[0] for _ in range(copies)]
        train += [reduced(each, regime.size) for each in (picture, *blurred)]
    validation = [
        reduced(labelled_picture(settings.validation_seed, index, labels), settings.validation_size)
        for index in range(settings.validation_pictures)
    ]
    return Composed(
        train,
        mosaic=network.mosaic,  # type: ignore[union-attr]
        mixup=network.mixup,  # type: ignore[union-attr]
        copy_paste=network.copy_paste,  # type: ignore[union-attr]
    ), validation


def labelled_picture(seed: int, index: int, labels: Labels) -> Sample:
    """Render a picture of ammonium perchlorate with the classes of its crystals.

    Broken pieces, and crystals that it would be unfair to ask for, have none.

    Parameters
    ----------
    seed
        Of the set.
    index
        Number of the picture; it does not depend on the others.
    labels
        What the classes say.
    """
    shape, config = PICTURES[SUBSTANCE]
    scene = sample_scene(np.random.default_rng((seed, index)), shape, config)
    micrograph, truth = render(scene)
    classes = paper_classes(truth)
    crystals = truth.crystals
    label = classes.agglomerated if labels == "agglomerated" else out_of_focus(crystals)
    marked = Crystals(
        crystals.outlines, {"ignore": ~classes.judged, "defocus_px": crystals["defocus_px"]}
    )
    known = np.where(classes.judged, label.astype(np.int64), -1)
    return replace(sample_of(micrograph.pixels, marked), label=known)


def out_of_focus(crystals: Crystals) -> NDArray[np.bool_]:
    """Tell which crystals of a picture in its full size an observer would call blurred."""
    return np.asarray(crystals["defocus_px"] > MOST_IN_FOCUS_PX)


def reduced(sample: Sample, longer_edge: int) -> Sample:
    """Return a sample made smaller.

    Parameters
    ----------
    sample
        Any.
    longer_edge
        In px; larger than it is, the sample stays as it is.
    """
    factor = longer_edge / max(sample.image.shape)
    if factor >= 1:
        return sample
    height, width = (round(edge * factor) for edge in sample.image.shape)
    small = cv2.resize(sample.image, (width, height), interpolation=cv2.INTER_AREA)
    scale = np.array([width, height]) / sample.image.shape[::-1]
    return replace(
        sample, image=small, points=sample.points * scale,
        defocus_px=sample.defocus_px * float(np.sqrt(scale.prod())),
    )  # fmt: skip
