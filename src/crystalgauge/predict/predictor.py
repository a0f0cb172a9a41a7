"""Micrograph to crystals: normalise, tile, run, decode, stitch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crystalgauge.core import ArgumentError, Crystals, ModelError
from crystalgauge.models.outline.decode import demote_parts
from crystalgauge.models.registry import find_model
from crystalgauge.predict.engine import EngineName, open_engine
from crystalgauge.predict.looks import find_at_best_scales, fuse, trust_evenly
from crystalgauge.predict.normalise import Intensity, measure_intensity
from crystalgauge.predict.outlines import find_outlines, outline_crystals
from crystalgauge.predict.scales import automatic_scales, check_scales

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from crystalgauge.core import Micrograph
    from crystalgauge.models.outline.decode import Outlines

READ_SHARE = 0.5
"""Cells are read from this share of the least score: merging and refinement move scores."""

LEAST_READ = 0.04


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model found in one picture.

    Parameters
    ----------
    crystals
        Outlines with the columns ``score`` (0 to 1), ``defocus_px`` (blur sigma) and
        ``diameter_error`` (expected relative error of the equivalent diameter).
    scales
        Magnifications at which the picture was looked at.
    notes
        What a user should know.
    doubtful
        The like, but below the least score: no crystals to report, but what may lie beside those.
    """

    crystals: Crystals
    scales: tuple[float, ...] = (1.0,)
    notes: tuple[str, ...] = ()
    doubtful: Crystals | None = None


class Predictor:
    """A model, ready for pictures.

    Parameters
    ----------
    model
        Name of a shipped model, or a folder with an exported one.
    engine
        What runs it; see `crystalgauge.predict.open_engine`.
    scales
        Magnifications, or "auto": 1 and halvings while the shorter side keeps 480 px, and 1.5
        as well where most crystals turn out to be small. "careful" does the same, and all once
        more with the picture mirrored, for models of outlines.
    min_score
        Least score of a crystal, 0 to 1; by default the card's, which balanced misses and false
        finds on validation scenes.
    threads
        Threads of one run.

    Raises
    ------
    ArgumentError
        For a score or scale out of range, or "careful" with a model of another kind.
    ModelError
        For an unknown or damaged model.
    """

    def __init__(
        self,
        model: str | Path = "crystals",
        *,
        engine: EngineName = "auto",
        scales: Sequence[float] | Literal["auto", "careful"] = "auto",
        min_score: float | None = None,
        threads: int | None = None,
    ) -> None:
        self._careful = scales == "careful"
        self._scales = None if isinstance(scales, str) else check_scales(scales)
        self.files = find_model(model)
        self.min_score = float(self.files.card["min_score"]) if min_score is None else min_score
        if not 0 < self.min_score < 1:
            raise ArgumentError(f"min_score lies between 0 and 1, got {min_score}")
        if self.files.kind not in FINDERS:
            raise ModelError(
                f"the model {self.files.name!r} is of an unknown kind, {self.files.kind!r}; "
                f"this version knows {', '.join(FINDERS)}"
            )
        if self._careful and self.files.kind != "outline":
            raise ArgumentError(
                f"only models of outlines look carefully; {self.files.name!r} is of the kind "
                f"{self.files.kind!r}, leave scales at auto"
            )
        self._find = FINDERS[self.files.kind]
        self._engine = open_engine(self.files, engine, threads)

    @property
    def provenance(self) -> dict[str, Any]:
        """What must be written beside a result to make it again."""
        return {
            "model": self.files.name,
            "model_sha256": self.files.sha256,
            "engine": self._engine.name,
            "min_score": self.min_score,
            "scales": list(self._scales or ()) or ("careful" if self._careful else "auto"),
        }

    def __call__(
        self, micrograph: Micrograph, progress: Callable[[float], None] | None = None
    ) -> Prediction:
        """Find the crystals of a picture.

        Parameters
        ----------
        micrograph
            Any size and depth.
        progress
            Called with the share done, 0 to 1.
        """
        scales = self._scales or automatic_scales(micrograph.shape)
        intensity = measure_intensity(micrograph)
        if is_blank(micrograph, intensity):
            return Prediction(outline_crystals(None), scales, ("the picture is constant",))
        threshold = max(LEAST_READ, READ_SHARE * self.min_score)
        if self._scales is not None or self.files.kind != "outline":
            found = self._find(
                self._engine, micrograph, intensity, scales, threshold=threshold, progress=progress
            )
            return self._said(found, scales)

        def look(scales: tuple[float, ...], start: float, part: float) -> Outlines:
            return self._look(
                micrograph, intensity, scales, threshold, _part_of(progress, start, part)
            )

        outlines, scales = find_at_best_scales(look, scales)
        return self._said(outline_crystals(outlines), scales)

    def _look(
        self,
        micrograph: Micrograph,
        intensity: Intensity,
        scales: tuple[float, ...],
        threshold: float,
        progress: Callable[[float], None] | None,
    ) -> Outlines:
        """Return the outlines at given scales; carefully, of the mirrored picture as well."""

        def find(seen: Micrograph, start: float, part: float) -> Outlines:
            return find_outlines(
                self._engine, seen, intensity, scales, threshold=threshold,
                progress=_part_of(progress, start, part),
            )  # fmt: skip

        if not self._careful:
            return find(micrograph, 0.0, 1.0)
        turned = replace(micrograph, pixels=micrograph.pixels[:, ::-1])
        return fuse(
            find(micrograph, 0.0, 0.5),
            find(turned, 0.5, 0.5).mirrored(micrograph.shape[1]),
            trust_evenly,
        )

    def _said(self, crystals: Crystals, scales: tuple[float, ...]) -> Prediction:
        """Return what reaches the least score, with calibrated errors, and what does not."""
        factor = float(self.files.card.get("diameter_error_factor", 1.0))
        stated = np.minimum(crystals["diameter_error"] * factor, 1.0)
        crystals = crystals.with_columns(diameter_error=stated)
        sure = crystals["score"] >= self.min_score
        return Prediction(crystals.take(sure), scales, doubtful=crystals.take(~sure))


def _part_of(
    progress: Callable[[float], None] | None, start: float, part: float
) -> Callable[[float], None] | None:
    """Return what reports a step of the work as a part of the whole."""
    return None if progress is None else lambda share: progress(start + part * share)


def is_blank(micrograph: Micrograph, intensity: Intensity) -> bool:
    """Tell whether a picture holds no contrast at all."""
    step = max(1, int(np.sqrt(np.prod(micrograph.shape) / 2e5)))
    sample = micrograph.grey(slice(None, None, step), slice(None, None, step))
    return float(np.ptp(sample)) < 1e-3 * intensity.scale


def _find_outline_crystals(*picture: Any, **options: Any) -> Crystals:
    return outline_crystals(demote_parts(find_outlines(*picture, **options)))


def _find_box_crystals(*picture: Any, **options: Any) -> Crystals:
    from crystalgauge.predict.boxes import find_boxes  # the rarer kind; it brings its own kernels

    return find_boxes(*picture, **options).to_crystals()


def _find_mask_crystals(*picture: Any, **options: Any) -> Crystals:
    from crystalgauge.predict.masks import find_masks

    return find_masks(*picture, **options).to_crystals()


FINDERS: dict[str, Callable[..., Crystals]] = {
    "outline": _find_outline_crystals,
    "s2anet": _find_box_crystals,
    "yolo12-seg": _find_mask_crystals,
}
"""What finds crystals with a model of each kind; all take what `find_outlines` takes."""
