from __future__ import annotations

from datetime import UTC, datetime
from importlib.util import find_spec

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from crystalgauge.core import Calibration, MissingExtraError, ReadError
from crystalgauge.io import picture_shape, read_micrograph, read_micrographs
from crystalgauge.io.tiff_metadata import is_microscope_resolution

GREY = (np.arange(48 * 64).reshape(48, 64) % 251).astype(np.uint8)
COLOUR = np.dstack([GREY, GREY // 2, 255 - GREY])


def read(path, **options):
    notes = []
    pictures = list(read_micrographs(path, on_note=notes.append, **options))
    return pictures, [note.text for note in notes]


def one(path, **options):
    pictures, notes = read(path, **options)
    assert len(pictures) == 1
    return pictures[0], notes


@pytest.mark.parametrize(
    "dtype", ["u1", "i1", "<u2", ">u2", "i2", "u4", "i4", "u8", "f2", ">f4", "f4", "f8"]
)
@pytest.mark.parametrize("options", [{}, {"tile": (16, 16)}, {"compression": "zlib"},
                                     {"bigtiff": True}])  # fmt: skip
def test_depths_and_layouts(tmp_path, dtype, options):
    stored = (GREY // 2).astype(dtype)
    byteorder = ">" if dtype.startswith(">") else "<"
    tifffile.imwrite(tmp_path / "a.tif", stored, byteorder=byteorder, metadata=None, **options)
    picture, notes = one(tmp_path / "a.tif")
    assert np.array_equal(picture.pixels, stored)
    assert picture.pixels.dtype.isnative
    assert picture.pixels.dtype == (np.float32 if dtype == "f2" else np.dtype(dtype[-2:]))
    assert picture.calibration is None
    assert notes == []
    assert picture_shape(tmp_path / "a.tif") == (48, 64)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_colour_in_both_planar_configurations(tmp_path, planar, compression):
    stored = COLOUR if planar == "contig" else np.moveaxis(COLOUR, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar,
                     compression=compression, metadata=None)  # fmt: skip
    assert np.array_equal(one(tmp_path / "a.tif")[0].pixels, COLOUR)


WRITERS = {
    "lzw": lambda p: Image.fromarray(GREY).save(p, compression="tiff_lzw"),
    "lzw colour": lambda p: Image.fromarray(COLOUR).save(p, compression="tiff_lzw"),
    "packbits": lambda p: Image.fromarray(COLOUR).save(p, compression="packbits"),
    "zip with predictor": lambda p: Image.fromarray(COLOUR).save(
        p, compression="tiff_adobe_deflate", tiffinfo={317: 2}
    ),
    "lzw 16": lambda p: Image.fromarray(GREY.astype(np.uint16) * 250).save(
        p, compression="tiff_lzw"
    ),
    "lzw 16 colour": lambda p: cv2.imwrite(
        str(p), (COLOUR.astype(np.uint16) * 250)[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5]
    ),
    "lzw float": lambda p: cv2.imwrite(
        str(p), GREY.astype(np.float32) / 7, [cv2.IMWRITE_TIFF_COMPRESSION, 5]
    ),
    "lzw negative": lambda p: Image.fromarray(GREY).save(
        p, compression="tiff_lzw", tiffinfo={262: 0}
    ),
    "fax": lambda p: Image.fromarray(GREY > 99).save(p, compression="group4"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_compressions_without_imagecodecs(tmp_path, name):
    WRITERS[name](tmp_path / "a.tif")
    picture, _ = one(tmp_path / "a.tif")
    expected = COLOUR if "colour" in name or name in ("packbits", "zip with predictor") else GREY
    if "16" in name:
        expected = expected.astype(np.uint16) * 250
    if "float" in name:
        expected = GREY.astype(np.float32) / 7
    if name == "fax":
        expected = np.where(GREY > 99, 255, 0).astype(np.uint8)
    assert picture.pixels.dtype == expected.dtype
    assert np.array_equal(picture.pixels, expected)


def test_jpeg_in_tiff_is_near(tmp_path):
    smooth = np.linspace(0, 255, 64 * 64).reshape(64, 64).astype(np.uint8)
    Image.fromarray(smooth).save(tmp_path / "a.tif", compression="jpeg", quality=95)
    assert np.abs(one(tmp_path / "a.tif")[0].pixels.astype(int) - smooth).max() <= 4


def test_second_page_of_a_compressed_file_is_the_second(tmp_path):
    pages = [Image.fromarray(page) for page in (GREY, 255 - GREY, GREY // 3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:],
                  compression="tiff_lzw")  # fmt: skip
    pictures, _ = read(tmp_path / "a.tif")
    assert [picture.source[-2:] for picture in pictures] == ["#1", "#2", "#3"]
    for picture, page in zip(pictures, pages, strict=True):
        assert np.array_equal(picture.pixels, np.asarray(page))


@pytest.mark.skipif(find_spec("imagecodecs") is not None, reason="imagecodecs knows JPEG XL")
def test_unknown_compression_names_the_extra(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, metadata=None)
    content = bytearray((tmp_path / "a.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        at = tiff.pages[0].tags["Compression"].valueoffset
    content[at : at + 2] = (50002).to_bytes(2, "little")  # JPEG XL
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(MissingExtraError, match=r"JPEGXL.*crystalgauge\[formats\]"):
        read_micrograph(tmp_path / "a.tif")


@pytest.mark.parametrize("name", ["lzw", "lzw colour", "lzw 16", "lzw 16 colour", "lzw float"])
def test_damaged_compressed_data_are_never_read_as_black(tmp_path, name):
    WRITERS[name](tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        start, length = tiff.pages[0].dataoffsets[0], tiff.pages[0].databytecounts[0]
    content = bytearray((tmp_path / "a.tif").read_bytes())
    content[start + length // 2 : start + length] = b"\xff" * (length - length // 2)
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises((ReadError, MissingExtraError), match=r"a\.tif"):
        read_micrograph(tmp_path / "a.tif")


def test_palette_negative_and_extra_samples(tmp_path):
    colours = np.zeros((3, 256), np.uint16)
    colours[0] = np.arange(256) * 257
    colours[1] = 65535 - colours[0]
    tifffile.imwrite(tmp_path / "p.tif", GREY, photometric="palette", colormap=colours,
                     metadata=None)  # fmt: skip
    expected = np.dstack([GREY, 255 - GREY, np.zeros_like(GREY)])
    assert np.array_equal(one(tmp_path / "p.tif")[0].pixels, expected)

    tifffile.imwrite(tmp_path / "n.tif", GREY, photometric="miniswhite", metadata=None)
    picture, notes = one(tmp_path / "n.tif")
    assert np.array_equal(picture.pixels, 255 - GREY)
    assert "negative" in notes[0]

    alpha = np.full_like(GREY, 255)
    alpha[:5] = 0
    stored = np.dstack([COLOUR, alpha])
    for meaning, words in (("unassalpha", "over white"), ("unspecified", "left out")):
        tifffile.imwrite(tmp_path / "x.tif", stored, photometric="rgb", extrasamples=[meaning],
                         metadata=None)  # fmt: skip
        picture, notes = one(tmp_path / "x.tif")
        assert np.array_equal(picture.pixels[5:], COLOUR[5:])
        assert (picture.pixels[:5] == 255).all() == (meaning == "unassalpha")
        assert words in notes[0]


def test_orientation_tag(tmp_path):
    for orientation, expected in ((3, GREY[::-1, ::-1]), (6, np.rot90(GREY, -1))):
        tifffile.imwrite(tmp_path / "a.tif", GREY, metadata=None,
                         extratags=[(274, "H", 1, orientation, True)])  # fmt: skip
        assert np.array_equal(one(tmp_path / "a.tif")[0].pixels, expected)
        assert picture_shape(tmp_path / "a.tif") == expected.shape


def test_pages_of_different_size_are_all_read_and_thumbnails_are_not(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(GREY, metadata=None)
        tiff.write(GREY[::4, ::4], metadata=None, subfiletype=1)
        tiff.write(GREY[:20], metadata=None)
        tiff.write(GREY[:30] > 99, metadata=None, subfiletype=4, photometric="miniswhite")
    pictures, notes = read(tmp_path / "a.tif")
    assert [picture.shape for picture in pictures] == [(48, 64), (20, 64)]
    assert "masks" in notes[0]


@pytest.mark.parametrize("pages", [1, 3])
def test_uncompressed_pixels_are_mapped_not_loaded(tmp_path, pages):
    stored = np.stack([GREY + k for k in range(pages)])
    tifffile.imwrite(tmp_path / "a.tif", stored, metadata=None, photometric="minisblack")
    for k, picture in enumerate(read_micrographs(tmp_path / "a.tif")):
        base = picture.pixels
        while base is not None and not isinstance(base, np.memmap):
            base = base.base
        assert base is not None
        assert np.array_equal(picture.pixels, stored[k])


def test_ome_unit_time_depth_and_channels(tmp_path):
    stored = np.arange(2 * 3 * 2 * 8 * 9, dtype=np.uint16).reshape(2, 3, 2, 8, 9)
    plane = {"PositionZ": [float(k) for k in range(12)], "PositionZUnit": ["nm"] * 12,
             "DeltaT": [0.5 * k for k in range(12)], "DeltaTUnit": ["min"] * 12}  # fmt: skip
    tifffile.imwrite(
        tmp_path / "a.ome.tif", stored,
        metadata={
            "axes": "TZCYX", "PhysicalSizeX": 840, "PhysicalSizeXUnit": "nm",
            "PhysicalSizeY": 0.84, "PhysicalSizeYUnit": "µm",
            "AcquisitionDate": "2026-11-21T09:30:00Z",
            "Channel": {"Name": ["bright", "dark"]}, "Plane": plane,
        },
    )  # fmt: skip
    pictures, notes = read(tmp_path / "a.ome.tif")
    assert len(pictures) == 6
    assert pictures[0].calibration.pixel_size_um == pytest.approx(0.84)
    assert pictures[0].calibration.origin == "metadata"
    for k, picture in enumerate(pictures):
        assert np.array_equal(picture.pixels, stored[k // 3, k % 3, 0])
        assert picture.z_um == pytest.approx(2 * k * 1e-3)
        assert picture.time == datetime(2026, 11, 21, 9, 30 + k, tzinfo=UTC)
    assert notes == ["2 channels (bright, dark); only the first, bright, is read"]
    for channel in ("dark", 1, "1"):
        pictures, notes = read(tmp_path / "a.ome.tif", channel=channel)
        assert np.array_equal(pictures[5].pixels, stored[1, 2, 1])
        assert notes == []


def test_channels_in_the_samples_of_a_page(tmp_path):
    stored = np.arange(2 * 8 * 9 * 2, dtype=np.uint16).reshape(2, 8, 9, 2)
    tifffile.imwrite(tmp_path / "a.ome.tif", stored, photometric="minisblack", compression="zlib",
                     planarconfig="contig",
                     metadata={"axes": "TYXS", "PhysicalSizeX": 0.5})  # fmt: skip
    pictures, _ = read(tmp_path / "a.ome.tif")
    assert [picture.shape for picture in pictures] == [(8, 9), (8, 9)]
    assert np.array_equal(pictures[1].pixels, stored[1, ..., 0])


@pytest.mark.parametrize(
    ("size", "unit", "expected"),
    [(0.5, None, 0.5), (500, "nm", 0.5), (5e-4, "mm", 0.5), (1, "pixel", None), (0, "µm", None)],
)
def test_ome_units(tmp_path, size, unit, expected):
    metadata = {"axes": "YX", "PhysicalSizeX": size, "PhysicalSizeY": size}
    if unit:
        metadata |= {"PhysicalSizeXUnit": unit, "PhysicalSizeYUnit": unit}
    tifffile.imwrite(tmp_path / "a.ome.tif", GREY, metadata=metadata)
    found = one(tmp_path / "a.ome.tif")[0].calibration
    assert (found and found.pixel_size_um) == (expected and pytest.approx(expected))


def test_pixels_that_are_not_square_give_no_calibration(tmp_path):
    metadata = {"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.6}
    tifffile.imwrite(tmp_path / "a.ome.tif", GREY, metadata=metadata)
    picture, notes = one(tmp_path / "a.ome.tif")
    assert picture.calibration is None
    assert "not square" in notes[0]


@pytest.mark.parametrize("unit", ["um", "micron", "µm", "\\u00B5m"])
def test_imagej_unit_and_resolution(tmp_path, unit):
    stored = np.arange(3 * 8 * 9, dtype=np.uint16).reshape(3, 8, 9)
    tifffile.imwrite(tmp_path / "a.tif", stored, imagej=True, resolution=(1 / 0.84, 1 / 0.84),
                     metadata={"axes": "ZYX", "unit": unit.replace("µ", "\\u00B5"),
                               "spacing": 2.5})  # fmt: skip
    pictures, _ = read(tmp_path / "a.tif")
    assert pictures[2].calibration.pixel_size_um == pytest.approx(0.84, rel=1e-6)
    assert [picture.z_um for picture in pictures] == [0, 2.5, 5]
    assert np.array_equal(pictures[2].pixels, stored[2])


@pytest.mark.parametrize("unit", ["pixel", "", None])
def test_imagej_without_a_unit_is_not_calibrated(tmp_path, unit):
    metadata = {"axes": "YX"} if unit is None else {"axes": "YX", "unit": unit}
    tifffile.imwrite(tmp_path / "a.tif", GREY, imagej=True, resolution=(1.2, 1.2),
                     metadata=metadata)  # fmt: skip
    assert one(tmp_path / "a.tif")[0].calibration is None


@pytest.mark.parametrize(
    ("per_unit", "unit", "expected"),
    [
        (72, "INCH", None), (96, "INCH", None), (300, "INCH", None), (1200, "INCH", None),
        (28.35, "CENTIMETER", None), (118.11, "CENTIMETER", None), (4800, "INCH", None),
        (9600, "INCH", None), (1e4, "NONE", None),
        (25400 / 0.84, "INCH", 0.84), (1e4 / 0.84, "CENTIMETER", 0.84), (50800, "INCH", 0.5),
        (25400 / 6.45, "INCH", 6.45),
    ],
)  # fmt: skip
def test_print_resolutions_are_no_calibration(tmp_path, per_unit, unit, expected):
    tifffile.imwrite(tmp_path / "a.tif", GREY, metadata=None, resolution=(per_unit, per_unit),
                     resolutionunit=unit)  # fmt: skip
    found = one(tmp_path / "a.tif")[0].calibration
    assert (found and found.pixel_size_um) == (expected and pytest.approx(expected, rel=1e-6))


def test_resolution_rule_is_monotonic_outside_the_scanner_range():
    assert not any(is_microscope_resolution(dpi) for dpi in np.linspace(1, 2539, 100))
    assert all(is_microscope_resolution(dpi) for dpi in np.linspace(9601, 1e6, 100))
    assert not any(is_microscope_resolution(dpi) for dpi in range(2600, 9601, 100))


def test_the_argument_wins_and_a_contradiction_is_noted(tmp_path):
    metadata = {"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    tifffile.imwrite(tmp_path / "a.ome.tif", GREY, metadata=metadata)
    given = Calibration(0.84)
    picture, notes = one(tmp_path / "a.ome.tif", pixel_size=given)
    assert picture.calibration is given
    assert "0.84 um, is used; the file says 0.5 um (OME PhysicalSizeX)" in notes[0]
    assert one(tmp_path / "a.ome.tif", pixel_size=Calibration(0.501))[1] == []


def test_sem_headers(tmp_path):
    fei = b"[User]\r\nDate=11/21/2026\r\n[Scan]\r\nPixelWidth=5.5e-009\r\nPixelHeight=5.5e-009\r\n"
    tifffile.imwrite(tmp_path / "a.tif", GREY, metadata=None,
                     extratags=[(34682, "s", len(fei), fei, True)])  # fmt: skip
    found = one(tmp_path / "a.tif")[0].calibration
    assert found.pixel_size_um == pytest.approx(0.0055)
    assert found.detail == "FEI Scan PixelWidth"
    zeiss = b"AP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 12.5 nm\r\n"
    tifffile.imwrite(tmp_path / "b.tif", GREY, metadata=None,
                     extratags=[(34118, "s", len(zeiss), zeiss, True)])  # fmt: skip
    assert one(tmp_path / "b.tif")[0].calibration.pixel_size_um == pytest.approx(0.0125)


def test_date_tag(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, metadata=None, datetime="2026:11:21 09:30:00")
    assert one(tmp_path / "a.tif")[0].time == datetime(2026, 11, 21, 9, 30)


def test_laziness_planes_are_decoded_when_asked_for(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([GREY] * 4), compression="zlib", metadata=None,
                     photometric="minisblack")  # fmt: skip
    decoded = []
    real = tifffile.TiffPage.asarray
    monkeypatch.setattr(
        tifffile.TiffPage, "asarray", lambda page, *a, **k: decoded.append(1) or real(page, *a, **k)
    )
    pictures = read_micrographs(tmp_path / "a.tif")
    assert decoded == []
    next(pictures)
    next(pictures)
    assert len(decoded) == 2
    pictures.close()
