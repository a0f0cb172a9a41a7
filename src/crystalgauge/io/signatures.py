"""Recognise a file by its content, never by its suffix alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge.core import ReadError

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = {
    ".png": "png", ".apng": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".jpe": "jpeg",
    ".jfif": "jpeg", ".bmp": "bmp", ".dib": "bmp", ".webp": "webp", ".gif": "gif",
    ".tif": "tiff", ".tiff": "tiff", ".btf": "tiff", ".tf8": "tiff", ".tf2": "tiff",
    ".lsm": "tiff", ".stk": "tiff",
    ".nd2": "nd2", ".czi": "czi", ".lif": "lif", ".zarr": "zarr",
}  # fmt: skip
"""Format by lower-case suffix: the files that a folder is searched for."""

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"\xda\xce\xbe\n", "nd2"),
    (b"ZISRAWFILE", "czi"),
    (b"BM", "bmp"),
)

_FOREIGN = (
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"#?RGBE", "a Radiance HDR picture"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (Imaris, Ilastik)"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"8BPS", "a Photoshop document"),
    (b"SIMPLE  =", "a FITS picture"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"{", "a JSON file"),
    (b"<svg", "an SVG drawing"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
)

_ZARR_FILES = ("zarr.json", ".zgroup", ".zattrs", ".zarray")


def is_zarr(folder: Path) -> bool:
    """Tell whether a folder is a Zarr store, which is one picture."""
    return any((folder / name).is_file() for name in _ZARR_FILES)


def picture_format(path: Path) -> str:
    """Name the format of a picture from its first bytes.

    Parameters
    ----------
    path
        A file, or the folder of an OME-Zarr picture.

    Returns
    -------
    str
        One of the values of `SUFFIXES`.

    Raises
    ------
    ReadError
        When there is no such file, it is empty, may not be read, or holds something else.
    """
    if path.is_dir():
        if is_zarr(path):
            return "zarr"
        raise ReadError(f"{str(path)!r} is a folder, not a picture; name the pictures inside it")
    head = _first_bytes(path)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:4] == b"\x70\x00\x00\x00" and head[8:9] == b"\x2a":
        return "lif"
    raise ReadError(f"{str(path)!r} is {_foreign_name(head)}; {_way_out(path)}")


def suffix_mismatch(path: Path, kind: str) -> str | None:
    """Return the format that the suffix promises, when the content is another one."""
    promised = SUFFIXES.get(path.suffix.lower())
    return promised if promised is not None and promised != kind else None


def _first_bytes(path: Path) -> bytes:
    """Read 64 bytes, or say why that is not possible."""
    if path.exists() and not path.is_file():
        # opening a pipe would wait for ever
        raise ReadError(f"{str(path)!r} is a pipe or a device, not a file; name a picture")
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except FileNotFoundError:
        raise ReadError(f"there is no file {str(path)!r}; check the name") from None
    except PermissionError:
        raise ReadError(
            f"no permission to read {str(path)!r}; change its mode or copy it"
        ) from None
    except (OSError, ValueError) as error:
        raise ReadError(f"cannot open {str(path)!r}: {error}") from error
    if not head:
        raise ReadError(f"{str(path)!r} is empty (zero bytes); copy or export it again")
    return head


def _foreign_name(head: bytes) -> str:
    """Describe content that is not read here."""
    for magic, name in _FOREIGN:
        if head.startswith(magic):
            return name
    if head[4:8] == b"ftyp":
        return "a HEIF or AVIF picture or a film"
    return "not a picture this program knows"


def _way_out(path: Path) -> str:
    """Say what to do with it."""
    if path.suffix.lower() in SUFFIXES:
        return "the file is damaged or has a wrong suffix: copy or export it again"
    return "export it as TIFF or PNG"
