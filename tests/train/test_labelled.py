"""Pictures of agglomerates with classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs the extra `train`")

from crystalgauge.core import ArgumentError
from crystalgauge.datasets import sample_of, sample_picture
from crystalgauge.scenes.agglomerates import PICTURES
from crystalgauge.train import labelled, load_recipe
from crystalgauge.train.labelled import (
    MOST_IN_FOCUS_PX,
    labelled_picture,
    labelled_samples,
    reduced,
)
from crystalgauge.train.recipe import Recipe
from crystalgauge.train.trainable import trainable


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    _, config = PICTURES[labelled.SUBSTANCE]
    small = {labelled.SUBSTANCE: ((240, 320), replace(config, size_px=(30.0, 70.0)))}
    monkeypatch.setattr(labelled, "PICTURES", small)


def test_classes_say_contact_or_focus_of_the_same_crystals() -> None:
    contact, focus = (labelled_picture(5, 0, name) for name in ("agglomerated", "focus"))
    np.testing.assert_array_equal(contact.image, focus.image)
    np.testing.assert_array_equal(contact.label < 0, focus.label < 0)
    known = focus.label >= 0
    np.testing.assert_array_equal(
        focus.label[known] == 1, (focus.defocus_px > MOST_IN_FOCUS_PX)[known]
    )
    np.testing.assert_array_equal(known, focus.asked)


def test_scenes_leave_a_gap_about_the_border_of_focus() -> None:
    blur = np.concatenate([labelled_picture(5, k, "focus").defocus_px for k in range(6)])
    assert (blur < MOST_IN_FOCUS_PX).any()
    assert (blur > MOST_IN_FOCUS_PX).any()
    near = np.abs(np.log(blur / MOST_IN_FOCUS_PX)) < 0.05
    assert near.mean() < 0.1


def test_each_picture_comes_with_its_blurred_copies() -> None:
    recipe = load_recipe("yolo12n-seg-focus")
    regime = recipe.data.regimes["agglomerates"].model_copy(update={"pictures": 2, "size": 160})
    data = recipe.data.model_copy(
        update={
            "regimes": {"agglomerates": regime},
            "validation_pictures": 1,
            "validation_size": 160,
        }
    )
    train, validation = labelled_samples(recipe.model_copy(update={"data": data}))
    assert (len(train), len(validation)) == (10, 1)
    assert train[0].image.shape == (120, 160)
    for copy in range(1, 5):
        more = train[copy].label - train[0].label
        assert (more >= 0).all()
        assert (train[copy].image != train[0].image).any()
        np.testing.assert_array_equal(train[copy].points, train[0].points)


def test_a_reduced_sample_keeps_its_proportions() -> None:
    whole = labelled_picture(5, 1, "focus")
    half = reduced(whole, 160)
    np.testing.assert_allclose(half.points, whole.points / 2)
    np.testing.assert_allclose(half.defocus_px, whole.defocus_px / 2)
    assert half.image.mean() == pytest.approx(whole.image.mean(), abs=1.0)
    assert reduced(whole, 999) is whole


def test_what_has_no_classes_is_refused() -> None:
    recipe = load_recipe("yolo12n-seg-focus")
    picture, truth = sample_picture(1, 0, size=320)
    with pytest.raises(ArgumentError, match="regime agglomerates"):
        trainable(recipe).targets(sample_of(picture, truth.crystals))
    with pytest.raises(ValueError, match="which the regime agglomerates alone has"):
        Recipe(model="yolo12-seg")
