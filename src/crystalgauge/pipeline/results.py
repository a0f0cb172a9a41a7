"""The files of a batch, assembled from its parts, one part in memory at a time."""

from __future__ import annotations

import json
import os
import platform
import shutil
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from crystalgauge._version import __version__
from crystalgauge.core import WriteError
from crystalgauge.io import replacing
from crystalgauge.pipeline.csv_cells import harmless
from crystalgauge.pipeline.particles import Sized, Sizing, particle_table, with_sizing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from crystalgauge.io.annotations import AnnotatedPicture, AnnotationFormat
    from crystalgauge.measure import FrameCorrection, Summary
    from crystalgauge.pipeline.naming import PictureName
    from crystalgauge.pipeline.parts import PartStore, Record

CURVE_POINTS = 160
"""Sizes at which the page's cumulative curves are drawn; the table has all crystals."""


@dataclass(frozen=True)
class Entry:
    """One picture of a batch.

    Parameters
    ----------
    name
        What it is called.
    key
        Name of its parts.
    record
        What became of it.
    """

    name: PictureName
    key: str
    record: Record

    @property
    def ok(self) -> bool:
        """Whether it was measured."""
        return self.record.status == "ok"


def write_results(
    out: Path,
    store: PartStore,
    entries: Sequence[Entry],
    *,
    arguments: Mapping[str, Any],
    detector: Mapping[str, Any],
    exports: Sequence[AnnotationFormat],
    started: float,
) -> None:
    """Write tables, annotations, overlays, the page and the provenance.

    Parameters
    ----------
    out
        The result folder.
    store
        Where the parts are.
    entries
        The pictures, in the order of the results.
    arguments, detector
        For the provenance; the arguments ``frame_correction``, ``particles`` and
        ``max_crystal_blur_px`` also hold for the pooled figures.
    exports
        Further annotation formats.
    started
        Unix time at which the batch began.

    Raises
    ------
    WriteError
        When the system refuses.
    """
    from crystalgauge.pipeline.summary_page import write_page

    facts = provenance(entries, arguments, detector, exports, started)
    sizing = Sizing(arguments["particles"], arguments["max_crystal_blur_px"])
    pooled = pool_figures(store, entries, arguments["frame_correction"], sizing)
    write_tables(out, store, entries)
    write_overlays(out, store, entries)
    write_annotation_files(out, store, entries, exports)
    with replacing(out / "provenance.json", "w") as file:
        json.dump(facts, file, indent=2, default=str)
    write_page(out, store, entries, pooled, facts)


def provenance(
    entries: Sequence[Entry],
    arguments: Mapping[str, Any],
    detector: Mapping[str, Any],
    exports: Sequence[str],
    started: float,
) -> dict[str, Any]:
    """Return what is needed to make the same results again.

    Parameters
    ----------
    entries, arguments, detector, exports, started
        As for `write_results`.
    """
    from crystalgauge.agglomeration import contacts_sha256

    return {
        "crystalgauge": __version__,
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "arguments": {**arguments, "exports": list(exports)},
        "detector": dict(detector),
        "contacts_sha256": contacts_sha256(),
        "inputs": [
            {
                "name": entry.name.shown,
                "sha256": entry.record.sha256,
                "status": entry.record.status,
                "calibration": asdict(entry.record.calibration)
                if entry.record.calibration
                else None,
                "scales": list(entry.record.scales),
            }
            for entry in entries
        ],
    }


def crystal_frames(store: PartStore, entries: Iterable[Entry]) -> pl.LazyFrame:
    """Return the crystals of all measured pictures, with the picture's name first.

    Parameters
    ----------
    store
        Where the parts are.
    entries
        The pictures; columns that only some have are null for the others.
    """
    import polars as pl

    frames = [
        pl.scan_parquet(store.table_path(entry.key, entry.record), glob=False).select(
            pl.lit(entry.name.shown, pl.String).alias("picture"), pl.exclude("picture")
        )
        for entry in entries
        if entry.ok
    ]
    if not frames:
        return pl.LazyFrame({"picture": []}, schema={"picture": pl.String})
    return pl.concat(frames, how="diagonal_relaxed")


def pool_figures(
    store: PartStore,
    entries: Iterable[Entry],
    frame_correction: FrameCorrection,
    sizing: Sizing | None = None,
) -> Summary:
    """Summarise all measured pictures, or those with a pixel size when only some have one.

    Parameters
    ----------
    store, entries
        As for `write_results`.
    frame_correction
        Of the size distribution.
    sizing
        What counts as a particle; every crystal when None.
    """
    from crystalgauge.measure import Frame, summarise

    sizing = sizing or Sizing()
    measured = [entry for entry in entries if entry.ok]
    sized = [entry for entry in measured if entry.record.calibration] or measured
    unit = "um" if any(entry.record.calibration for entry in sized) else "px"
    parts = [_sized(store, entry, f"equivalent_diameter_{unit}", sizing) for entry in sized]
    covered = [(entry.record.summary or {}).get("coverage") or 0.0 for entry in sized]
    frames = [Frame(entry.record.shape or (0, 0), entry.record.calibration) for entry in sized]
    summary = summarise(
        [part.table for part in parts],
        frames=frames,
        coverages=covered,
        frame_correction=frame_correction,
        points=CURVE_POINTS,
    )
    found = sum(entry.record.crystals for entry in sized)
    return with_sizing(summary, parts, sizing, found)


