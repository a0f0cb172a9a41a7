"""Memory does not grow with the picture: what is read is read in pieces."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
import tifffile

from crystalgauge.core import Crystals
from crystalgauge.io import scratch
from crystalgauge.pipeline import Settings
from crystalgauge.pipeline.files import Job, measure_file
from crystalgauge.pipeline.parts import PartStore
from crystalgauge.predict import Prediction
from crystalgauge.predict.inputs import network_inputs
from crystalgauge.predict.normalise import measure_intensity

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crystalgauge.core import Micrograph

EDGES = (3000, 6000)

SLACK_MB = 10
"""The larger picture has 27 MB more of 8-bit pixels, and 108 MB more as floats."""


class TileReader:
    """Reads all a network would see at a size of 1500 px; finds four crystals whatever it is."""

    provenance: dict[str, Any] = {"model": "tiles", "model_sha256": "0" * 64}  # noqa: RUF012

    def __call__(
        self, micrograph: Micrograph, progress: Callable[[float], None] | None = None
    ) -> Prediction:
        scales = (1500 / max(micrograph.shape),)
        intensity = measure_intensity(micrograph)
        for _ in network_inputs(micrograph, intensity, scales, progress):
            pass
        x, y = np.array([[100, 600, 1900, 2000], [100, 700, 300, 3000]])
        boxes = shapely.box(x, y, x + 80, y + 60)
        columns = {"score": np.full(4, 0.9), "defocus_px": np.full(4, 1.5)}
        return Prediction(Crystals(boxes, columns), scales)


def measured_peak_mb(folder: Path, edge: int) -> float:
    """Measure a tiled, compressed picture; return the most that was allocated at a time."""
    tile = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    count = -(-edge // 256)
    with tifffile.TiffWriter(folder / f"{edge}.tif", bigtiff=True) as tiff:
        tiff.write((tile for _ in range(count * count)), shape=(edge, edge), dtype=np.uint8,
                   tile=(256, 256), compression="zlib", metadata=None)  # fmt: skip
    store = PartStore(folder / "parts")
    job = Job(folder / f"{edge}.tif", store, Settings(), "none")
    tracemalloc.start()
    try:
        outcome = measure_file(job, TileReader())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    (record,) = outcome.records
    assert (record.status, record.shape, record.crystals) == ("ok", (edge, edge), 4)
    from PIL import Image

    with Image.open(store.overlay_path(outcome.key, record)) as overlay:
        assert overlay.width == min(edge, 2400)
    return peak / 1e6


def test_memory_does_not_grow_with_the_picture(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(scratch, "LARGE_BYTES", 1 << 20)
    measured_peak_mb(tmp_path, 1200)  # what is imported on the way counts once
    small, large = (measured_peak_mb(tmp_path, edge) for edge in EDGES)
    assert large < small + SLACK_MB, f"{small:.0f} MB grew to {large:.0f} MB"
