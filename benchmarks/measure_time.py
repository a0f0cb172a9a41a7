"""Time and memory of `crystalgauge measure` on a picture of 1224 x 920 px with 200 crystals.

    python benchmarks/measure_time.py [--model crystals] [--repeats 5]

Prints the time of a warm `measure` call by stage, of a cold start of the command line, of
``crystalgauge --help``, and the largest memory of the cold process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

PICTURE_SHAPE = (920, 1224)
SEED = 5


def draw_picture(path: Path, wanted: int = 200) -> int:
    """Write a suspension of about the wanted number of crystals; return the number."""
    from crystalgauge.render.renderer import render
    from crystalgauge.scenes.suspension import sample_scene

    best = None
    for index in range(40):
        scene = sample_scene(np.random.default_rng((SEED, index)), PICTURE_SHAPE)
        if best is None or abs(len(scene.crystals) - wanted) < abs(len(best.crystals) - wanted):
            best = scene
    assert best is not None
    pixels = render(best)[0].pixels
    cv2.imwrite(str(path), pixels if pixels.ndim == 2 else pixels[:, :, ::-1])
    return len(best.crystals)


def seconds(command: list[str]) -> float:
    """Return the wall time of a command that must succeed."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="crystals")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    tool = str(Path(sys.executable).with_name("crystalgauge"))
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "drop.png"
        crystals = draw_picture(picture)
        cold = [
            seconds(
                [
                    tool,
                    "measure",
                    str(picture),
                    "--out",
                    f"{folder}/{i}",
                    "--model",
                    arguments.model,
                ]
            )
            for i in range(arguments.repeats)
        ]
        peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        helps = [seconds([tool, "--help"]) for _ in range(arguments.repeats)]
        from crystalgauge.io import read_micrograph
        from crystalgauge.pipeline import measure
        from crystalgauge.predict import Predictor

        predictor = Predictor(arguments.model)
        micrograph = read_micrograph(picture)
        predictor(micrograph)
        network = []
        for _ in range(arguments.repeats):
            start = time.perf_counter()
            found = predictor(micrograph)
            network.append(time.perf_counter() - start)
        measure(picture, detector=predictor)
        warm = []
        for _ in range(arguments.repeats):
            start = time.perf_counter()
            _ = measure(picture, detector=predictor).table
            warm.append(time.perf_counter() - start)
    figures = {
        "cores": os.cpu_count(),
        "engine": predictor.provenance["engine"],
        "crystals in the scene": crystals,
        "crystals found": len(found.crystals),
        "predict, warm (s, median)": float(np.median(network)),
        "measure, warm (s, median)": float(np.median(warm)),
        "measure, cold start (s, median)": float(np.median(cold)),
        "measure, cold start, first (s)": cold[0],
        "memory of the cold process (MB)": peak_mb,
        "--help (s, median)": float(np.median(helps)),
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
