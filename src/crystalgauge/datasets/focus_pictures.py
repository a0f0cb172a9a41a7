"""Pictures with the blur of every edge in them, to learn and to test focus on.

Blur is the standard deviation, along one axis and in px, of all that softens an edge on its way to
the sensor: defocus and the optics' and the camera's point spread together. What the camera does
after that (noise, unsharp masking, tone, JPEG) does not count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import cv2
import numpy as np
import shapely

from crystalgauge.core import ArgumentError, Micrograph
from crystalgauge.datasets.focus_backdrop import backdrop_edges, defocused_backdrop
from crystalgauge.datasets.focus_content import disc_blur, draw_empty, draw_leaves, draw_nuclei
from crystalgauge.datasets.synthetic import REGIMES
from crystalgauge.render.camera import expose
from crystalgauge.render.composite import trace_scene
from crystalgauge.render.truth import CLUTTER_SHARE, state_truth
from crystalgauge.scenes.camera import sample_camera

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.core import Crystals
    from crystalgauge.scenes.camera import Camera
    from crystalgauge.scenes.scene import Scene

FocusKind = Literal["suspension", "agglomerates", "pcs", "nuclei", "leaves", "blank", "empty"]

KINDS: dict[FocusKind, float] = {
    "suspension": 0.28, "agglomerates": 0.16, "pcs": 0.12, "nuclei": 0.12, "leaves": 0.18,
    "blank": 0.08, "empty": 0.06,
}  # fmt: skip
"""Shares of the kinds in a mixed set."""

MOST_BLUR_PX = 10.0

SPACING_PX = 2.0
"""Between the points that stand for an outline."""

OWN_DEPTH = 0.3
"""Share of the scenes whose dust, bubbles and walls are out of focus by an amount of their own."""

UNSURE = 0.7
"""Strength of what may or may not be seen: such tiles are not asked about."""

_INTERIOR_STEP = 4


@dataclass(frozen=True, eq=False)
class FocusPicture:
    """A picture and points on its edges.

    Parameters
    ----------
    pixels
        ``(H, W)`` or ``(H, W, 3)`` uint8.
    points
        ``(M, 2)`` x right and y down in px, pixel centres at integers + 0.5.
    blur_px
        ``(M,)`` blur of the edge there, of dust and walls with the softness of their borders; NaN
        inside crystals, where there may be facets' edges.
    strength
        ``(M,)`` contrast of the edge in units of what can just be seen: 1 and more is well
        visible, below 0.4 is nothing.
    kind
        What is shown.
    """

    pixels: NDArray[np.uint8]
    points: NDArray[np.float32]
    blur_px: NDArray[np.float32]
    strength: NDArray[np.float32]
    kind: FocusKind


def sample_focus_picture(
    seed: int,
    index: int,
    *,
    size: int = 192,
    kind: FocusKind | None = None,
    blur_px: float | None = None,
) -> FocusPicture:
    """Draw a picture; the same one for the same arguments.

    Parameters
    ----------
    seed
        Of the whole set.
    index
        Number of the picture.
    size
        Height and width in px.
    kind
        What is shown; drawn by the shares of `KINDS` when None.
    blur_px
        Blur of the whole picture, instead of one drawn at random: of everything where there are
        no crystals, and of a Gaussian point spread on top of each crystal's own defocus.

    Raises
    ------
    ArgumentError
        For an unknown kind.
    """
    rng = np.random.default_rng((seed, index, 5))
    if kind is None:
        kind = list(KINDS)[rng.choice(len(KINDS), p=np.array(list(KINDS.values())))]
    if kind not in get_args(FocusKind):
        raise ArgumentError(f"unknown kind {kind!r}; known are {', '.join(get_args(FocusKind))}")
    if kind in REGIMES:
        scene = REGIMES[kind](np.random.default_rng((seed, index)), (size, size))
        aside = np.random.default_rng((seed, index, 7))
        own = aside.uniform(0, MOST_BLUR_PX) if aside.random() < OWN_DEPTH else 0.0
        scene = _refocused(scene, rng, blur_px)
        return _crystals(scene, kind, 0.0 if blur_px is not None else own)
    return _content(rng, size, kind, blur_px)


def _refocused(scene: Scene, rng: np.random.Generator, blur_px: float | None) -> Scene:
    """Take a scene out of focus: the whole picture, or its crystals by moving the focal plane."""
    camera, way = scene.camera, rng.random()
    if blur_px is not None:
        return replace(scene, camera=replace(camera, psf_sigma_px=blur_px))
    extra = rng.uniform(0, MOST_BLUR_PX)
    if way < 0.2:
        return scene
    if way < 0.65 or scene.optics.aperture_tan < 0.02:
        psf = float(np.hypot(camera.psf_sigma_px, extra))
        return replace(scene, camera=replace(camera, psf_sigma_px=psf))
    position = scene.crystals.position_px.copy()
    position[:, 2] += 2 * extra / scene.optics.aperture_tan * rng.choice([-1, 1])
    return replace(scene, crystals=replace(scene.crystals, position_px=position))


def _crystals(scene: Scene, kind: FocusKind, backdrop_defocus_px: float) -> FocusPicture:
    """Take the picture of a scene; what lies about the crystals counts as they do."""
    layers = trace_scene(scene)
    sharp = defocused_backdrop(scene.backdrop, scene.shape, 0.0)
    seen = (
        sharp
        if not backdrop_defocus_px
        else defocused_backdrop(scene.backdrop, scene.shape, backdrop_defocus_px)
    )
    pixels = expose(layers.transmittance * seen, scene.camera, np.random.default_rng(scene.seed))
    crystals = state_truth(scene, layers, seen).crystals
    strength = _visibility(crystals, scene.camera.psf_sigma_px)
    points, owner = _along(crystals)
    inner = _inside(crystals, scene.shape)
    other = backdrop_edges(
        sharp, seen, layers.transmittance, scene.camera, backdrop_defocus_px, UNSURE
    )
    blur = (crystals["defocus_px"][owner], np.full(len(inner), np.nan), other.blur_px)
    visible = (strength[owner], np.full(len(inner), UNSURE), other.strength)
    return FocusPicture(
        pixels,
        np.concatenate([points, inner, other.points]).astype(np.float32),
        np.concatenate(blur).astype(np.float32),
        np.concatenate(visible).astype(np.float32),
        kind,
    )


def _visibility(crystals: Crystals, psf_sigma_px: float) -> NDArray[np.float64]:
    """Return each crystal's signal over what can just be seen of it, by `stands_out`'s rule.

    The truth's signal knows the defocus but not the camera's point spread, which takes from a disc
    of the crystal's width all but a share of its contrast.
    """
    width = np.maximum(crystals["box_width_px"], 2.0)
    kept = 1 - np.exp(-(width**2) / (8 * psf_sigma_px**2))
    needed = 0.012 + 0.98 * crystals["noise"] / np.sqrt(width)
    strength = crystals["signal"] * kept / needed
    unclear = (crystals["signal"] <= CLUTTER_SHARE * crystals["clutter"]) | (
        crystals["visible_fraction"] < 0.25
    )
    return np.where(unclear, np.minimum(strength, UNSURE), strength)


def _along(crystals: Crystals) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return points every `SPACING_PX` along the outlines and whose outline each is on."""
    rings = [np.asarray(outline.exterior.segmentize(SPACING_PX).coords)[:-1] for outline in
             crystals.outlines]  # fmt: skip
    owner = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
    return np.concatenate([np.empty((0, 2)), *rings]), owner


