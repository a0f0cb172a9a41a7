"""Large pictures are decoded into a file without a name, with the same pixels."""

from __future__ import annotations

import errno
import tempfile

import numpy as np
import pytest
import tifffile
from PIL import Image

from crystalgauge.io import read_micrograph, scratch

RNG = np.random.default_rng(17)
GREY = RNG.integers(0, 255, (1100, 96), np.uint8)
DEEP = RNG.integers(0, 60_000, (1100, 96, 3), np.uint16)


def is_mapped(pixels: np.ndarray | None) -> bool:
    while pixels is not None and not isinstance(pixels, np.memmap):
        pixels = pixels.base if isinstance(pixels.base, np.ndarray) else None
    return pixels is not None


@pytest.fixture
def tiny_limit(monkeypatch, tmp_path):
    """Call everything large, and return the folder of the temporary files."""
    monkeypatch.setattr(scratch, "LARGE_BYTES", 1)
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def write(path, kind):
    if kind == "png":
        Image.fromarray(GREY).save(path)
        return GREY
    stored = DEEP if "deep" in kind else GREY
    options = {"tile": (64, 64)} if "tiled" in kind else {"rowsperstrip": 50}
    compression = None if "plain" in kind else "zlib"
    byteorder = ">" if "big-endian" in kind else "<"
    options["photometric"] = "rgb" if stored.ndim == 3 else "minisblack"
    tifffile.imwrite(path, stored, compression=compression, byteorder=byteorder, **options)
    return stored


@pytest.mark.parametrize(
    "kind", ["png", "tiled", "strips", "tiled plain", "deep tiled", "deep big-endian plain"]
)
def test_large_pictures_are_mapped_and_the_same(tmp_path, tiny_limit, kind):
    path = tmp_path / f"a.{'png' if kind == 'png' else 'tif'}"
    stored = write(path, kind)
    pixels = read_micrograph(path).pixels
    assert is_mapped(pixels)
    assert pixels.dtype.isnative
    np.testing.assert_array_equal(pixels, stored)
    assert list(tiny_limit.iterdir()) == [], "the file has no name that could be left over"


def test_small_pictures_are_not(tmp_path):
    write(tmp_path / "a.tif", "tiled")
    assert not is_mapped(read_micrograph(tmp_path / "a.tif").pixels)


def test_a_full_disk_is_no_obstacle(tmp_path, tiny_limit, monkeypatch):
    def refuse(descriptor, size):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(scratch, "_reserve", refuse)
    stored = write(tmp_path / "a.tif", "tiled")
    pixels = read_micrograph(tmp_path / "a.tif").pixels
    assert not is_mapped(pixels)
    np.testing.assert_array_equal(pixels, stored)
