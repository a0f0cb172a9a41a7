from __future__ import annotations

import struct
import zlib
from datetime import datetime

import cv2
import numpy as np
import pytest
from PIL import Image

from crystalgauge.core import ArgumentError, Calibration, ReadError
from crystalgauge.io import picture_shape, read_micrograph, read_micrographs

GREY = (np.arange(30 * 40).reshape(30, 40) % 251).astype(np.uint8)
COLOUR = np.dstack([GREY, GREY // 2, 255 - GREY])


def read(path, **options):
    notes = []
    picture = read_micrograph(path, on_note=notes.append, **options)
    return picture, [str(note) for note in notes]


@pytest.mark.parametrize("suffix", ["png", "bmp", "webp", "gif", "tif"])
def test_lossless_colour_or_grey_comes_back_exactly(tmp_path, suffix):
    stored = GREY if suffix == "gif" else COLOUR
    options = {"lossless": True} if suffix == "webp" else {}
    Image.fromarray(stored).save(tmp_path / f"a.{suffix}", **options)
    picture, notes = read(tmp_path / f"a.{suffix}")
    assert np.array_equal(picture.pixels, stored)
    assert (picture.source, picture.calibration) == (str(tmp_path / f"a.{suffix}"), None)
    assert notes == []


def test_jpeg_is_near_and_has_no_calibration_from_its_dpi(tmp_path):
    smooth = np.linspace(0, 255, 64 * 64).reshape(64, 64).astype(np.uint8)
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=95, dpi=(30238, 30238))
    picture, _ = read(tmp_path / "a.jpg")
    assert np.abs(picture.pixels.astype(int) - smooth).max() <= 3
    assert picture.calibration is None


@pytest.mark.parametrize("samples", [1, 3, 4])
def test_16_bit_png_keeps_every_bit(tmp_path, samples):
    deep = (np.arange(30 * 40 * 3).reshape(30, 40, 3) * 17 + 1).astype(np.uint16)
    stored = deep[..., 0] if samples == 1 else deep
    written = np.dstack([deep, np.full((30, 40), 65535, np.uint16)]) if samples == 4 else stored
    order = [2, 1, 0, 3][:samples] if samples > 1 else slice(None)
    cv2.imwrite(str(tmp_path / "a.png"), written[..., order] if samples > 1 else written)
    picture, notes = read(tmp_path / "a.png")
    assert picture.pixels.dtype == np.uint16
    assert np.array_equal(picture.pixels, stored)
    assert notes == []


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_and_time_agree_with_pillow(tmp_path, orientation):
    from PIL import ImageOps

    exif = Image.Exif()
    exif[274] = orientation
    exif.get_ifd(34665)[36867] = "2026:11:21 09:30:15"
    exif.get_ifd(34665)[37521] = "250"
    Image.fromarray(COLOUR).save(tmp_path / "a.png", exif=exif)
    picture, _ = read(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(picture.pixels, expected)
    assert picture.time == datetime(2026, 11, 21, 9, 30, 15, 250_000)
    assert picture_shape(tmp_path / "a.png") == picture.shape


def test_alpha_is_laid_over_white(tmp_path):
    alpha = np.full(GREY.shape, 255, np.uint8)
    alpha[:10] = 0
    alpha[10:20] = 51  # a fifth
    Image.fromarray(np.dstack([COLOUR, alpha])).save(tmp_path / "a.png")
    picture, notes = read(tmp_path / "a.png")
    assert (picture.pixels[:10] == 255).all()
    expected = np.rint(0.2 * COLOUR[10:20] + 0.8 * 255)
    assert np.abs(picture.pixels[10:20] - expected).max() <= 1
    assert np.array_equal(picture.pixels[20:], COLOUR[20:])
    assert "over white" in notes[0]


def test_opaque_alpha_is_dropped_silently_and_an_unused_one_with_a_note(tmp_path):
    for value, count in ((255, 0), (0, 1)):
        stored = np.dstack([GREY, np.full_like(GREY, value)])
        Image.fromarray(stored, "LA").save(tmp_path / "a.png")
        picture, notes = read(tmp_path / "a.png")
        assert np.array_equal(picture.pixels, GREY)
        assert len(notes) == count


def test_palettes(tmp_path):
    image = Image.fromarray((GREY % 3).astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 90, 90, 90, 200, 200, 200])
    image.save(tmp_path / "grey.png")
    picture, _ = read(tmp_path / "grey.png")
    assert np.array_equal(picture.pixels, np.array([0, 90, 200], np.uint8)[GREY % 3])
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.save(tmp_path / "clear.png", transparency=2)
    picture, notes = read(tmp_path / "clear.png")
    table = np.array([(255, 0, 0), (0, 255, 0), (255, 255, 255)], np.uint8)
    assert np.array_equal(picture.pixels, table[GREY % 3])
    assert "over white" in notes[0]


def test_key_colour_of_a_png_becomes_white(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png", transparency=7)
    picture, _ = read(tmp_path / "a.png")
    assert np.array_equal(picture.pixels, np.where(GREY == 7, 255, GREY))


def test_one_bit_becomes_0_and_255(tmp_path):
    Image.fromarray(GREY > 100).save(tmp_path / "a.png")
    picture, notes = read(tmp_path / "a.png")
    assert np.array_equal(picture.pixels, np.where(GREY > 100, 255, 0))
    assert "1 bit" in notes[0]


def test_cmyk_is_converted_and_reported(tmp_path):
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=100)
    picture, notes = read(tmp_path / "a.jpg")
    assert np.abs(picture.pixels.astype(int) - (255, 0, 0)).max() <= 6
    assert "CMYK" in notes[0]


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_animation_is_a_series(tmp_path, suffix):
    levels = (0, 100, 250)
    frames = [Image.fromarray(np.full((8, 9), level, np.uint8)).convert("RGB") for level in levels]
    frames[0].save(
        tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:], duration=50,
        lossless=True,
    )  # fmt: skip
    notes = []
    series = list(read_micrographs(tmp_path / f"a.{suffix}", on_note=notes.append))
    assert [picture.source[-2:] for picture in series] == ["#1", "#2", "#3"]
    assert [int(picture.grey()[0, 0] + 0.5) for picture in series] == list(levels)
    assert [note.kind for note in notes] == ["series"]


