"""What each part of the outline model's decoder is worth, on validation scenes.

    python benchmarks/ablation.py [--model crystals] [--pictures 96] [--engine auto]

Runs the network once per picture and decodes it with parts left out: refinement rounds, averaging
of suppressed candidates, demotion of outlines within better ones. Validation scenes, because parts
are chosen by these figures; the test scenes (`unseen_scenes.py`) stay untouched.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from crystalgauge.core import Crystals, Micrograph
from crystalgauge.datasets import sample_picture
from crystalgauge.metrics import EvaluationPair, evaluate
from crystalgauge.models.outline.decode import Outlines, demote_parts, merge, read_maps, refine
from crystalgauge.models.registry import find_model
from crystalgauge.predict import open_engine
from crystalgauge.predict.normalise import input_channels, measure_intensity

if TYPE_CHECKING:
    from collections.abc import Callable

    from crystalgauge.predict.engine import Engine

VALIDATION_SEED = 2
EVERYTHING = 0.06
READ = 0.04


def variants(engine: Engine) -> dict[str, Callable[[Any, Any, Any], Outlines]]:
    """Return decoders by what they do."""

    def decoder(
        *, rounds: int, average: bool = True, demote: bool = True
    ) -> Callable[[Any, Any, Any], Outlines]:
        def run(maps: Any, fine: Any, coarse: Any) -> Outlines:
            found = merge(read_maps(maps, READ), average=average)
            if rounds:
                better = refine(found, fine, coarse, engine.refine, rounds=rounds)
                found = merge(better, average=False)
            return demote_parts(found) if demote else found

        return run

    return {
        "one pass": decoder(rounds=0),
        "one round of refinement": decoder(rounds=1),
        "two rounds (shipped)": decoder(rounds=2),
        "two rounds, no averaging": decoder(rounds=2, average=False),
        "two rounds, parts not demoted": decoder(rounds=2, demote=False),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="crystals")
    parser.add_argument("--pictures", type=int, default=96)
    parser.add_argument("--engine", default="auto")
    arguments = parser.parse_args()
    engine = open_engine(find_model(arguments.model), arguments.engine)
    decoders = variants(engine)
    pairs: dict[str, list[EvaluationPair]] = {name: [] for name in decoders}
    for index in range(arguments.pictures):
        pixels, truth = sample_picture(VALIDATION_SEED, index)
        micrograph = Micrograph(pixels)
        channels = input_channels(micrograph.grey(), measure_intensity(micrograph))
        maps, fine, coarse = engine.run(channels)
        for name, decode in decoders.items():
            found = decode(maps, fine, coarse)
            kept = found.take(found.score >= EVERYTHING)
            crystals = Crystals.from_vertices(kept.vertices, {"score": kept.score})
            pairs[name].append(EvaluationPair(truth.crystals, crystals))
    figures = {}
    for name, values in pairs.items():
        result = evaluate(values, strata=())
        figures[name] = {
            "ap": round(result.ap, 4), "ap50": round(result.ap50, 4),
            "ap75": round(result.ap75, 4), "best_f1": round(result.best_f1, 4),
            "diameter_ratio_median": round(result.size.median.value, 4),
        }  # fmt: skip
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
