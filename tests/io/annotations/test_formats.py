"""What other programs write: COCO in its variants, QuPath, labelme, YOLO, DOTA, ImageJ."""

from __future__ import annotations

import base64
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from crystalgauge.core import AnnotationError, ReadError
from crystalgauge.io.annotations import read_annotations, write_annotations

DATA = Path(__file__).parents[3] / "../shared/data"
SQUARE = [2.0, 2.0, 6.0, 2.0, 6.0, 6.0, 2.0, 6.0]


def read(path, **options):
    notes = []
    return read_annotations(path, on_note=notes.append, **options), [n.text for n in notes]


def coco(annotations, **image):
    return {
        "images": [{"id": 9, "file_name": "a.png", "height": 20, "width": 30, **image}],
        "annotations": [
            {"id": k + 1, "image_id": 9, "category_id": 1, **entry}
            for k, entry in enumerate(annotations)
        ],
        "categories": [{"id": 1, "name": "crystal"}],
    }


def saved(folder, document, name="a.json"):
    (folder / name).write_text(json.dumps(document))
    return folder / name


def test_coco_in_all_notations_of_a_segmentation(tmp_path):
    rle = {"size": [20, 30], "counts": [20 * 2 + 2, 4] + [16, 4] * 3 + [600 - 42 - 4 - 60]}
    entries = [
        {"segmentation": [SQUARE], "iscrowd": 0},
        {"segmentation": rle, "iscrowd": 1},
        {"segmentation": [SQUARE, [10, 2, 12, 2, 12, 4, 10, 4]]},
        {"segmentation": SQUARE},
        {"segmentation": [], "bbox": [2, 2, 4, 4]},
        {"segmentation": [[1, 1, 5, 5, 9, 9]]},
        {"segmentation": [[2, 2, 8, 2, 2, 6, 8, 6]]},
    ]
    (picture,), notes = read(saved(tmp_path, coco(entries, region=[1, 2, 3, 4], split="test")))
    assert picture.crystals["id"].tolist() == [1, 2, 3, 4, 5, 7]
    assert picture.crystals.area_px2.tolist() == [16, 16, 20, 16, 16, 6]
    assert picture.crystals["iscrowd"].tolist() == [False, True] + [False] * 4
    assert (picture.image_id, picture.region) == (9, (1, 2, 3, 4))
    assert picture.attributes == {"split": "test"}
    text = " ".join(notes)
    for words in ("1 annotations without area", "1 outlines have several parts",
                  "1 annotations have only a box", "1 outlines crossed themselves"):  # fmt: skip
        assert words in text


def test_coco_attributes_become_columns(tmp_path):
    entries = [
        {"segmentation": [SQUARE], "ignore": 0, "score": 0.5, "contacts": [2],
         "attributes": {"ignore": True, "is_cluster": False, "depth_um": 3, "box": [1, 2]}},
        {"segmentation": [SQUARE], "ignore": 0, "contacts": [],
         "attributes": {"in_focus": False, "box": [3, 4]}},
    ]  # fmt: skip
    (picture,), notes = read(saved(tmp_path, coco(entries)))
    columns = {name: values.tolist() for name, values in picture.crystals.columns.items()}
    assert columns["ignore"] == [True, False]
    assert columns["is_cluster"] == [False, False]
    assert columns["in_focus"] == [True, False]
    assert columns["box"] == [[1, 2], [3, 4]]
    assert columns["category"] == ["crystal", "crystal"]
    assert columns["score"][0] == 0.5
    assert np.isnan(columns["score"][1])
    assert np.isnan(columns["depth_um"][1])
    assert notes == ["entries that are no columns left out: contacts"]


# of pycocotools 2.0.11 under NumPy 2
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_written_coco_is_read_by_pycocotools(tmp_path):
    entries = [{"segmentation": [SQUARE]}, {"segmentation": [[10, 2, 19, 2, 19, 12]]}]
    pictures, _ = read(saved(tmp_path, coco(entries)))
    write_annotations(tmp_path / "b.json", pictures, "coco")
    written = COCO(str(tmp_path / "b.json"))
    areas = [int(written.annToMask(a).sum()) for a in written.loadAnns([1, 2])]
    assert areas[0] == 16
    assert areas[1] == pytest.approx(45, abs=3)  # it paints slanted edges in its own way
    assert written.loadImgs([9])[0]["file_name"] == "a.png"
    assert written.loadCats([1])[0]["name"] == "crystal"
    assert written.anns[1]["bbox"] == [2, 2, 4, 4]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["annotations"][0].update(image_id=4), "picture 4, which is not listed"),
        (lambda d: d["annotations"][0].update(category_id=7), "category 7, which is not listed"),
        (lambda d: d["annotations"][0].pop("image_id"), "lacks the entry 'image_id'"),
        (lambda d: d["annotations"][0].update(segmentation=[["a", 2]]), "annotation 1"),
        (lambda d: d["annotations"][0].update(segmentation=[[1, 2, 3]]), "annotation 1"),
        (lambda d: d["annotations"][0].update(segmentation=[[1, None, 5, 6]]), "annotation 1"),
        (lambda d: d["images"][0].update(region=[0, 0, 0, 5]), "no area"),
        (lambda d: d.update(annotations=5), "impossible"),
    ],
)
def test_impossible_coco_names_file_and_place(tmp_path, change, words):
    document = coco([{"segmentation": [SQUARE]}])
    change(document)
    with pytest.raises(AnnotationError, match=words) as caught:
        read(saved(tmp_path, document))
    assert "a.json" in str(caught.value)


