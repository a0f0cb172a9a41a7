"""The set ``agglomerates-path``: agglomerates by the path tracer Mitsuba, as files of the package.

    python benchmarks/sets/agglomerates_path.py [--own 10] [--other 24] [--samples 192]

Takes some 40 s a picture of ammonium perchlorate and 15 s one of sugar, on one core. Every picture
is kept in the folder of parts: the same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from crystalgauge._version import __version__
from crystalgauge.agglomeration.labels import paper_classes
from crystalgauge.core import Crystals
from crystalgauge.datasets.agglomerates_path import (
    AGGLOMERATES_LIBRARY,
    AGGLOMERATES_SEED,
    SHIPPED_AGGLOMERATES,
    agglomerates_picture,
)
from crystalgauge.datasets.path_traced import pack_pictures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLES = 192


def labelled_picture(
    substance: str, index: int, samples: int
) -> tuple[NDArray[np.uint8], Crystals]:
    """Return pixels, and outlines with the paper's classes and the blur."""
    pixels, truth = agglomerates_picture(substance, index, samples)
    classes, crystals = paper_classes(truth), truth.crystals
    columns = {
        "fair": ~crystals["ignore"].astype(bool),
        "ignore": ~classes.judged,
        "agglomerated": classes.agglomerated,
        "defocus_px": crystals["defocus_px"],
    }
    return pixels, Crystals(crystals.outlines, columns)


def main() -> None:
    """Render what is missing and pack it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--own", type=int, default=10)
    parser.add_argument("--other", type=int, default=24)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--parts", type=Path, default=Path("out/agglomerates-path"))
    arguments = parser.parse_args()
    start = time.process_time()
    counts = {"sugar": arguments.other, "ammonium perchlorate": arguments.own}
    for substance, count in counts.items():
        settings = {
            "set": "agglomerates-path", "substance": substance, "seed": AGGLOMERATES_SEED,
            "library_seed": AGGLOMERATES_LIBRARY, "samples": arguments.samples,
            "version": __version__,
        }  # fmt: skip

        def report(done: int, total: int, name: str = substance) -> None:
            spent = (time.process_time() - start) / 60
            print(f"{name}: {done} of {total} pictures, {spent:.1f} min of a core", flush=True)

        def picture(index: int, name: str = substance) -> tuple[NDArray[np.uint8], Crystals]:
            return labelled_picture(name, index, arguments.samples)

        path = SHIPPED_AGGLOMERATES[substance]
        parts = arguments.parts / path.stem
        pack_pictures(path, parts, count, picture, settings, progress=report)
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
