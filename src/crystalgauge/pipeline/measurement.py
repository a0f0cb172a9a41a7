"""The whole chain for one picture: read, detect, measure, draw."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core import ArgumentError, Calibration, Crystals, Micrograph
from crystalgauge.pipeline.naming import readable
from crystalgauge.pipeline.particles import Particles, Sizing, particle_table, with_sizing
from crystalgauge.pipeline.parts import Record
from crystalgauge.pipeline.settings import Colour, Detector, Engine, Scales, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl
    from numpy.typing import NDArray

    from crystalgauge.measure import FrameCorrection, Summary


@dataclass(frozen=True, eq=False)
class Measurement:
    """What was measured in one picture.

    Parameters
    ----------
    micrograph
        The picture.
    crystals
        Outlines in px with what the model said about them.
    table
        One row per crystal; every column is defined in `crystalgauge.measure.GLOSSARY`.
    summary
        Size distribution of the picture: figures with intervals.
    notes
        What a user should know about the reading and the detection.
    scales
        Magnifications at which the picture was looked at.
    provenance
        Model and arguments.
    seconds
        Wall time of detecting and measuring.
    agglomeration
        Agglomerates and the degree of agglomeration by the names of the glossary; empty when
        the model states no blur.
    sizing
        What the sizes of the summary are of.
    """

    micrograph: Micrograph
    crystals: Crystals
    table: pl.DataFrame
    summary: Summary
    notes: tuple[str, ...] = ()
    scales: tuple[float, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    agglomeration: Mapping[str, float | int | None] = field(default_factory=dict)
    sizing: Sizing = field(default_factory=Sizing)

    def overlay(self, *, ids: bool = False, colour: Colour = "score") -> NDArray[np.uint8]:
        """Return the picture with the outlines on it, ``(h, w, 3)`` red-green-blue.

        Parameters
        ----------
        ids
            Number the crystals as the table does.
        colour
            What the colour of an outline tells: the score, or the agglomerate.
        """
        from crystalgauge.report import overlay

        cut = self.table["touches_border"].to_numpy()
        known = colour == "agglomerates" and "agglomerate_id" in self.crystals
        groups = self.crystals["agglomerate_id"] if known else None
        return overlay(self.micrograph, self.crystals, cut=cut, ids=ids, groups=groups)

    def save(self, out: str | Path) -> Path:
        """Write the same files as a batch of one picture; return the folder.

        Parameters
        ----------
        out
            Folder; made when missing.

        Raises
        ------
        WriteError
            When the system refuses.
        """
        from crystalgauge.pipeline.batch import save_measurement

        return save_measurement(self, Path(out))

    def record(self) -> Record:
        """Return the picture's row of a batch."""
        return Record(
            "ok",
            "; ".join(self.notes),
            shape=self.micrograph.shape,
            calibration=self.micrograph.calibration,
            crystals=len(self.crystals),
            summary={**self.summary.as_dict(), **self.agglomeration},
            detector_columns=tuple(n for n, v in self.crystals.columns.items() if v.ndim == 1),
            scales=self.scales,
            seconds=round(self.seconds, 3),
        )


def measure(
    picture: str | Path | Micrograph | NDArray[Any],
    *,
    pixel_size_um: float | None = None,
    model: str = "crystals",
    min_score: float | None = None,
    scales: Scales = "auto",
    engine: Engine = "auto",
    threads: int | None = None,
    channel: int | str | None = None,
    frame_correction: FrameCorrection = "miles-lantuejoul",
    particles: Particles = "crystals",
    max_crystal_blur_px: float | None = None,
    detector: Detector | None = None,
    progress: Callable[[float], None] | None = None,
) -> Measurement:
    """Measure the crystals in one picture.

    Parameters
    ----------
    picture
        A file (the first picture of a series), a micrograph, or pixels ``(H, W)`` or
        ``(H, W, 3)``.
    pixel_size_um
        Size of a pixel in µm; wins over what the picture says. Without any, lengths are in px.
    model
        Name of a shipped model, or path of an exported one.
    min_score
        Least score of a crystal, 0 to 1; the model's own when None.
    scales
        Magnifications to look at, "auto", or "careful": every picture mirrored as well.
    engine
        What runs the model.
    threads
        Threads of one run.
    channel
        Name or number of the channel of a multi-channel file.
    frame_correction
        Whether the size distribution makes up for large crystals reaching the border more often.
    particles
        ``crystals``, or ``agglomerates`` for a size distribution of crystals that touch as one
        particle.
    max_crystal_blur_px
        Largest blur (sigma) of what counts in the size distribution; None for all.
    detector
        Used instead of the model: loading one takes longer than a small picture.
    progress
        Called with the share done, 0 to 1.

    Returns
    -------
    Measurement
        With ``table``, ``summary``, ``crystals``, ``overlay()`` and ``save()``.

    Raises
    ------
    ReadError
        When the file cannot be read.
    ArgumentError
        When an argument is out of range, or the pixels are not finite.
    ModelError
        When the model is unknown or damaged.
    """
    given = None if pixel_size_um is None else Calibration(pixel_size_um, detail="pixel_size_um")
    micrograph, notes = _micrograph(picture, given, channel)
    settings = Settings(model, engine, scales, min_score, threads, given, channel, frame_correction)
    return measure_micrograph(
        micrograph,
        detector or settings.detector(),
        frame_correction=frame_correction,
        sizing=Sizing(particles, max_crystal_blur_px),
        notes=notes,
        progress=progress,
    )