def _sized(store: PartStore, entry: Entry, diameter: str, sizing: Sizing) -> Sized:
    """Return the particles of a measured picture, reading no more than they need."""
    import polars as pl
    import shapely

    path = store.table_path(entry.key, entry.record)
    columns = [diameter, "touches_border", "frame_weight"]
    if sizing.plain:
        return Sized(pl.read_parquet(path, columns=columns, glob=False), 0, True)
    table = pl.read_parquet(path, glob=False)
    bounds = shapely.bounds(shapely.from_wkb(table["outline_wkb"].to_numpy()))
    shape = entry.record.shape or (0, 0)
    return particle_table(table, bounds, shape, entry.record.calibration, sizing)


def write_tables(out: Path, store: PartStore, entries: Sequence[Entry]) -> None:
    """Write ``crystals.parquet``, ``crystals.csv``, ``agglomerates.csv`` and ``images.csv``.

    There is nothing on agglomerates where no model stated the blur.

    Parameters
    ----------
    out, store, entries
        As for `write_results`.
    """
    import polars as pl

    from crystalgauge.pipeline.contact_figures import agglomerate_table

    try:
        with replacing(out / "crystals.parquet") as file:
            crystal_frames(store, entries).sink_parquet(file.name)
        frames = pl.scan_parquet(out / "crystals.parquet", glob=False)
        columns = frames.collect_schema()
        texts = [harmless(name) for name, kind in columns.items() if kind == pl.String]
        plain = frames.drop("outline_wkb", strict=False).with_columns(texts)
        with replacing(out / "crystals.csv") as file:
            plain.sink_csv(file.name, float_precision=6)
        joined = agglomerate_table(plain)
        if joined is not None:
            with replacing(out / "agglomerates.csv") as file:
                joined.sink_csv(file.name, float_precision=6)
    except pl.exceptions.PolarsError as error:
        raise WriteError(f"cannot write the crystals to {str(out)!r}: {error}") from error
    with replacing(out / "images.csv") as file:
        image_table(entries).with_columns(
            harmless("name"), harmless("message"), harmless("overlay")
        ).write_csv(file, float_precision=6)


def image_table(entries: Sequence[Entry]) -> pl.DataFrame:
    """Return one row a picture.

    Parameters
    ----------
    entries
        The pictures.
    """
    import polars as pl

    rows = [_image_row(entry) for entry in entries]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in names}, strict=False)


def _image_row(entry: Entry) -> dict[str, Any]:
    record, calibration = entry.record, entry.record.calibration
    height, width = record.shape or (None, None)
    return {
        "name": entry.name.shown,
        "status": record.status,
        "crystals": record.crystals if entry.ok else None,
        "message": record.message,
        **(record.summary or {}),
        "width_px": width,
        "height_px": height,
        "pixel_size_um": calibration.pixel_size_um if calibration else None,
        "pixel_size_uncertainty_um": calibration.uncertainty_um if calibration else None,
        "pixel_size_origin": calibration.origin if calibration else None,
        "scales": " ".join(f"{scale:g}" for scale in record.scales),
        "seconds": record.seconds if entry.ok else None,
        "overlay": f"overlays/{entry.name.stem}.png" if entry.ok else None,
        "sha256": record.sha256,
    }


def write_overlays(out: Path, store: PartStore, entries: Iterable[Entry]) -> None:
    """Give the overlays their names in ``overlays/``, without a second copy where possible.

    Parameters
    ----------
    out, store, entries
        As for `write_results`.
    """
    folder = out / "overlays"
    for entry in entries:
        if entry.ok:
            _link(store.overlay_path(entry.key, entry.record), folder / f"{entry.name.stem}.png")


def _link(source: Path, target: Path) -> None:
    beside = target.parent / f".{os.getpid()}.part"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)
        os.link(source, beside)
        os.replace(beside, target)
        beside.unlink(missing_ok=True)  # replacing a name by a link to the same file does nothing
    except OSError:  # a file system without links
        with open(source, "rb") as whole, replacing(target) as file:
            shutil.copyfileobj(whole, file)


def annotated_pictures(
    store: PartStore, entries: Iterable[Entry], *, shown: bool
) -> Iterator[AnnotatedPicture]:
    """Yield the measured pictures with their outlines and scores.

    Parameters
    ----------
    store, entries
        As for `write_results`.
    shown
        Call them as the tables do; otherwise as their overlays, which is safe for file names.
    """
    from crystalgauge.io.annotations import AnnotatedPicture

    for entry in entries:
        record = entry.record
        if not entry.ok or record.shape is None:
            continue
        facts: Mapping[str, Any] = (
            {"pixel_size_um": record.calibration.pixel_size_um} if record.calibration else {}
        )
        crystals = store.crystals(entry.key, record)
        name = entry.name.shown if shown else f"{entry.name.stem}.png"
        yield AnnotatedPicture(name, record.shape, crystals, attributes=facts)


def write_annotation_files(
    out: Path, store: PartStore, entries: Sequence[Entry], exports: Sequence[AnnotationFormat]
) -> None:
    """Write ``crystals.coco.json`` and the formats asked for.

    Parameters
    ----------
    out, store, entries, exports
        As for `write_results`.
    """
    from crystalgauge.io.annotations import write_annotations

    whole = annotated_pictures(store, entries, shown=True)
    write_annotations(out / "crystals.coco.json", whole, "coco")
    for name in exports:
        if name != "coco":
            pictures = annotated_pictures(store, entries, shown=False)
            write_annotations(out / "export" / name, pictures, name)
