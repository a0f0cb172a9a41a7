"""Fit the model of contacts anew, as after every change of the outline model.

    python benchmarks/fit_contacts.py [--model crystals] [--pictures 40] [--checked 20]

Draws pictures of ammonium perchlorate, outlines them, fits the probability of a contact on the
first seed and checks it on the second. Writes src/crystalgauge/weights/contacts.json.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from crystalgauge.agglomeration import reliability, save_contact_models
from crystalgauge.agglomeration.contact_model import CONTACTS, ContactModel
from crystalgauge.agglomeration.examples import (
    CHECKING_SEED,
    FITTING_SEED,
    OWN_LIBRARY,
    Example,
    draw_examples,
)
from crystalgauge.agglomeration.fit import fit_contact_model
from crystalgauge.agglomeration.score import score_examples
from crystalgauge.pipeline.contacts import found_with_blur
from crystalgauge.predict import Predictor

SUBSTANCE = "ammonium perchlorate"


def examples_of(predictor: Predictor, seed: int, count: int) -> tuple[list[Example], list[Example]]:
    """Return pictures as outlined by the model, and as they are."""
    drawn = list(
        draw_examples(
            SUBSTANCE,
            seed,
            count,
            lambda picture: found_with_blur(predictor, picture),
            library_seed=OWN_LIBRARY,
        )
    )
    return [found for found, _ in drawn], [exact for _, exact in drawn]


def figures_of(model: ContactModel, examples: list[Example]) -> dict[str, float]:
    """Return how well a model does on pictures it was not fitted on."""
    score = score_examples(model, examples)
    pairs = reliability(score.pair_probability, score.touch)
    crystals = reliability(score.contact_probability, score.agglomerated)
    return {
        "accuracy": round(score.accuracy, 4),
        "pair_brier": round(pairs.brier, 4),
        "pair_calibration_error": round(pairs.expected_error, 4),
        "crystal_brier": round(crystals.brier, 4),
        "crystal_calibration_error": round(crystals.expected_error, 4),
    }


def main() -> None:
    """Fit, check, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="crystals")
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--checked", type=int, default=20)
    parser.add_argument("--out", type=Path, default=CONTACTS)
    args = parser.parse_args()
    predictor = Predictor(args.model, engine="onnxruntime", threads=1)
    fitting = examples_of(predictor, FITTING_SEED, args.pictures)
    checking = examples_of(predictor, CHECKING_SEED, args.checked)
    names = ("crystals", "exact")
    models = {n: fit_contact_model(each) for n, each in zip(names, fitting, strict=True)}
    figures = {n: figures_of(models[n], each) for n, each in zip(names, checking, strict=True)}
    card = {
        "licence": "BSD-3-Clause",
        "outline_model": predictor.files.name,
        "outline_model_sha256": predictor.files.sha256,
        "substance": SUBSTANCE,
        "library_seed": OWN_LIBRARY,
        "fitted_on": {"seed": FITTING_SEED, "pictures": args.pictures},
        "checked_on": {"seed": CHECKING_SEED, "pictures": args.checked, "figures": figures},
    }
    save_contact_models(models, card, args.out)
    for name, model in models.items():
        weights = np.round(model.crystal_weights, 2).tolist()
        print(name, weights, figures[name])


if __name__ == "__main__":
    main()