def measure_micrograph(
    micrograph: Micrograph,
    detector: Detector,
    *,
    frame_correction: FrameCorrection = "miles-lantuejoul",
    sizing: Sizing | None = None,
    notes: tuple[str, ...] = (),
    progress: Callable[[float], None] | None = None,
) -> Measurement:
    """Detect and measure; the chain behind `measure` and every picture of a batch.

    Parameters
    ----------
    micrograph
        The picture.
    detector
        Finds the crystals.
    frame_correction
        Of the size distribution.
    sizing
        What counts as a particle of it; every crystal when None.
    notes
        What the reading had to say.
    progress
        Called with the share done, 0 to 1.
    """
    from crystalgauge.measure import Frame, coverage, crystal_table, summarise
    from crystalgauge.pipeline.contacts import judge_contacts

    started = time.perf_counter()
    prediction = detector(micrograph, progress)
    contacts = judge_contacts(micrograph, prediction.crystals, prediction.doubtful)
    crystals, shape = contacts.crystals, micrograph.shape
    table = crystal_table(crystals, shape, micrograph.calibration, _shown_source(micrograph))
    sizing = sizing or Sizing()
    part = particle_table(table, crystals.bounds, shape, micrograph.calibration, sizing)
    summary = summarise(
        [part.table],
        frames=[Frame(shape, micrograph.calibration)],
        coverages=[coverage(crystals, shape)],
        frame_correction=frame_correction,
    )
    return Measurement(
        micrograph,
        crystals,
        table,
        with_sizing(summary, [part], sizing, len(crystals)),
        (*notes, *prediction.notes),
        tuple(prediction.scales),
        dict(detector.provenance),
        time.perf_counter() - started,
        contacts.figures,
        sizing,
    )


def _shown_source(micrograph: Micrograph) -> str:
    return readable(Path(micrograph.source).name) if micrograph.source else "picture"


def _micrograph(
    picture: Any, pixel_size: Calibration | None, channel: int | str | None
) -> tuple[Micrograph, tuple[str, ...]]:
    from dataclasses import replace

    if isinstance(picture, str | Path):
        return _first_of_file(Path(picture), pixel_size, channel)
    if isinstance(picture, np.ndarray):
        picture = Micrograph(picture)
    if not isinstance(picture, Micrograph):
        raise ArgumentError(
            f"a picture is a path, a Micrograph or an array, got {type(picture).__name__}"
        )
    _check_finite(picture.pixels)
    return (replace(picture, calibration=pixel_size) if pixel_size else picture), ()


def _first_of_file(
    path: Path, pixel_size: Calibration | None, channel: int | str | None
) -> tuple[Micrograph, tuple[str, ...]]:
    from crystalgauge.io import Note, read_micrograph

    notes: list[Note] = []
    micrograph = read_micrograph(path, pixel_size=pixel_size, channel=channel, on_note=notes.append)
    texts = [note.text for note in notes]
    if micrograph.source != str(path):
        texts.append("a series: its first picture is measured; measure_batch takes all of them")
    return micrograph, tuple(texts)


def _check_finite(pixels: NDArray[Any]) -> None:
    if pixels.dtype.kind not in "buif":
        raise ArgumentError(f"pixels are integers or floats, got {pixels.dtype}")
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        raise ArgumentError("the picture holds NaN or infinite values; replace them first")
