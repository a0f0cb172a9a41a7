"""Simulated batches seen through a model: what was measured, beside what is true."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from crystalgauge.core import Calibration
from crystalgauge.io.atomic import replacing
from crystalgauge.measure import crystal_table, touches_border
from crystalgauge.measure.frame_correction import miles_lantuejoul_weights
from crystalgauge.measure.weighted_sizes import WeightedSizes
from crystalgauge.models import find_model
from crystalgauge.render.renderer import render
from crystalgauge.scenes.growth import (
    DILUTED,
    HOURS,
    LEAST_SIDE_PX,
    PIXEL_UM,
    UNDILUTED,
    VARIANTS,
    batch_of,
    picture_sample,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from crystalgauge.core import Crystals
    from crystalgauge.predict import Predictor
    from crystalgauge.scenes.population_balance import Parcels

SHAPE = (1632, 2272)
"""Of the paper's pictures."""

DROPS = {"diluted": DILUTED, "undiluted": UNDILUTED}

SEED = 71
"""Of the pictures; no training uses it."""

FIRST_REPLICATE = 1000
"""Training scenes of this regime, if any, have smaller numbers."""


@dataclass(frozen=True)
class Plan:
    """Which samples are taken.

    Parameters
    ----------
    hours
        Of the wild type's samples; the variants' is the last one of a batch.
    replicates
        Of the wild type.
    pictures
        Of each sample.
    shape
        Of a picture in px.
    """

    hours: tuple[float, ...] = HOURS[:-1]
    replicates: int = 3
    pictures: int = 3
    shape: tuple[int, int] = SHAPE

    def samples(self) -> Iterator[Sample]:
        """List all samples."""
        for number in range(self.replicates):
            for hour in self.hours:
                for drop in DROPS:
                    yield Sample("wild type", number, hour, drop)
        for variant in VARIANTS:
            yield Sample(variant, 0, HOURS[-1], "diluted")


@dataclass(frozen=True)
class Sample:
    """A drop from a crystallizer.

    Parameters
    ----------
    variant, replicate
        Of the batch.
    hour
        Since its start.
    drop
        Key of `DROPS`.
    """

    variant: str
    replicate: int
    hour: float
    drop: str

    @property
    def population(self) -> Parcels:
        """Return the crystals of the batch at that time."""
        history = batch_of(self.variant, FIRST_REPLICATE + self.replicate)
        return history.samples[HOURS.index(self.hour)]

    @property
    def dissolved_g_per_l(self) -> float:
        """Return the concentration of the liquid at that time."""
        history = batch_of(self.variant, FIRST_REPLICATE + self.replicate)
        return float(np.interp(self.hour, history.time_h, history.dissolved_g_per_l))

    def generator(self, picture: int) -> np.random.Generator:
        """Return what draws a picture of the sample."""
        parts = (
            list(VARIANTS).index(self.variant), self.replicate, HOURS.index(self.hour),
            list(DROPS).index(self.drop), picture,
        )  # fmt: skip
        return np.random.default_rng((SEED, *parts))

    @property
    def name(self) -> str:
        """Return a name for files."""
        variant = self.variant.replace(" ", "-")
        return f"{variant}-{self.replicate}-{self.hour:g}h-{self.drop}"


@dataclass(frozen=True, eq=False)
class Observation:
    """What a sample's pictures show.

    Parameters
    ----------
    sample
        Which.
    pictures
        Number of its pictures.
    found, shown
        Crystals that the model found and crystals in the pictures, one row each: ``picture``,
        ``length_um``, ``width_um``, ``area_um2``, ``weight`` (0 at the border, otherwise that of
        the frame).
    """

    sample: Sample
    pictures: int
    found: pl.DataFrame
    shown: pl.DataFrame

    def sizes(self, column: str, *, shown: bool = False) -> WeightedSizes:
        """Return a column of the crystals that the frame does not cut, with their weights.

        Parameters
        ----------
        column
            ``length_um``, ``width_um`` or ``aspect_ratio``.
        shown
            Of the crystals in the pictures instead of those found.
        """
        table = self.shown if shown else self.found
        table = table.filter(pl.col("weight") > 0)
        values = (
            table["length_um"] / table["width_um"] if column == "aspect_ratio" else table[column]
        )
        return WeightedSizes(values.to_numpy(), table["weight"].to_numpy())

    def in_batch(self, column: str) -> WeightedSizes:
        """Return a column of all crystals of the batch that a lens could show.

        Parameters
        ----------
        column
            As for `sizes`.
        """
        crystals = self.sample.population
        width, length = crystals.width_um, crystals.length_um
        seen = np.sqrt(width * length) >= LEAST_SIDE_PX * PIXEL_UM
        side, end = np.minimum(width, length)[seen], np.maximum(width, length)[seen]
        values = {"width_um": side, "length_um": end, "aspect_ratio": end / side}
        return WeightedSizes(values[column], crystals.number_per_ml[seen])


def observe(
    plan: Plan,
    predictor: Predictor,
    folder: Path,
    progress: Callable[[float, str], None] = lambda share, words: None,
) -> list[Observation]:
    """Take all samples, photograph and measure them; pictures measured before are kept.

    Parameters
    ----------
    plan
        Which samples.
    predictor
        Finds the crystals.
    folder
        For a table per picture.
    progress
        Called with the share done and a word on what is next.
    """
    samples = list(plan.samples())
    settings = f"{find_model(predictor.files.name).sha256} {predictor.min_score} {plan.shape}"
    folder = folder / hashlib.sha256(settings.encode()).hexdigest()[:12]
    observations = []
    for number, sample in enumerate(samples):
        tables = []
        for picture in range(plan.pictures):
            done = (number * plan.pictures + picture) / (len(samples) * plan.pictures)
            progress(done, sample.name)
            path = folder / f"{sample.name}-{picture}.parquet"
            if not path.exists():
                with replacing(path) as file:
                    _photographed(sample, picture, plan.shape, predictor).write_parquet(file)
            tables.append(pl.read_parquet(path))
        table = pl.concat(tables)
        split = [table.filter(pl.col("found") == flag).drop("found") for flag in (True, False)]
        observations.append(Observation(sample, plan.pictures, *split))
    return observations


def _photographed(
    sample: Sample, picture: int, shape: tuple[int, int], predictor: Predictor
) -> pl.DataFrame:
    """Return the crystals found in a picture of a sample and those shown there."""
    scene = picture_sample(sample.generator(picture), sample.population, DROPS[sample.drop], shape)
    micrograph, truth = render(scene)
    found = predictor(micrograph).crystals
    return pl.concat(
        [_rows(found, shape, picture, True), _rows(truth.crystals, shape, picture, False)]
    )


def _rows(crystals: Crystals, shape: tuple[int, int], picture: int, found: bool) -> pl.DataFrame:
    table = crystal_table(crystals, shape, Calibration(PIXEL_UM), str(picture))
    weight = miles_lantuejoul_weights(crystals.bounds, shape)
    weight[touches_border(crystals.outlines, shape)] = 0.0
    return pl.DataFrame({
        "picture": np.full(len(crystals), picture),
        "found": np.full(len(crystals), found),
        "length_um": table["box_length_um"].cast(pl.Float64),
        "width_um": table["box_width_um"].cast(pl.Float64),
        "area_um2": table["area_um2"].cast(pl.Float64),
        "weight": weight.astype(np.float64),
    })  # fmt: skip
