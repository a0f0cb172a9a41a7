"""Fields of view through focus as multi-page TIFF, with the truth about every plane."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge._version import __version__
from crystalgauge.core import ArgumentError, ReadError
from crystalgauge.io.atomic import replacing
from crystalgauge.render.focus_stack import render_planes
from crystalgauge.scenes.zstack import CrystalStack, sample_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from crystalgauge.scenes.zstack import Content, FocusStack

REGIME = "zstack"
"""How the command line knows them."""

TRUTH_FILE = "truth.json"

CONTENTS: tuple[Content, ...] = ("nuclei", "crystals")
"""In turn: stacks of even numbers show nuclei, those of odd numbers crystals."""


def write_stacks(
    out: str | Path,
    n: int,
    *,
    size: int = 384,
    seed: int = 0,
    contents: tuple[Content, ...] = CONTENTS,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write ``n`` stacks to ``stacks/`` and what is true of them to ``truth.json``.

    The bytes depend on ``seed``, ``size``, ``contents`` and the version alone; stacks that are
    there already are kept.

    Parameters
    ----------
    out
        Folder; made when missing.
    n
        Number of stacks, at least 1.
    size
        Height and width in px, at least 32.
    seed
        Of the whole data set, not negative.
    contents
        What the stacks show, in turn.
    progress
        Called with the number of stacks there and ``n``.

    Returns
    -------
    Path
        The file of truth.

    Raises
    ------
    ArgumentError
        When an argument is out of range, or the folder holds stacks of other settings.
    ReadError
        When the file of truth in the folder is damaged.
    WriteError
        When the disk refuses.
    """
    for name, value, least in (("n", n, 1), ("size", size, 32), ("seed", seed, 0),
                               ("number of contents", len(contents), 1)):  # fmt: skip
        if value < least:
            raise ArgumentError(f"{name} must be at least {least}, got {value}")
    folder = Path(out)
    settings = {
        "regime": REGIME, "seed": seed, "size": size, "contents": list(contents),
        "version": __version__,
    }  # fmt: skip
    entries = _known(folder, settings)
    if progress:
        progress(min(len(entries), n), n)
    for index in range(len(entries), n):
        content = contents[index % len(contents)]
        stack = sample_stack(np.random.default_rng((seed, index)), (size, size), content)
        name = f"stacks/{index:06d}.tif"
        _write_pages(folder / name, stack)
        entries.append({"file_name": name, "content": content, **stack_truth(stack)})
        _write_truth(folder, settings, entries)  # after the pages: what it names is there
        if progress:
            progress(index + 1, n)
    return folder / TRUTH_FILE


def stack_truth(stack: FocusStack) -> dict[str, Any]:
    """Return what is true of a stack, as plain numbers and lists.

    Parameters
    ----------
    stack
        What is seen.

    Returns
    -------
    dict
        ``focal_plane``; of every plane ``plane_offset_um`` (above the focal plane) and
        ``blur_sigma_px`` (`Microscope.blur_sigma_px` of it); the microscope; and ``objects`` with
        ``centre_px`` and ``depth_um`` (above the focal plane), nuclei with semi-axes and angle.
    """
    series, microscope = stack.series, stack.microscope
    offsets = [series.offset_um(plane) for plane in range(series.planes)]
    return {
        "focal_plane": series.focal_plane,
        "plane_offset_um": offsets,
        "blur_sigma_px": [round(microscope.blur_sigma_px(offset), 4) for offset in offsets],
        "pixel_size_um": microscope.pixel_um,
        "numerical_aperture": microscope.numerical_aperture,
        "wavelength_um": microscope.wavelength_um,
        "spherical_waves": microscope.spherical_waves,
        "objects": _objects(stack),
    }


def _objects(stack: FocusStack) -> list[dict[str, Any]]:
    if isinstance(stack, CrystalStack):
        crystals = stack.scene.crystals
        habits = stack.scene.library.habit[crystals.shape]
        depths = crystals.position_px[:, 2] * stack.microscope.pixel_um
        return [
            {"centre_px": _rounded(place[:2]), "depth_um": round(float(depth), 4), "habit": str(h)}
            for place, depth, h in zip(crystals.position_px, depths, habits, strict=True)
        ]
    nuclei = stack.nuclei
    return [
        {
            "centre_px": _rounded(nuclei.centre_px[row]),
            "depth_um": float(nuclei.depth_um[row]),
            "semi_axes_px": _rounded(nuclei.semi_axes_px[row]),
            "angle_rad": round(float(nuclei.angle_rad[row]), 5),
        }
        for row in range(len(nuclei))
    ]


def _rounded(values: Any) -> list[float]:
    return [round(float(value), 3) for value in values]


def _write_pages(path: Path, stack: FocusStack) -> None:
    """Write the planes as pages of one TIFF, lowest first."""
    import tifffile

    pages = render_planes(stack)
    per_cm = 1e4 / stack.microscope.pixel_um
    memory = io.BytesIO()
    tifffile.imwrite(
        memory, pages, photometric="minisblack", compression="zlib", metadata=None,
        resolution=(per_cm, per_cm), resolutionunit="CENTIMETER",
    )  # fmt: skip
    with replacing(path) as file:
        file.write(memory.getvalue())


def _write_truth(folder: Path, settings: dict[str, Any], entries: list[dict[str, Any]]) -> None:
    with replacing(folder / TRUTH_FILE, "w") as file:
        json.dump({"settings": settings, "stacks": entries}, file)


def _known(folder: Path, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of stacks that are there, after checking their settings."""
    path = folder / TRUTH_FILE
    if not path.is_file():
        return []
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        found, entries = document["settings"], list(document["stacks"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReadError(f"{str(path)!r} is damaged ({error}); remove it and run again") from error
    if found != settings:
        raise ArgumentError(
            f"{str(folder)!r} holds stacks of other settings ({found}, wanted {settings}); "
            "choose another folder or remove it"
        )
    whole = 0
    while whole < len(entries) and (folder / entries[whole]["file_name"]).is_file():
        whole += 1
    return entries[:whole]