def test_content_decides_not_the_suffix(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    picture, notes = read(tmp_path / "a.jpg")
    assert np.array_equal(picture.pixels, COLOUR)
    assert "content is PNG" in notes[0]


def test_the_argument_is_the_calibration(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    given = Calibration(0.84, 0.01, "argument", "0.84+-0.01um")
    picture, notes = read(tmp_path / "a.png", pixel_size=given)
    assert picture.calibration is given
    assert notes == []


def test_one_pixel(tmp_path):
    Image.fromarray(GREY[:1, :1]).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png")[0].shape == (1, 1)


def test_unknown_channel(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    with pytest.raises(ArgumentError, match="no channel 'DAPI'"):
        read_micrograph(tmp_path / "a.png", channel="DAPI")


def png_of_zeros(path, width, height, depth=8):
    """Write a picture of zeros whose pixels never stand in memory."""

    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    row = bytes(1 + width * depth // 8)
    press = zlib.compressobj(1)
    data = b"".join(press.compress(row) for _ in range(height)) + press.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    signature = b"\x89PNG\r\n\x1a\n"
    content = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    path.write_bytes(signature + content)


def test_60_000_px_wide(tmp_path):
    png_of_zeros(tmp_path / "a.png", 60_000, 40)
    assert read(tmp_path / "a.png")[0].shape == (40, 60_000)


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "gif"])
def test_pillows_guard_against_large_pictures_does_not_apply(tmp_path, monkeypatch, suffix):
    Image.fromarray(GREY).save(tmp_path / f"a.{suffix}")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # twice that is an error, above a warning
    assert read(tmp_path / f"a.{suffix}")[0].shape == GREY.shape


def test_strips_are_put_together_in_order(tmp_path):
    tall = (np.arange(2500 * 3).reshape(2500, 3) % 256).astype(np.uint8)
    Image.fromarray(tall).save(tmp_path / "a.png")
    assert np.array_equal(read(tmp_path / "a.png")[0].pixels, tall)


@pytest.mark.slow
def test_20_000_px_square(tmp_path):
    png_of_zeros(tmp_path / "a.png", 20_000, 20_000)
    assert read(tmp_path / "a.png")[0].shape == (20_000, 20_000)


def test_gigapixels_are_refused_before_decoding(tmp_path):
    png_of_zeros(tmp_path / "a.png", 8, 8)
    content = bytearray((tmp_path / "a.png").read_bytes())
    content[16:24] = struct.pack(">II", 70_000, 70_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ReadError, match="70000 x 70000 px, more than 4 gigapixels"):
        read_micrograph(tmp_path / "a.png")
