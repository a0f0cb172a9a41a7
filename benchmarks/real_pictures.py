"""Accuracy on real drops that were never trained on, and silence on pictures without crystals.

    python benchmarks/real_pictures.py [--model crystals] [--data ../shared/data]
        [--out DIR] [--careful]

The pictures are not part of this repository; see `--data`. With `--out`, overlays are written.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from crystalgauge.io import read_micrograph
from crystalgauge.io.annotations import read_annotations
from crystalgauge.metrics import EvaluationPair, evaluate
from crystalgauge.predict import Predictor
from crystalgauge.render.renderer import render
from crystalgauge.scenes.suspension import SuspensionConfig, sample_scene

if TYPE_CHECKING:
    from crystalgauge.core import Crystals, Micrograph

EVERYTHING = 0.06
BLANK_SEED = 4
BLANK_WELLS = 40


def blank_wells(count: int) -> list[Micrograph]:
    """Render pictures of everything but crystals: drops, walls, bubbles, dust, text."""
    import dataclasses

    wells = []
    for index in range(count):
        scene = sample_scene(
            np.random.default_rng((BLANK_SEED, index)), (768, 768), SuspensionConfig()
        )
        empty = dataclasses.replace(scene, crystals=scene.crystals.take(np.zeros(0, np.int64)))
        wells.append(render(empty)[0])
    return wells


def draw(micrograph: Micrograph, truth: Crystals | None, found: Crystals, path: Path) -> None:
    """Write an overlay: truth green (ignored grey), found red."""
    grey = micrograph.grey()
    low, high = np.percentile(grey, [0.1, 99.9])
    plain = np.clip(255 * (grey - low) / max(high - low, 1e-6), 0, 255).astype(np.uint8)
    canvas = cv2.cvtColor(plain, cv2.COLOR_GRAY2BGR)

    def line(outline: object, colour: tuple[int, int, int]) -> None:
        points = np.asarray(outline.exterior.coords)  # type: ignore[attr-defined]
        fixed = np.round((points - 0.5) * 16).astype(np.int32)
        cv2.polylines(canvas, [fixed], True, colour, 1, cv2.LINE_AA, 4)

    if truth is not None:
        for outline, ignore in zip(truth.outlines, truth["ignore"], strict=True):
            line(outline, (150, 150, 150) if ignore else (60, 220, 60))
    for outline in found.outlines:
        line(outline, (40, 60, 255))
    cv2.imwrite(str(path), canvas)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="crystals")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--careful", action="store_true", help="look at mirrored pictures as well")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[1] / "../shared/data")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    predictor = Predictor(
        arguments.model, engine=arguments.engine, min_score=EVERYTHING,
        scales="careful" if arguments.careful else "auto",
    )  # fmt: skip
    card_score = float(predictor.files.card["min_score"])
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
    figures: dict[str, object] = {}
    drops = arguments.data / "protein_drops"
    for picture in read_annotations(drops / "coco.json"):
        micrograph = read_micrograph(drops / picture.file_name)
        prediction = predictor(micrograph)
        result = evaluate(
            [EvaluationPair(picture.crystals, prediction.crystals, picture.region)],
            min_score=card_score,
        )
        shown = prediction.crystals.take(prediction.crystals["score"] >= card_score)
        figures[picture.file_name] = {
            "ap50": result.ap50, "ap75": result.ap75, "ap": result.ap,
            "precision": result.chosen.precision, "recall": result.chosen.recall,
            "n_truth": result.n_truth, "n_shown": len(shown), "scales": prediction.scales,
        }  # fmt: skip
        if arguments.out:
            draw(
                micrograph,
                picture.crystals,
                shown,
                arguments.out / f"{Path(picture.file_name).stem}.png",
            )
    empty = {"blank wells": blank_wells(BLANK_WELLS)}
    for folder in ("focus/macro_stack",):
        paths = sorted(
            p for p in (arguments.data / folder).iterdir() if p.suffix in (".png", ".jpg", ".tif")
        )
        empty[folder] = [read_micrograph(path) for path in paths]
    for name, pictures in empty.items():
        counts = []
        for index, micrograph in enumerate(pictures):
            crystals = predictor(micrograph).crystals
            shown = crystals.take(crystals["score"] >= card_score)
            counts.append(len(shown))
            if arguments.out and len(shown):
                draw(
                    micrograph, None, shown, arguments.out / f"{name.replace('/', '-')}-{index}.png"
                )
        figures[name] = {"pictures": len(counts), "false finds": counts}
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
