"""Files that lost or changed some bytes: read, or refused in our own words, never worse."""

from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.core import CrystalGaugeError, Crystals
from crystalgauge.io.annotations import AnnotatedPicture, read_annotations, write_annotations
from crystalgauge.metrics import oriented_box_corners

NAMES = {"coco": "a.json", "geojson": "a.geojson", "labelme": "a.json", "imagej": "a.zip"}


def written(folder, name):
    boxes = np.array([[20, 20, 16, 6, 0.3], [40, 30, 10, 8, 1.0]])
    crystals = Crystals.from_vertices(oriented_box_corners(boxes), {"score": [0.5, 0.25]})
    path = folder / NAMES[name]
    picture = AnnotatedPicture("a.png", (60, 80), crystals)
    write_annotations(path, [picture], name, on_note=lambda note: None)
    return path


def outcome(path):
    """Return how many crystals were read, or None and the complaint."""
    try:
        pictures = read_annotations(path, on_note=lambda note: None)
    except CrystalGaugeError as error:
        return None, str(error)
    return sum(len(picture.crystals) for picture in pictures), ""


@pytest.mark.parametrize("name", sorted(NAMES))
def test_cut_files_are_refused_by_name_or_whole(tmp_path, name):
    path = written(tmp_path, name)
    content = path.read_bytes()
    assert outcome(path)[0] == 2
    for length in np.linspace(0, len(content) - 3, 25).astype(int):
        path.write_bytes(content[:length])
        count, message = outcome(path)
        assert count is not None or path.name in message
        assert count in (None, 0, 1, 2)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_changed_bytes_raise_nothing_else(tmp_path, name):
    path = written(tmp_path, name)
    content = path.read_bytes()
    rng = np.random.default_rng(5)
    refused = 0
    for _ in range(60):
        changed = bytearray(content)
        for place in rng.integers(0, len(content), 3):
            changed[place] = int(rng.integers(0, 256))
        path.write_bytes(changed)
        count, message = outcome(path)
        refused += count is None
        assert count is not None or path.name in message
    assert refused > 0


@pytest.mark.parametrize("digit", ["1e400", "-1e308", "NaN", "null", '"x"', "[]", "{}", "true"])
def test_a_coordinate_that_is_none(tmp_path, digit):
    path = written(tmp_path, "coco")
    text = path.read_text()
    start = text.index('"segmentation"')
    first = text.index("[[", start) + 2
    path.write_text(text[:first] + digit + text[text.index(",", first) :])
    count, message = outcome(path)
    assert count in (None, 1, 2)
    assert count is not None or "a.json" in message
