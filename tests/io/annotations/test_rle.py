from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as reference

from crystalgauge.core import AnnotationError
from crystalgauge.io.annotations import mask_from_outline, outline_from_mask
from crystalgauge.io.annotations.rle import (
    counts_from_text,
    outline_from_rle,
    rle_from_outline,
    text_from_counts,
)

masks = arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)))


@settings(max_examples=25, deadline=None)
@given(masks)
def test_the_code_is_that_of_pycocotools(mask):
    expected = reference.encode(np.asfortranarray(mask.astype(np.uint8)))
    outline, shape = outline_from_rle(
        {"size": expected["size"], "counts": expected["counts"].decode()}
    )
    assert shape == mask.shape
    if outline is None:
        assert not mask.any()
        return
    assert np.array_equal(mask_from_outline(outline, (0, 0), shape), mask)
    found = rle_from_outline(outline_from_mask(mask), mask.shape)
    assert found == {"size": list(mask.shape), "counts": expected["counts"].decode()}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=12))
def test_text_and_counts_are_inverse(counts):
    assert counts_from_text(text_from_counts(counts)) == counts


def test_plain_runs_go_down_the_columns():
    outline, _ = outline_from_rle({"size": [3, 4], "counts": [4, 2, 6]})
    assert outline.bounds == (1, 1, 2, 3)


@pytest.mark.parametrize(
    ("segmentation", "words"),
    [
        ({"size": [3, 4], "counts": [4, 2]}, "of 6 pixels do not fill a mask of 3 x 4"),
        ({"size": [3, 4], "counts": [14, -2]}, "do not fill"),
        ({"size": [3, 4], "counts": "é"}, "does not occur"),
        ({"size": [3, 4], "counts": "o"}, "middle of a number"),
    ],
)
def test_impossible_runs(segmentation, words):
    with pytest.raises(AnnotationError, match=words):
        outline_from_rle(segmentation)
