"""Results per picture, stored as they come, so that a stopped batch goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from crystalgauge.core import Calibration

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl
    from numpy.typing import NDArray

    from crystalgauge.core import Crystals

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Record:
    """One picture's row of the results, without its name, which the batch gives.

    Parameters
    ----------
    status
        ``failed`` when the picture could not be read or measured, ``out of focus`` when it was
        left out for that.
    message
        Cause of the failure, why it was left out, or notes.
    page
        Number within a series, counted from 1; None for a file with a single picture.
    shape
        Height and width in px, None when it failed.
    calibration
        Pixel size, or None.
    crystals
        Number found.
    summary
        Statistics by name; None where one cannot be given.
    detector_columns
        Columns of the table that the model said and no measurement.
    scales
        Factors at which the picture was looked at.
    seconds
        Wall time of detecting and measuring.
    sha256
        Of the file's content.
    """

    status: Literal["ok", "failed", "out of focus"]
    message: str = ""
    page: int | None = None
    shape: tuple[int, int] | None = None
    calibration: Calibration | None = None
    crystals: int = 0
    summary: dict[str, Any] | None = None
    detector_columns: tuple[str, ...] = ()
    scales: tuple[float, ...] = ()
    seconds: float = 0.0
    sha256: str = ""

    def to_json(self) -> str:
        """Write the record as JSON; NaN becomes null."""
        return json.dumps(_plain(asdict(self)), ensure_ascii=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Read what `to_json` wrote."""
        data = json.loads(text)
        calibration = data.pop("calibration")
        for name in ("shape", "detector_columns", "scales"):
            data[name] = None if data[name] is None else tuple(data[name])
        return cls(**data, calibration=Calibration(**calibration) if calibration else None)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not abs(value) < float("inf") else value


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file; of names, sizes and times for a folder (OME-Zarr).

    Parameters
    ----------
    path
        What to hash.

    Raises
    ------
    OSError
        When it cannot be read.
    """
    digest = hashlib.sha256()
    if path.is_dir():
        for inner in sorted(p for p in path.rglob("*") if p.is_file()):
            state = inner.stat()
            line = f"{inner.relative_to(path)}\0{state.st_size}\0{state.st_mtime_ns}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


class PartStore:
    """The folder that keeps the finished pictures of a batch.

    Parameters
    ----------
    folder
        Made when the first part is stored.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def key(self, path: Path, sha256: str, fingerprint: str) -> str:
        """Return the name of a file's parts: another content or argument gives another name.

        Parameters
        ----------
        path
            The picture.
        sha256
            Of its content.
        fingerprint
            Of everything else the numbers depend on.
        """
        place = os.fsencode(os.path.abspath(path))
        return hashlib.sha256(
            b"\0".join([place, sha256.encode(), fingerprint.encode()])
        ).hexdigest()[:32]

    def _path(self, key: str, page: int, suffix: str) -> Path:
        return self.folder / key / f"{page:06d}{suffix}"

    def table_path(self, key: str, record: Record) -> Path:
        """Return where the crystals of a picture are."""
        return self._path(key, record.page or 1, ".parquet")

    def overlay_path(self, key: str, record: Record) -> Path:
        """Return where the overlay of a picture is."""
        return self._path(key, record.page or 1, ".png")

    def thumbnail_path(self, key: str, record: Record) -> Path:
        """Return where the reduced overlay of a picture is."""
        return self._path(key, record.page or 1, ".webp")

    def put(
        self,
        key: str,
        record: Record,
        crystals: Crystals,
        table: pl.DataFrame,
        drawing: NDArray[Any],
    ) -> None:
        """Store a picture; its record comes last and says that the rest is there.

        Parameters
        ----------
        key
            From `key`.
        record
            The picture's row.
        crystals
            Outlines, one per row of the table.
        table
            Measurements.
        drawing
            ``(h, w, 3)`` overlay.

        Raises
        ------
        WriteError
            When the disk is full or may not be written.
        """
        import polars as pl
        import shapely

        from crystalgauge.io import replacing
        from crystalgauge.report import encode, thumbnail

        outlines = pl.Series("outline_wkb", shapely.to_wkb(crystals.outlines).tolist(), pl.Binary)
        with replacing(self.table_path(key, record)) as file:
            table.with_columns(outlines).write_parquet(file)
        with replacing(self.overlay_path(key, record)) as file:
            file.write(encode(drawing, "png"))
        with replacing(self.thumbnail_path(key, record)) as file:
            file.write(thumbnail(drawing))
        self.put_record(key, record)

    def put_record(self, key: str, record: Record) -> None:
        """Store the row of a picture, which is all there is of one that was left out.

        Parameters
        ----------
        key
            From `key`.
        record
            The picture's row.
        """
        from crystalgauge.io import replacing

        with replacing(self._path(key, record.page or 1, ".json"), "w") as file:
            file.write(record.to_json())

    def page(self, key: str, page: int) -> Record | None:
        """Return the record of a stored picture, None when it is not there or damaged.

        Parameters
        ----------
        key
            From `key`.
        page
            Number within the file, counted from 1.
        """
        try:
            return Record.from_json(self._path(key, page, ".json").read_text("utf-8"))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def close(self, key: str, pages: int) -> None:
        """Say that a file is finished.

        Parameters
        ----------
        key
            From `key`.
        pages
            How many pictures it has.
        """
        from crystalgauge.io import replacing

        with replacing(self.folder / key / "done.json", "w") as file:
            json.dump({"pages": pages}, file)

    def finished(self, key: str) -> list[Record] | None:
        """Return the records of a finished file, None when it has to be measured.

        Parameters
        ----------
        key
            From `key`.
        """
        try:
            text = (self.folder / key / "done.json").read_text("utf-8")
            pages = int(json.loads(text)["pages"])
        except (OSError, ValueError, TypeError, KeyError):
            return None
        records = [self.page(key, number) for number in range(1, pages + 1)]
        whole = [record for record in records if record is not None]
        return whole if len(whole) == pages else None

    def crystals(self, key: str, record: Record) -> Crystals:
        """Return the outlines of a stored picture with what the model said about them.

        Parameters
        ----------
        key
            From `key`.
        record
            The picture's row.
        """
        import polars as pl
        import shapely

        from crystalgauge.core import Crystals

        names = [*record.detector_columns, "outline_wkb"]
        frame = pl.read_parquet(self.table_path(key, record), columns=names, glob=False)
        outlines = shapely.from_wkb(frame["outline_wkb"].to_list())
        return Crystals(outlines, {n: frame[n].to_numpy() for n in record.detector_columns})

    def clear(self) -> None:
        """Forget every part."""
        shutil.rmtree(self.folder, ignore_errors=True)
