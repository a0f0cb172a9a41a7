"""Our renderer against the path tracer Mitsuba on whole scenes, crystals over each other included.

    python benchmarks/agreement.py [--pictures 100]

The scenes of the set ``pcs-path``, rendered again by our tracer with the same backdrop and camera.
Prints the structural similarity of the pictures, over the whole and where crystals lie over each
other, and the mean difference in grey levels.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
from skimage.metrics import structural_similarity

from crystalgauge.datasets.benchmark_scenes import PATH_SEED, SIZE_PX, benchmark_scene
from crystalgauge.datasets.path_traced import SHIPPED, read_packed
from crystalgauge.render import render


def layers(outlines: np.ndarray) -> np.ndarray:
    """Return the number of crystals over each pixel."""
    count = np.zeros((SIZE_PX, SIZE_PX), np.uint8)
    for outline in outlines:
        one = np.zeros_like(count)
        corners = np.round(np.asarray(outline.exterior.coords)).astype(np.int32)
        cv2.fillPoly(one, [corners], 1)
        count += one
    return count


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--set", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    pictures, settings = read_packed(arguments.set)
    whole, single, shared, difference = [], [], [], []
    for index, picture in enumerate(pictures[: arguments.pictures]):
        ours = render(benchmark_scene(PATH_SEED, index, (SIZE_PX, SIZE_PX)))[0].pixels
        value, local = structural_similarity(picture.pixels, ours, data_range=255, full=True)
        count = layers(picture.crystals.outlines)
        whole.append(value)
        single.append(local[count == 1].mean())
        if (count > 1).any():
            shared.append(local[count > 1].mean())
        gap = np.abs(picture.pixels.astype(float) - ours)[count > 0]
        difference.append(gap.mean())
    figures = {
        "pictures": len(whole),
        "paths a pixel": settings["samples"],
        "ssim of the picture, mean and least": [float(np.mean(whole)), float(np.min(whole))],
        "ssim within single crystals": float(np.mean(single)),
        "ssim where crystals overlap": float(np.mean(shared)),
        "mean difference within crystals, of 255": float(np.mean(difference)),
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
