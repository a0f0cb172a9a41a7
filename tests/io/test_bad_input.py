from __future__ import annotations

import os
import warnings

import numpy as np
import pytest
import tifffile
from PIL import Image

from crystalgauge.core import CrystalGaugeError, ReadError
from crystalgauge.io import picture_shape, read_micrograph, read_micrographs

GREY = (np.arange(48 * 64).reshape(48, 64) * 7 % 251).astype(np.uint8)


def complaint(path):
    with pytest.raises(ReadError) as caught:
        list(read_micrographs(path, on_note=lambda note: None))
    assert str(path) in str(caught.value) or repr(str(path)) in str(caught.value)
    with pytest.raises(ReadError):
        read_micrograph(path, on_note=lambda note: None)
    return str(caught.value)


def outcome(path):
    """Return the last picture, or what was complained about."""
    found = None
    try:
        for picture in read_micrographs(path, on_note=lambda note: None):
            found = picture.pixels
    except CrystalGaugeError as error:
        return None, str(error)
    return found, ""


def save(path, kind):
    if kind == "tiff":
        tifffile.imwrite(path, GREY, metadata=None)
    elif kind == "tiff zlib":
        tifffile.imwrite(path, GREY, compression="zlib", metadata=None)
    elif kind == "tiff lzw":
        Image.fromarray(GREY).save(path, format="tiff", compression="tiff_lzw")
    else:
        Image.fromarray(GREY).save(path, format=kind)


KINDS = ["png", "jpeg", "bmp", "webp", "gif", "tiff", "tiff zlib", "tiff lzw"]


@pytest.mark.parametrize("kind", KINDS)
def test_cut_anywhere_is_a_read_error_or_the_whole_picture(tmp_path, kind):
    """No other exception may come out, and nothing may be made up for the lost part."""
    path = tmp_path / "a.img"
    save(path, kind)
    content = path.read_bytes()
    whole = read_micrograph(path).pixels
    for length in np.linspace(1, len(content) - 1, 40).astype(int):
        path.write_bytes(content[:length])
        found, message = outcome(path)
        assert "a.img" in message or np.array_equal(found, whole)
    path.write_bytes(content[: len(content) // 2])
    assert "a.img" in complaint(path)


@pytest.mark.parametrize("kind", KINDS)
def test_noise_in_the_file_raises_nothing_else(tmp_path, kind):
    path = tmp_path / "a.img"
    save(path, kind)
    content = path.read_bytes()
    generator = np.random.default_rng(7)
    for _ in range(30):
        noisy = bytearray(content)
        for place in generator.integers(0, len(content), 8):
            noisy[place] = int(generator.integers(0, 256))
        path.write_bytes(noisy)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # decoders may warn before they give up
            found, message = outcome(path)
            assert "a.img" in message or found is not None


def test_zero_bytes(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    assert "zero bytes" in complaint(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello, I am a text", "not a picture this program knows"),
        (b"%PDF-1.7", "a PDF document"),
        (b"#?RADIANCE\n", "Radiance HDR"),
        (b"v/1\x01" + bytes(20), "OpenEXR"),
        (b"\x00\x00\x00\x0cjP  \r\n", "JPEG 2000"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"\x00\x00\x00\x1cftypheic", "HEIF"),
        (b"PK\x03\x04", "ZIP"),
    ],
)
def test_other_content(tmp_path, content, words):
    (tmp_path / "a.dat").write_bytes(content)
    message = complaint(tmp_path / "a.dat")
    assert words in message
    assert "export it as TIFF or PNG" in message
    (tmp_path / "a.png").write_bytes(content)
    assert "wrong suffix" in complaint(tmp_path / "a.png")


def test_missing_folder_and_pipe(tmp_path):
    assert "there is no file" in complaint(tmp_path / "a.png")
    assert "is a folder" in complaint(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    assert "pipe or a device" in complaint(tmp_path / "pipe.png")


def test_no_permission(tmp_path, monkeypatch):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    real = type(tmp_path).open

    def refuse(path, *arguments, **options):
        if path.name == "a.png":
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **options)

    monkeypatch.setattr(type(tmp_path), "open", refuse)
    assert "no permission to read" in complaint(tmp_path / "a.png")


def test_nan_and_inf_are_counted(tmp_path):
    picture = np.ones((1500, 8), np.float32)
    picture[0, :3] = np.nan
    picture[-1, 0] = np.inf
    picture[-1, 1] = -np.inf
    tifffile.imwrite(tmp_path / "a.tif", picture, metadata=None)
    assert "3 NaN and 2 infinite values out of 12000" in complaint(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "a.tif", np.full((4, 4), 1e30, np.float32), metadata=None)
    assert read_micrograph(tmp_path / "a.tif").pixels[0, 0] == np.float32(1e30)


def test_complex_numbers(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.ones((8, 8), np.complex64), metadata=None)
    assert "complex numbers" in complaint(tmp_path / "a.tif")


def test_booleans_become_0_and_255(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY > 100, photometric="minisblack", metadata=None)
    notes = []
    picture = read_micrograph(tmp_path / "a.tif", on_note=notes.append)
    assert np.array_equal(picture.pixels, np.where(GREY > 100, 255, 0))
    assert notes[0].kind == "pixels"


def test_memory_runs_out(tmp_path, monkeypatch):
    from crystalgauge.io import raster

    Image.fromarray(GREY).save(tmp_path / "a.png")

    def refuse(image):
        raise MemoryError

    monkeypatch.setattr(raster, "in_strips", refuse)
    assert "does not fit into memory" in complaint(tmp_path / "a.png")


@pytest.mark.parametrize(
    "name",
    ["a b.png", "it's \"x\".png", "two\nlines.png", "<script>&amp;.png", "кристалл-結晶.png",
     "100%d{0}.png", "a#3.png"],
)  # fmt: skip
def test_odd_names(tmp_path, name):
    Image.fromarray(GREY).save(tmp_path / name)
    assert read_micrograph(tmp_path / name).source == str(tmp_path / name)
    tifffile.imwrite(tmp_path / (name + ".tif"), GREY, metadata=None)
    assert np.array_equal(read_micrograph(tmp_path / (name + ".tif")).pixels, GREY)


def test_a_series_goes_on_being_read_until_the_bad_page(tmp_path):
    pages = np.ones((3, 8, 8), np.float32)
    pages[2, 0, 0] = np.nan
    tifffile.imwrite(tmp_path / "a.tif", pages, metadata=None, photometric="minisblack")
    pictures = read_micrographs(tmp_path / "a.tif")
    assert next(pictures).pixels[0, 0] == 1
    assert next(pictures).source.endswith("#2")
    with pytest.raises(ReadError, match="1 NaN"):
        next(pictures)


def test_notes_go_to_the_log_when_nobody_listens(tmp_path, caplog):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.bmp")
    read_micrograph(tmp_path / "a.bmp")
    assert "content is PNG" in caplog.text


def test_shape_of_something_unreadable(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ReadError, match=r"a\.png"):
        picture_shape(tmp_path / "a.png")
