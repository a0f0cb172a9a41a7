"""The same scene through Mitsuba 3, a path tracer by others, to check our tracer against."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core import MissingExtraError
from crystalgauge.render.glass import fan, glass_faces
from crystalgauge.render.optics import condenser_terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.scenes.scene import Scene

SKY_ROWS = 2048
"""Rows of the map that holds the condenser's light: 0.0015 rad each."""

GAS_INDEX = 0.75
"""Of gas relative to water, the reciprocal of 1.33."""

FAR_PX = 2000.0
"""Height of the camera above the focal plane, beyond any crystal."""


def mitsuba_transmittance(
    scene: Scene,
    *,
    samples: int = 256,
    directions: int = 64,
    seed: int = 0,
    bubbles: NDArray[np.float64] | None = None,
) -> NDArray[np.float32]:
    """Return what `trace_scene` calls the transmittance, path traced.

    Faces are perfect, glare and absorption are left out: the crystals should be plain. Those that
    grew into each other are one body (`crystalgauge.render.glass`) and should have one index.

    Parameters
    ----------
    scene
        The scene; its backdrop and camera play no part.
    samples
        Paths per pixel.
    directions
        Parallel views spread over the objective's aperture that share these paths; one is
        enough where nothing is out of focus.
    seed
        Of the paths.
    bubbles
        ``(B, 4)`` x, y, z and radius of balls of gas in px, that touch no crystal.

    Returns
    -------
    NDArray
        ``(H, W)`` float32, 1 in the clear field.

    Raises
    ------
    MissingExtraError
        Without Mitsuba.
    """
    mi = _mitsuba()
    world = {"type": "scene", "lamp": _lamp(mi, scene), "integrator": _integrator()}
    for row, faces in enumerate(glass_faces(scene)):
        if faces:
            index = float(scene.crystals.refractive_index[row])
            world[f"crystal{row}"] = _crystal(mi, f"crystal{row}", faces, index)
    for row, sphere in enumerate(() if bubbles is None else bubbles):
        world[f"bubble{row}"] = _bubble(sphere)
    loaded = mi.load_dict(world)
    slopes = disc_slopes(directions, scene.optics.aperture_tan)
    share = max(samples // directions, 1)
    total = np.zeros(scene.shape)
    clear = 0.0
    for view, slope in enumerate(slopes):
        sensor = mi.load_dict(_sensor(mi, scene.shape, slope, share))
        picture = mi.render(loaded, sensor=sensor, spp=share, seed=seed * directions + view)
        total += np.asarray(picture)[..., 0]
        ray = np.array([*slope, -1.0]) / math.hypot(*slope, 1.0)
        clear += float(_sky(ray[None], condenser_terms(scene.optics))[0])
    return np.asarray(total / clear, np.float32)


def disc_slopes(count: int, aperture_tan: float) -> NDArray[np.float64]:
    """Return ``(K, 2)`` slopes spread evenly over the full disc of the aperture.

    Parameters
    ----------
    count
        Number of directions; one is the axis.
    aperture_tan
        Slope of the marginal ray.
    """
    index = np.arange(count)
    radius = np.sqrt((index + 0.5) / count) * (count > 1) * aperture_tan
    angle = index * np.pi * (3 - math.sqrt(5))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _mitsuba() -> Any:
    try:
        import mitsuba as mi
    except ImportError as error:
        raise MissingExtraError("mitsuba", "mitsuba", "the reference renderer") from error
    mi.set_variant("scalar_rgb")
    return mi


def _integrator() -> dict[str, Any]:
    return {"type": "path", "max_depth": 32, "rr_depth": 1000}


def _sky(
    rays: NDArray[np.float64], condenser: tuple[float, float, float, float, float, float]
) -> NDArray[np.float64]:
    """Return the condenser's light for unit directions away from the camera."""
    begin, falloff, stray, *axis = condenser
    angle = np.arccos(np.clip(rays @ np.asarray(axis), -1, 1))
    t = np.clip((angle - begin) / falloff, 0, 1)
    light = np.maximum(1 - t * t * (3 - 2 * t), stray)
    return np.where(rays[..., 2] < 0, light, 0.0)


def _lamp(mi: Any, scene: Scene) -> dict[str, Any]:
    """Return the condenser as a map of directions, with the optical axis on its equator.

    Mitsuba's map has the azimuth along a row from ``-z`` over ``x`` and the angle from ``+y``
    along a column; both are given at the pixels' centres.
    """
    polar = (np.arange(SKY_ROWS) + 0.5) / SKY_ROWS * np.pi
    azimuth = (np.arange(2 * SKY_ROWS) + 0.5) / SKY_ROWS * np.pi
    x = np.sin(polar)[:, None] * np.sin(azimuth)
    z = -np.sin(polar)[:, None] * np.cos(azimuth)
    y = np.broadcast_to(np.cos(polar)[:, None], x.shape)
    light = _sky(np.stack([x, y, z], axis=-1), condenser_terms(scene.optics))
    bitmap = mi.Bitmap(np.repeat(light[..., None], 3, axis=2).astype(np.float32))
    return {"type": "envmap", "bitmap": bitmap}


def _crystal(mi: Any, name: str, faces: list[NDArray[np.float64]], index: float) -> Any:
    """Return the surface of one crystal as a mesh of glass."""
    corners, triangles = fan(faces)
    properties = mi.Properties()
    properties["glass"] = mi.load_dict(_glass(index))
    mesh = mi.Mesh(name, len(corners), len(triangles), props=properties)
    values = mi.traverse(mesh)
    values["vertex_positions"] = corners.astype(np.float32).ravel()
    values["faces"] = triangles.ravel()
    values.update()
    return mesh


def _bubble(sphere: NDArray[np.float64]) -> dict[str, Any]:
    """Return one ball of gas."""
    x, y, z, radius = sphere.tolist()
    return {"type": "sphere", "center": [x, y, z], "radius": radius, "bsdf": _glass(GAS_INDEX)}


def _glass(index: float) -> dict[str, Any]:
    return {"type": "dielectric", "int_ior": index, "ext_ior": 1.0}


def _sensor(
    mi: Any, shape: tuple[int, int], slope: NDArray[np.float64], samples: int
) -> dict[str, Any]:
    """Return a camera of parallel rays that pass pixel (x, y) of the focal plane at one slope.

    Its film spans [-1, 1] times the aspect ratio; the matrix takes film x to the left, as
    Mitsuba's cameras look, and shears along the rays.
    """
    height, width = shape
    matrix = np.array(
        [
            [-width / 2, 0, slope[0], width / 2 - slope[0] * FAR_PX],
            [0, -width / 2, slope[1], height / 2 - slope[1] * FAR_PX],
            [0, 0, -1.0, FAR_PX],
            [0, 0, 0, 1],
        ]
    )
    return {
        "type": "orthographic",
        "near_clip": 1.0,
        "far_clip": 2 * FAR_PX,
        "to_world": mi.ScalarTransform4f(matrix),
        "film": {
            "type": "hdrfilm",
            "width": width,
            "height": height,
            "pixel_format": "rgb",
            "component_format": "float32",
            "rfilter": {"type": "box"},
        },
        "sampler": {"type": "independent", "sample_count": samples},
    }
