"""The set ``pcs-path``: benchmark scenes by the path tracer Mitsuba, as one file of the package.

    python benchmarks/sets/pcs_path.py [--pictures 100] [--samples 512] [--parts out/pcs-path]

Takes some 40 s a picture and core. Every picture is kept in the folder of parts: the same command
goes on where it stopped, and a larger number adds to it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from crystalgauge.datasets.path_traced import PICTURES, SAMPLES, SHIPPED, render_packed


def main() -> None:
    """Render what is missing and pack it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--parts", type=Path, default=Path("out/pcs-path"))
    parser.add_argument("--out", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    start = time.monotonic()

    def report(done: int, total: int) -> None:
        print(f"{done} of {total} pictures, {(time.monotonic() - start) / 60:.1f} min", flush=True)

    render_packed(
        arguments.out, arguments.parts, arguments.pictures, samples=arguments.samples,
        progress=report,
    )  # fmt: skip
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
