"""Every format keeps what it can: area, identity, order, window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from crystalgauge.core import AnnotationError, ArgumentError, Crystals, ReadError
from crystalgauge.io.annotations import (
    ANNOTATION_FORMATS,
    AnnotatedPicture,
    read_annotations,
    write_annotations,
)

EXACT = [name for name in ANNOTATION_FORMATS if name not in ("labels", "yolo-obb", "dota")]
AREA_TOLERANCE = {
    "imagej": 1e-5,  # 32-bit vertices
    "yolo-seg": 1e-7,  # ten digits
    "coco": 1e-12, "geojson": 1e-12, "labelme": 1e-12,
}  # fmt: skip
SINGLE_FILE = {"coco": "a.json", "labels": "a.tif", "geojson": "a.geojson", "imagej": "a.zip",
               "labelme": "a.json"}  # fmt: skip


def convex(generator, count, width=300.0, height=200.0):
    outlines = []
    while len(outlines) < count:
        centre = generator.uniform(20, (width - 20, height - 20))
        hull = shapely.MultiPoint(centre + generator.normal(0, 8, (7, 2))).convex_hull
        outlines.append(hull)
    return np.array(outlines, dtype=object)


def picture(seed, count=6, name="drop 1.png", ids=None, **options):
    generator = np.random.default_rng(seed)
    numbers = np.arange(1, count + 1) if ids is None else np.asarray(ids)
    columns = {"id": numbers, "category": np.array(["crystal", "salt"] * count)[:count]}
    crystals = Crystals(convex(generator, count), columns)
    return AnnotatedPicture(name, (200, 300), crystals, **options)


def target(folder, name):
    return Path(folder) / ("all.json" if name == "coco" else "all")


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 5))
def test_exact_formats_keep_area_order_and_place(tmp_path_factory, seed, count):
    pictures = [picture(seed, count, "a.png"), picture(seed + 1, 3, "sub/b.tif")]
    for name in EXACT:
        path = target(tmp_path_factory.mktemp("io"), name)
        write_annotations(path, pictures, name, on_note=lambda note: None)
        found = read_annotations(path, on_note=lambda note: None)
        assert [(p.file_name, p.shape) for p in found] == [
            ("a.png", (200, 300)), ("sub/b.tif", (200, 300)),
        ]  # fmt: skip
        for before, after in zip(pictures, found, strict=True):
            tolerance = AREA_TOLERANCE[name]
            assert np.allclose(
                after.crystals.area_px2, before.crystals.area_px2, rtol=tolerance, atol=0
            )
            assert np.allclose(after.crystals.bounds, before.crystals.bounds, atol=1e-4)


@pytest.mark.parametrize("name", ["coco", "labels", "geojson", "imagej", "labelme"])
def test_identity_is_the_id_column(tmp_path, name):
    # far apart, so that the label picture keeps each whole
    outlines = [shapely.box(10 * k, 5, 10 * k + 6, 12) for k in range(4)]
    crystals = Crystals(np.array(outlines), {"id": np.array([12, 3, 44, 7])})
    before = AnnotatedPicture("a.png", (40, 50), crystals)
    path = tmp_path / SINGLE_FILE[name]
    write_annotations(path, [before], name)
    (after,) = read_annotations(path, on_note=lambda note: None)
    by_number = dict(zip(after.crystals["id"].tolist(), after.crystals.outlines, strict=True))
    assert sorted(by_number) == [3, 7, 12, 44]
    for number, outline in zip([12, 3, 44, 7], outlines, strict=True):
        assert by_number[number].equals(outline)


@pytest.mark.parametrize("name", ["yolo-obb", "dota"])
def test_boxes_are_the_smallest_rectangles(tmp_path, name):
    before = picture(5)
    write_annotations(tmp_path / "out", [before], name, on_note=lambda note: None)
    (after,) = read_annotations(tmp_path / "out")
    boxes = shapely.minimum_rotated_rectangle(before.crystals.outlines)
    assert np.allclose(after.crystals.area_px2, shapely.area(boxes), rtol=1e-7)
    assert after.crystals["category"].tolist() == before.crystals["category"].tolist()
    overlap = shapely.area(shapely.intersection(after.crystals.outlines, boxes))
    assert np.allclose(overlap, shapely.area(boxes), rtol=1e-6)


@pytest.mark.parametrize("name", ["yolo-obb", "dota", "yolo-seg"])
def test_a_rectangle_keeps_its_area_in_box_formats(tmp_path, name):
    turned = shapely.affinity.rotate(shapely.box(40, 40, 100, 60), 33)
    before = AnnotatedPicture("a.png", (150, 150), Crystals(np.array([turned])))
    write_annotations(tmp_path / "out", [before], name)
    (after,) = read_annotations(tmp_path / "out")
    assert after.crystals.area_px2[0] == pytest.approx(1200, rel=1e-7)


@pytest.mark.parametrize("name", ANNOTATION_FORMATS)
def test_window_and_number_of_the_picture(tmp_path, name):
    before = [
        picture(1, 3, "a.png", region=(10, 20.5, 100, 80), image_id=5),
        picture(2, 0, "b.png"),
    ]
    path = target(tmp_path, name)
    write_annotations(path, before, name, on_note=lambda note: None)
    after = read_annotations(path, name, on_note=lambda note: None)
    assert [p.region for p in after] == [(10, 20.5, 100, 80), None]
    assert after[0].image_id == 5
    assert [p.file_name for p in after] == ["a.png", "b.png"]
    assert [len(p.crystals) for p in after] == [3, 0]


@pytest.mark.parametrize("name", ["coco", "geojson", "labels", "imagej"])
def test_holes_and_parts_from_pixels_survive(tmp_path, name):
    ring = shapely.box(2, 2, 9, 9).difference(shapely.box(4, 4, 6, 7))
    parts = shapely.MultiPolygon([shapely.box(20, 2, 25, 5), shapely.box(20, 8, 22, 9)])
    before = AnnotatedPicture("a.png", (12, 30), Crystals(np.array([ring, parts])))
    path = tmp_path / SINGLE_FILE[name]
    write_annotations(path, [before], name)
    notes = []
    (after,) = read_annotations(path, on_note=notes.append, shapes={"a.png": (12, 30)})
    assert after.crystals.outlines[0].equals(ring)
    assert after.crystals.outlines[1].equals(parts)
    assert any("several parts" in note.text for note in notes)


@pytest.mark.parametrize("name", ["yolo-seg", "labelme", "coco"])
def test_holes_that_cannot_be_kept_are_reported(tmp_path, name):
    ring = shapely.box(2.5, 2.5, 9.25, 9.25).difference(shapely.box(4, 4, 6, 7))
    before = AnnotatedPicture("a.png", (12, 30), Crystals(np.array([ring])))
    notes = []
    write_annotations(target(tmp_path, name), [before], name, on_note=notes.append)
    assert any("holes" in note.text for note in notes)


def test_columns_that_are_lost_are_named(tmp_path):
    before = picture(1)
    scored = before.crystals.with_columns(score=np.linspace(0, 1, 6))
    notes = []
    write_annotations(
        tmp_path / "out", [AnnotatedPicture("a.png", (200, 300), scored)], "yolo-seg",
        on_note=notes.append,
    )  # fmt: skip
    assert "columns score" in notes[0].text


@pytest.mark.parametrize("name", ["coco", "geojson", "labelme"])
def test_columns_come_back_with_their_types(tmp_path, name):
    columns = {
        "id": np.array([1, 2, 3]),
        "score": np.array([0.5, np.nan, 0.75]),
        "in_focus": np.array([True, False, True]),
        "habit": np.array(["needle", "", "plate ‘ß’"]),
        "contacts": np.array([4, 0, 2]),
    }
    outlines = [shapely.box(k, 0, k + 1, 1) for k in range(3)]
    before = AnnotatedPicture("a.png", (4, 5), Crystals(np.array(outlines), columns))
    write_annotations(tmp_path / SINGLE_FILE[name], [before], name)
    (after,) = read_annotations(tmp_path / SINGLE_FILE[name])
    for column, values in columns.items():
        found = after.crystals[column]
        assert found.dtype.kind == values.dtype.kind
        assert np.array_equal(found, values, equal_nan=column == "score")


def test_the_same_crystals_give_the_same_bytes(tmp_path):
    for name in ANNOTATION_FORMATS:
        contents = []
        for attempt in "ab":
            path = target(tmp_path / f"{name}{attempt}", name)
            write_annotations(path, [picture(3)], name, on_note=lambda note: None)
            files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
            contents.append([file.read_bytes() for file in files])
        assert contents[0] == contents[1]


@pytest.mark.parametrize("name", [n for n in ANNOTATION_FORMATS if n != "coco"])
def test_names_that_lead_outside_or_clash_are_refused(tmp_path, name):
    for bad in ("../evil.png", "/etc/evil.png", ""):
        with pytest.raises(AnnotationError, match="leads outside"):
            write_annotations(tmp_path / "out", [picture(1, name=bad)], name,
                              on_note=lambda note: None)  # fmt: skip
    with pytest.raises(AnnotationError, match="share one file"):
        write_annotations(tmp_path / "out", [picture(1, name="a.png"), picture(2, name="a.jpg")],
                          name, on_note=lambda note: None)  # fmt: skip
    assert not (tmp_path / "evil.txt").exists()


def test_several_pictures_in_one_file_are_refused(tmp_path):
    with pytest.raises(AnnotationError, match="several pictures"):
        write_annotations(tmp_path / "a.zip", [picture(1), picture(2)], "imagej")


def test_unknown_format(tmp_path):
    with pytest.raises(ArgumentError, match="no annotation format 'voc'"):
        write_annotations(tmp_path / "a", [], "voc")
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(ArgumentError, match="no annotation format 'voc'"):
        read_annotations(tmp_path / "a.json", "voc")


def test_a_failed_writing_leaves_nothing(tmp_path):
    def pictures():
        yield picture(1)
        raise ReadError("the second picture is damaged")

    with pytest.raises(ReadError, match="second"):
        write_annotations(tmp_path / "all.json", pictures(), "coco")
    assert list(tmp_path.iterdir()) == []


def test_label_png_overflow_and_lost_crystals(tmp_path):
    outlines = np.array([shapely.box(1, 1, 3, 3), shapely.box(5, 5, 5.2, 5.2)])
    crystals = Crystals(outlines, {"id": np.array([70_000, 2])})
    before = AnnotatedPicture("a.png", (9, 9), crystals)
    with pytest.raises(AnnotationError, match=r"70000 does not fit into a PNG"):
        write_annotations(tmp_path / "a.png", [before], "labels", on_note=lambda note: None)
    notes = []
    write_annotations(tmp_path / "a.tif", [before], "labels", on_note=notes.append)
    assert "1 crystals hold no pixel centre" in notes[0].text
    (after,) = read_annotations(tmp_path / "a.tif")
    assert after.crystals["id"].tolist() == [70_000]
