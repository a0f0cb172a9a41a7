"""Make ``overlay.png``, the picture of the README: ``python docs/images/make.py``."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

import crystalgauge

ROOT = Path(__file__).parents[2]
GAP_PX = 12
WIDTH_PX = 1400
COLOURS = 200
"""A palette of so many halves the file and cannot be told from the original."""


def main() -> None:
    """Measure an example and set it beside its overlay."""
    found = crystalgauge.measure(ROOT / "examples" / "prisms.jpg")
    left, right = Image.fromarray(found.micrograph.pixels), Image.fromarray(found.overlay())
    # the overlay is taller: its legend stands below the picture
    both = Image.new("RGB", (left.width + GAP_PX + right.width, right.height), "white")
    both.paste(left, (0, 0))
    both.paste(right, (left.width + GAP_PX, 0))
    height = round(both.height * WIDTH_PX / both.width)
    small = both.resize((WIDTH_PX, height), Image.Resampling.LANCZOS).quantize(COLOURS)
    small.save(Path(__file__).with_name("overlay.png"), optimize=True)


if __name__ == "__main__":
    main()