def _inside(crystals: Crystals, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return points of a grid that lie inside any crystal."""
    if not len(crystals):
        return np.empty((0, 2))
    step = _INTERIOR_STEP
    y, x = np.mgrid[step // 2 : shape[0] : step, step // 2 : shape[1] : step].reshape(2, -1)
    union = shapely.union_all(shapely.make_valid(crystals.outlines))
    shapely.prepare(union)
    inside = shapely.contains_xy(union, x, y)
    return np.stack([x, y], axis=1)[inside].astype(np.float64)


def _content(
    rng: np.random.Generator, size: int, kind: FocusKind, blur_px: float | None
) -> FocusPicture:
    """Take a picture of what is no crystal, blurred as a whole by a Gaussian or by a disc."""
    camera = sample_camera(rng)
    wanted = float(rng.uniform(camera.psf_sigma_px, MOST_BLUR_PX) if blur_px is None else blur_px)
    draw = {"leaves": draw_leaves, "nuclei": draw_nuclei, "empty": draw_empty}[kind]
    sharp = draw(rng, size)
    if kind == "nuclei":
        camera = replace(camera, inverted=False, level=rng.uniform(0.15, 0.9), contrast=1.0)
    like_lens = rng.random() < 0.5
    psf = min(camera.psf_sigma_px, wanted) if like_lens else wanted
    camera = replace(camera, psf_sigma_px=psf)
    light = disc_blur(sharp, np.sqrt(max(wanted**2 - psf**2, 0.0)))
    pixels = expose(light, camera, rng)
    points, strength = _edge_points(sharp, light, camera)
    if kind == "empty":  # uneven light has no edges, however steep it is
        points, strength = points[:0], strength[:0]
    return FocusPicture(pixels, points, np.full(len(points), wanted, np.float32), strength, kind)


def _edge_points(
    sharp: NDArray[np.float32], light: NDArray[np.float32], camera: Camera
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return points on the edges of a picture and how well each is seen after the blur.

    Edges are where the sharp picture's gradient is large; they are seen by the range of grey that
    is left within three sigma or 8 px of them in the picture without noise.
    """
    quiet = replace(camera, shot_noise=0.0, read_noise=0.0, jpeg_quality=None, cast=None)
    grey = Micrograph(expose(light, quiet, np.random.default_rng(0))).grey() / 255
    keen = replace(quiet, psf_sigma_px=0.3, unsharp_amount=0.0)
    outline = Micrograph(expose(sharp, keen, np.random.default_rng(0))).grey() / 255
    steps = cv2.magnitude(*(cv2.Sobel(outline, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1))))
    reach = 2 * int(max(8, min(3 * camera.psf_sigma_px, 20))) + 1
    window = np.ones((reach, reach), np.uint8)
    span = cv2.dilate(grey, window) - cv2.erode(grey, window)
    noise = np.hypot(camera.shot_noise * np.sqrt(grey), camera.read_noise) * camera.contrast
    visible = span / (0.02 + 2.5 * noise)
    y, x = np.nonzero(steps > max(0.04, 0.25 * float(np.percentile(steps, 99.5))))
    keep = slice(None, None, 2)
    points = np.stack([x[keep], y[keep]], axis=1).astype(np.float32) + 0.5
    return points, visible[y[keep], x[keep]].astype(np.float32)
