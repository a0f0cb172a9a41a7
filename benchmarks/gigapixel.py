"""A picture of 20 000 x 20 000 px in bounded memory.

    python benchmarks/gigapixel.py [--edge 20000] [--model crystals] [--scales 1,0.5,0.25,0.125]

Tiles one rendered scene into a large TIFF, measures it in a process of its own and prints the
number of crystals, the time and the largest memory of that process.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile

from crystalgauge.datasets import sample_picture

SEED = 6
BLOCK = 1000


def write_picture(path: Path, edge: int) -> None:
    """Write a large grey TIFF by repeating a scene, block by block."""
    pixels, _ = sample_picture(SEED, 1, size=BLOCK)
    grey = pixels if pixels.ndim == 2 else pixels[:, :, 1]
    mapped = tifffile.memmap(path, shape=(edge, edge), dtype=np.uint8, bigtiff=True)
    for top in range(0, edge, BLOCK):
        for left in range(0, edge, BLOCK):
            part = grey[: edge - top, : edge - left]
            mapped[top : top + part.shape[0], left : left + part.shape[1]] = part
    mapped.flush()


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edge", type=int, default=20_000)
    parser.add_argument("--model", default="crystals")
    parser.add_argument("--scales", default="auto", help="as for crystalgauge measure")
    arguments = parser.parse_args()
    tool = str(Path(sys.executable).with_name("crystalgauge"))
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "large.tif"
        write_picture(picture, arguments.edge)
        out = Path(folder) / "out"
        start = time.perf_counter()
        command = [tool, "measure", str(picture), "--out", str(out), "--model", arguments.model,
                   "--scales", arguments.scales]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
        elapsed = time.perf_counter() - start
        with (out / "crystals.csv").open(encoding="utf-8") as table:
            crystals = sum(1 for _ in table) - 1
    figures = {
        "edge (px)": arguments.edge,
        "crystals": crystals,
        "seconds": elapsed,
        "largest memory (MB)": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
