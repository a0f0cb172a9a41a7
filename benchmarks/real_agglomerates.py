"""The flag "agglomerated" on real drops, against labels drawn by eye.

    python benchmarks/real_agglomerates.py [--model crystals] [--data ../shared/data] [--out DIR]

Fits nothing. Crystals are matched at an intersection over union of 0.5; members of clusters that
nobody could tell apart are left out. With `--out`, pictures show each matched crystal: green where
both say agglomerated, grey where neither does, red where only the software does, blue where only
the label does.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from crystalgauge.io import read_micrograph
from crystalgauge.io.annotations import read_annotations
from crystalgauge.metrics import match_one_to_one, picture_overlap
from crystalgauge.pipeline.contacts import judge_contacts
from crystalgauge.predict import Predictor

if TYPE_CHECKING:
    from crystalgauge.core import Crystals, Micrograph

IOU = 0.5
COLOURS = {  # blue, green, red; by (software, label)
    (True, True): (60, 200, 60),
    (False, False): (160, 160, 160),
    (True, False): (40, 60, 255),
    (False, True): (255, 120, 40),
}


def draw(
    micrograph: Micrograph, found: Crystals, pairs: list[tuple[int, bool, bool]], path: Path
) -> None:
    """Write the picture with its matched outlines in the colours of the verdicts."""
    grey = micrograph.grey()
    low, high = np.percentile(grey, [0.1, 99.9])
    plain = np.clip(255 * (grey - low) / max(high - low, 1e-6), 0, 255).astype(np.uint8)
    canvas = cv2.cvtColor(plain, cv2.COLOR_GRAY2BGR)
    for row, stated, labelled in pairs:
        points = np.asarray(found.outlines[row].exterior.coords)
        fixed = np.round((points - 0.5) * 16).astype(np.int32)
        cv2.polylines(canvas, [fixed], True, COLOURS[stated, labelled], 1, cv2.LINE_AA, 4)
    cv2.imwrite(str(path), canvas)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="crystals")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[1] / "../shared/data")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    predictor = Predictor(arguments.model)
    drops = arguments.data / "protein_drops"
    for picture in read_annotations(drops / "coco.json"):
        micrograph = read_micrograph(drops / picture.file_name)
        prediction = predictor(micrograph)
        found = judge_contacts(micrograph, prediction.crystals, prediction.doubtful).crystals
        truth = picture.crystals
        known = ~truth["ignore"].astype(bool) & ~truth["is_cluster"].astype(bool)
        partner = match_one_to_one(picture_overlap(truth, found), iou_threshold=IOU).truth_of
        pairs = [
            (int(row), bool(found["agglomerated"][row]), bool(truth["agglomerated"][partner[row]]))
            for row in np.flatnonzero(partner >= 0)
            if known[partner[row]]
        ]
        right = sum(stated == labelled for _, stated, labelled in pairs)
        single = sum(not labelled for *_, labelled in pairs)
        wrongly = sum(stated and not labelled for _, stated, labelled in pairs)
        missed = sum(labelled and not stated for _, stated, labelled in pairs)
        print(
            f"{picture.file_name}: {right} of {len(pairs)} right; labelled single {single}; "
            f"called agglomerated wrongly {wrongly}, missed {missed}"
        )
        if arguments.out:
            arguments.out.mkdir(parents=True, exist_ok=True)
            draw(micrograph, found, pairs, arguments.out / f"{Path(picture.file_name).stem}.png")


if __name__ == "__main__":
    main()
