"""Render the pictures of this folder: ``python examples/render.py``.

Every picture is a scene of the regime "suspension" with a population, a backdrop and a camera
chosen for it. The same code gives the same bytes.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
import tifffile
from PIL import Image

from crystalgauge.core import Crystals
from crystalgauge.io.annotations import AnnotatedPicture, write_annotations
from crystalgauge.render import Truth, render
from crystalgauge.scenes import Scene, SuspensionConfig, sample_scene
from crystalgauge.scenes.backdrop import BackdropConfig, sample_backdrop
from crystalgauge.scenes.camera import Camera
from crystalgauge.scenes.statistics import Crowd

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDER = Path(__file__).parent

PIXEL_SIZE_UM = 0.65
"""Written into the TIFF only: the other pictures are not calibrated."""

DRIFT = (1.03, 1.0, 0.95)
"""Gains of red, green and blue under a warm lamp."""


@dataclass(frozen=True)
class Example:
    """One picture.

    Parameters
    ----------
    name
        Of the file.
    shape
        Height and width in px.
    seed
        Of the scene.
    crowd
        What crystallised.
    kinds
        Kinds of parts of the backdrop.
    camera
        How it was taken.
    """

    name: str
    shape: tuple[int, int]
    seed: int
    crowd: Crowd
    kinds: tuple[str, ...]
    camera: Camera


GREY = Camera(level=0.62, vignette=0.15, shot_noise=0.008, read_noise=0.002)
EXAMPLES = (
    Example(
        "prisms.jpg", (600, 800), 23,
        Crowd("prisms", 1, (22, 26), (26, 30), (90, 110), ("prism", "bipyramid")),
        ("drop_edge", "specks"), replace(GREY, cast=DRIFT),
    ),
    Example(
        "needles.png", (480, 640), 25,
        Crowd("needles", 1, (22, 26), (30, 40), (150, 180), ("needle",)),
        ("specks",), replace(GREY, shot_noise=0.004, read_noise=0.001),
    ),
    Example(
        "calibrated.ome.tif", (512, 512), 5,
        Crowd("cubes", 1, (45, 50), (12, 16), (60, 70), ("cube", "octahedron")),
        ("texture",), replace(GREY, shot_noise=0.003, read_noise=0.001),
    ),
    Example(
        "fine.jpg", (480, 640), 24,
        Crowd("fine", 1, (150, 170), (7, 9), (18, 22), ("prism", "cuboid", "rhombohedron")),
        ("specks",), GREY,
    ),
    Example(
        "empty_well.jpg", (600, 800), 6,
        Crowd("none", 1, (0, 0), (10, 10), (20, 20)),
        ("wall", "drop_edge", "bubbles", "specks", "fibres"), replace(GREY, cast=DRIFT),
    ),
)  # fmt: skip


def main() -> None:
    """Render all pictures and write their truth."""
    annotated = []
    for example in EXAMPLES:
        micrograph, truth = render(scene_of(example))
        save(FOLDER / example.name, micrograph.pixels)
        annotated.append(annotation(example, truth))
    write_annotations(FOLDER / "truth.coco.json", annotated, "coco")


def scene_of(example: Example) -> Scene:
    """Return the scene of a picture."""
    config = SuspensionConfig(
        crowds=(example.crowd,), rosettes=0.0, rough=0.0, absorbing=0.0, lined=0.0
    )
    rng = np.random.default_rng(example.seed)
    scene = sample_scene(rng, example.shape, config)
    kinds = tuple((kind, 1.0) for kind in example.kinds)
    parts = BackdropConfig(plain=0.0, busy=1.0, weights=kinds)
    return replace(
        scene, backdrop=sample_backdrop(rng, example.shape, parts), camera=example.camera
    )


def save(path: Path, pixels: NDArray[Any]) -> None:
    """Write a picture in the format of its name."""
    if path.suffix == ".tif":
        tifffile.imwrite(
            path, pixels, ome=True, compression="zlib", predictor=True,
            metadata={
                "axes": "YX",
                "PhysicalSizeX": PIXEL_SIZE_UM, "PhysicalSizeXUnit": "µm",
                "PhysicalSizeY": PIXEL_SIZE_UM, "PhysicalSizeYUnit": "µm",
            },
        )  # fmt: skip
        return
    code = io.BytesIO()
    kind = "JPEG" if path.suffix == ".jpg" else "PNG"
    options: dict[str, Any] = {"quality": 88} if kind == "JPEG" else {"optimize": True}
    Image.fromarray(pixels).save(code, kind, **options)
    path.write_bytes(code.getvalue())


def annotation(example: Example, truth: Truth) -> AnnotatedPicture:
    """Return what is true of a picture, without the columns that only training needs."""
    kept = ("habit", "defocus_px", "ignore")
    outlines = shapely.transform(truth.crystals.outlines, lambda points: points.round(2))
    crystals = Crystals(outlines, {name: truth.crystals[name] for name in kept})
    return AnnotatedPicture(example.name, example.shape, crystals)


if __name__ == "__main__":
    main()
