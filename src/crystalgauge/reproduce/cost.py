"""What a model costs: its parameters, and its time on a large picture."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from crystalgauge.datasets.benchmark_scenes import VALIDATION_SEED, benchmark_scene
from crystalgauge.models import find_model
from crystalgauge.models.registry import CARD_SUFFIX, FORMAT
from crystalgauge.models.torch_models import load_model
from crystalgauge.predict import Predictor
from crystalgauge.render.renderer import render
from crystalgauge.train.export import UNTRAINED_SCORE
from crystalgauge.train.trainable import trainable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crystalgauge.core import Micrograph
    from crystalgauge.predict import EngineName
    from crystalgauge.train import Recipe

SHAPE = (920, 1224)
"""Height and width of the picture that is timed."""

REPEATS = 5

SCENE = 10**6
"""Number of its scene, beyond those of the set."""


@dataclass(frozen=True)
class Cost:
    """What a network costs on a CPU.

    Parameters
    ----------
    parameters
        Numbers learnt.
    latency_s
        Median wall time of `REPEATS` predictions of one picture, in s, after a first one:
        normalisation, network, decoding, suppression.
    engine
        What ran it.
    threads
        Of the engine.
    """

    parameters: int
    latency_s: float
    engine: str
    threads: int


def timed_picture(shape: tuple[int, int] = SHAPE) -> Micrograph:
    """Return the picture that is timed, with as many crystals to an area as the set has."""
    return render(benchmark_scene(VALIDATION_SEED, SCENE, shape))[0]


def cost_of(
    model: str | Path,
    picture: Micrograph,
    *,
    engine: EngineName = "auto",
    threads: int = 1,
    scales: Sequence[float] | Literal["auto"] = (1.0,),
) -> Cost:
    """Measure a model.

    Parameters
    ----------
    model
        Name of a shipped model, or a folder.
    picture
        From `timed_picture`.
    engine
        What runs it.
    threads
        Of the engine.
    scales
        As for `crystalgauge.predict.Predictor`.
    """
    network = load_model(find_model(model))
    parameters = sum(value.numel() for value in network.parameters())
    predictor = Predictor(model, engine=engine, threads=threads, scales=scales)
    times = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        predictor(picture)
        times.append(time.perf_counter() - start)
    ran_by = str(predictor.provenance["engine"])
    return Cost(parameters, statistics.median(times[1:]), ran_by, threads)


def cost_of_untrained(
    recipe: Recipe, picture: Micrograph, *, engine: EngineName = "auto", threads: int = 1
) -> Cost:
    """Measure the network of a recipe before any training: what it costs does not depend on it.

    Parameters
    ----------
    recipe
        Of any model.
    picture, engine, threads
        As for `cost_of`.
    """
    task = trainable(recipe)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        task.export(task.network().eval(), folder / recipe.name)
        card = {
            "format": FORMAT, "name": recipe.name, "kind": recipe.model,
            "network": recipe.network.config().as_dict(), "min_score": UNTRAINED_SCORE,
        }  # fmt: skip
        card_file = folder / f"{recipe.name}{CARD_SUFFIX}"
        card_file.write_text(json.dumps(card), encoding="utf-8")
        return cost_of(folder, picture, engine=engine, threads=threads)