def test_the_real_annotations_load():
    files = sorted(DATA.glob("*/coco.json"))
    if not files:
        pytest.skip("the folder of real pictures, shared/data, is not there")
    for file in files:
        document = json.loads(file.read_text())
        pictures, _ = read(file)
        assert sum(len(picture.crystals) for picture in pictures) == len(document["annotations"])
        assert [p.image_id for p in pictures] == [image["id"] for image in document["images"]]
        for picture in pictures:
            assert (picture.crystals.area_px2 > 0).all()
    drops = {p.file_name: p for p in read(DATA / "protein_drops/coco.json")[0]}
    assert drops["small_crystals_2.jpg"].region == (650, 985, 500, 500)
    assert drops["97wo_01A_2.jpg"].region is None
    assert {"ignore", "is_cluster", "in_focus"} <= set(drops["97wo_01A_2.jpg"].crystals.columns)


def test_qupath(tmp_path):
    ring = [[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]]
    hole = [[2, 2], [4, 2], [4, 4], [2, 4], [2, 2]]
    features = [
        {"type": "Feature", "id": "5d4e8c1e-0000-4000-8000-000000000000",
         "geometry": {"type": "Polygon", "coordinates": [ring, hole]},
         "properties": {"objectType": "annotation", "name": "big one",
                        "classification": {"name": "Tumor", "color": [200, 0, 0]},
                        "measurements": {"Area µm^2": 77.0}}},
        {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]},
         "properties": {"object_type": "annotation",
                        "measurements": [{"name": "Area µm^2", "value": 81.0}]}},
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 1]}},
    ]  # fmt: skip
    Image.new("L", (40, 30)).save(tmp_path / "slide.png")
    path = saved(tmp_path, {"type": "FeatureCollection", "features": features}, "slide.geojson")
    (picture,), notes = read(path)
    assert (picture.file_name, picture.shape) == ("slide.png", (30, 40))
    assert picture.crystals.area_px2.tolist() == [77, 81]
    assert picture.crystals["category"].tolist() == ["Tumor", ""]
    assert picture.crystals["Area µm^2"].tolist() == [77, 81]
    assert picture.crystals["name"].tolist() == ["big one", ""]
    assert "1 features that are no areas" in notes[0]
    for document in (features, features[0]):
        (again,), notes = read(saved(tmp_path, document, "x.json"))
        assert again.shape == (9, 9)
        assert any("smallest frame" in note for note in notes)


def test_labelme(tmp_path):
    shapes = [
        {"label": "crystal", "points": [[0, 0], [4, 0], [4, 4]], "group_id": 5,
         "shape_type": "polygon", "flags": {"ignore": True}},
        {"label": "crystal", "points": [[10, 0], [14, 0], [14, 4]], "group_id": 5,
         "shape_type": "polygon", "flags": {}},
        {"label": "salt", "points": [[9, 8], [3, 2]], "group_id": None, "shape_type": "rectangle"},
        {"label": "bubble", "points": [[20, 20], [23, 24]], "shape_type": "circle"},
        {"label": "x", "points": [[1, 1]], "shape_type": "point"},
    ]  # fmt: skip
    document = {"version": "5.0.1", "flags": {}, "shapes": shapes, "imagePath": "..\\a.png",
                "imageData": base64.b64encode(b"x").decode(),
                "imageHeight": 40, "imageWidth": 50}  # fmt: skip
    (picture,), notes = read(saved(tmp_path, document))
    assert (picture.file_name, picture.shape) == ("../a.png", (40, 50))
    assert picture.crystals.area_px2 == pytest.approx([16, 36, np.pi * 25])
    assert picture.crystals["id"].tolist() == [5, 3, 4]
    assert picture.crystals["ignore"].tolist() == [True, False, False]
    assert "1 shapes that are no outlines" in notes[-1]


