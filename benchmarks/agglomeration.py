"""Which crystals are agglomerated: our graph on simulated pictures no fit saw.

    python benchmarks/agglomeration.py [--model crystals] [--pictures 25] [--sugar 30]

Fits nothing. Prints, for ammonium perchlorate (fitted with other shapes) and sugar (never fitted),
with outlines of the model and with the true ones: accuracy of the class, F1, precision and recall
of the agglomerated class, calibration of the probabilities, and the degree of agglomeration.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.agglomeration import (
    agglomeration_degree,
    contact_graph,
    heaps,
    load_contact_model,
    neighbour_pairs,
    reliability,
)
from crystalgauge.agglomeration.examples import OTHER_LIBRARY, REPORT_SEED, Example, draw_examples
from crystalgauge.agglomeration.fit import judge
from crystalgauge.agglomeration.score import score_examples
from crystalgauge.pipeline.contacts import found_with_blur
from crystalgauge.predict import Predictor

if TYPE_CHECKING:
    from crystalgauge.agglomeration import ContactModel

COLUMNS = ("crystals", "found", "agglomerated", "ACC", "F1", "precision", "recall", "all single")


def main() -> None:
    """Draw, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="crystals")
    parser.add_argument("--pictures", type=int, default=25)
    parser.add_argument("--sugar", type=int, default=30)
    args = parser.parse_args()
    predictor = Predictor(args.model, engine="onnxruntime", threads=1)
    for substance, count in (("ammonium perchlorate", args.pictures), ("sugar", args.sugar)):
        drawn = list(
            draw_examples(
                substance,
                REPORT_SEED,
                count,
                lambda picture: found_with_blur(predictor, picture),
                library_seed=OTHER_LIBRARY,
            )
        )
        for name, side in (("crystals", 0), ("exact", 1)):
            print(f"\n## {substance}, {count} pictures, outlines: {name}")
            report(load_contact_model(name), [pair[side] for pair in drawn])


def report(model: ContactModel, examples: list[Example]) -> None:
    """Print the figures of a set of pictures."""
    score = score_examples(model, examples)
    true = score.agglomerated
    shown = (score.asked, len(true), true.mean(), score.accuracy, score.f1, score.precision,
             score.recall, 1 - true.mean())  # fmt: skip
    print("| " + " | ".join(COLUMNS) + " |")
    print("| " + " | ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in shown) + " |")
    for name, said, outcome in (
        ("pairs", score.pair_probability, score.touch),
        ("crystals", score.contact_probability, true),
    ):
        table = reliability(said, outcome)
        print(f"{name}: {len(said)}, Brier {table.brier:.3f}, "
              f"calibration error {table.expected_error:.3f}")  # fmt: skip
        for k in np.flatnonzero(table.count):
            print(f"| {table.edges[k]:.1f}-{table.edges[k + 1]:.1f} | {table.count[k]} "
                  f"| {table.stated[k]:.2f} | {table.happened[k]:.2f} |")  # fmt: skip
    print(f"ACC of outlines alone, blur not looked at: {outlines_alone(examples):.3f}")
    degrees(model, examples)


def outlines_alone(examples: list[Example]) -> float:
    """Return the accuracy when every crystal whose outline runs along another's is agglomerated."""
    right = []
    for example in examples:
        known, pairs = judge(example), neighbour_pairs(example.crystals)
        touching = np.zeros(len(example.crystals), bool)
        meets = pairs.contact_px > 0
        touching[pairs.row_a[meets]] = touching[pairs.row_b[meets]] = True
        right.append(touching[known.rows] == known.agglomerated)
    return float(np.mean(np.concatenate(right)))


def degrees(model: ContactModel, examples: list[Example]) -> None:
    """Print the degree of agglomeration of all pictures together, and how often it is covered."""
    parts, covered, judged = [], 0, 0
    true_number, true_volume, volume, number = 0, 0.0, 0.0, 0
    for example in examples:
        graph = contact_graph(example.crystals, model, doubtful=example.doubtful)
        diameter = np.sqrt(example.crystals.area_px2)
        part = heaps(graph.agglomerate_id, graph.contact_probability, diameter)
        parts.append(part)
        seen, size = example.classes.judged, example.truth.area_px2**1.5
        agglomerated = example.classes.agglomerated & seen
        true_number, number = true_number + int(agglomerated.sum()), number + int(seen.sum())
        true_volume += float(size[agglomerated].sum())
        volume += float(size[seen].sum())
        one = agglomeration_degree([part]).number
        if seen.any() and one.low is not None and one.high is not None:
            judged += 1
            covered += one.low <= agglomerated.sum() / seen.sum() <= one.high
    whole = agglomeration_degree(parts)
    for name, said, true in (
        ("number", whole.number, true_number / number),
        ("volume", whole.volume, true_volume / volume),
    ):
        print(f"degree by {name}: {said.value:.3f} [{said.low:.3f}, {said.high:.3f}], "
              f"true {true:.3f}")  # fmt: skip
    print(f"interval of a picture covers its true degree by number: {covered} of {judged}")


if __name__ == "__main__":
    main()