def test_yolo_of_other_programs(tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "images").mkdir()
    Image.new("L", (200, 100)).save(tmp_path / "images" / "a.jpg")
    (tmp_path / "labels" / "classes.txt").write_text("crystal\nsalt\n")
    (tmp_path / "labels" / "a.txt").write_text(
        "1 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2 0.75\n\n0 0.5 0.5 0.6 0.5 0.6 0.6\n"
    )
    (picture,), _ = read(tmp_path / "labels")
    assert (picture.file_name, picture.shape) == ("a.jpg", (100, 200))
    assert picture.crystals.area_px2 == pytest.approx([200, 100])
    assert picture.crystals["category"].tolist() == ["salt", "crystal"]
    assert picture.crystals["score"][0] == 0.75


@pytest.mark.parametrize(
    ("text", "words"),
    [("0 0.5 0.5 0.1 0.1", "upright box"), ("0 0.5 a 1 1 0 0", "not a YOLO line")],
)
def test_impossible_yolo(tmp_path, text, words):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(AnnotationError, match=words) as caught:
        read(tmp_path / "a.txt", shapes={"a.png": (10, 10)})
    assert "a.txt" in str(caught.value)
    with pytest.raises(AnnotationError, match="size of the picture"):
        read(tmp_path / "a.txt")


def test_dota(tmp_path):
    (tmp_path / "a.txt").write_text(
        "imagesource:GoogleEarth\ngsd:0.1\n0 0 10 0 10 5 0 5 large-crystal 1\n1 1 3 1 3 3 1 3 s 0\n"
    )
    (picture,), notes = read(tmp_path / "a.txt")
    assert picture.crystals.area_px2.tolist() == [50, 4]
    assert picture.crystals["category"].tolist() == ["large-crystal", "s"]
    assert picture.crystals["ignore"].tolist() == [True, False]
    assert "smallest frame" in notes[0]


def test_imagej_regions_of_every_kind(tmp_path):
    from roifile import ROI_TYPE, ImagejRoi

    oval = ImagejRoi(roitype=ROI_TYPE.OVAL, left=10, top=20, right=30, bottom=26, name="oval")
    rect = ImagejRoi(roitype=ROI_TYPE.RECT, left=1, top=2, right=4, bottom=6, name="12")
    line = ImagejRoi(roitype=ROI_TYPE.LINE, x1=0, y1=0, x2=3, y2=3, name="line")
    polygon = ImagejRoi.frompoints(np.array([[0, 0], [8, 0], [8, 8], [0, 8]]), name="p")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for region in (oval, rect, line, polygon):
            archive.writestr(f"{region.name}.roi", region.tobytes())
    (picture,), notes = read(tmp_path / "a.zip", shapes={"a": (50, 60)})
    assert picture.shape == (50, 60)
    assert picture.crystals.area_px2 == pytest.approx([np.pi * 10 * 3, 12, 64])
    assert picture.crystals["id"].tolist() == [1, 12, 4]
    assert picture.crystals["name"].tolist() == ["oval", "12", "p"]
    assert "1 regions that are no areas" in notes[0]
    (tmp_path / "b.roi").write_bytes(rect.tobytes())
    assert read(tmp_path / "b.roi")[0][0].crystals.area_px2.tolist() == [12]


def test_label_pictures_of_other_programs(tmp_path):
    labels = np.zeros((9, 12), np.uint8)
    labels[1:4, 1:5], labels[5:8, 6:8] = 3, 200
    palette = Image.fromarray(labels, "P")
    palette.putpalette(np.random.default_rng(0).integers(0, 256, 768).tolist())
    palette.save(tmp_path / "palette.png")
    (picture,), _ = read(tmp_path / "palette.png")
    assert picture.crystals["id"].tolist() == [3, 200]
    assert picture.crystals.area_px2.tolist() == [12, 6]
    assert (picture.file_name, picture.shape) == ("palette.png", (9, 12))
    Image.new("RGB", (4, 4)).save(tmp_path / "colour.png")
    with pytest.raises(AnnotationError, match="whole numbers"):
        read(tmp_path / "colour.png")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", b'{"images": [', "not complete JSON"),
        ("a.json", b"{}", "neither COCO, labelme nor GeoJSON"),
        ("a.json", b'[{"image_id": 1, "bbox": [1, 2, 3, 4]}]', "bare list of COCO results"),
        ("a.json", b"", "zero bytes"),
        ("a.zip", b"PK\x03\x04 broken", "a.zip"),
        ("a.roi", b"Iout", "a.roi"),
        ("a.tif", b"II*\x00", "a.tif"),
        ("a.xyz", b"something", "no annotation format known"),
    ],
)
def test_unreadable_files(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises((ReadError, AnnotationError), match=words):
        read(tmp_path / name)


def test_missing_file_and_empty_folder(tmp_path):
    with pytest.raises(ReadError, match="there is no file or folder"):
        read(tmp_path / "no.json")
    with pytest.raises(ReadError, match="no annotation file"):
        read(tmp_path)
