"""Pixel size, time, depth and channel names from the dialects of TIFF.

The resolution tag of a plain TIFF is a print size far more often than a calibration: cameras,
scanners and office programs write 72, 96, 150, 300 or 600 dots per inch. It counts as a
calibration only when it says pixels of at most 10 µm (2540 per inch or more) and, up to 9600 per
inch, where scanners end, is not a whole multiple of 100 per inch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crystalgauge.io.exif import DATE_TIME, EXIF_FOLDER, exif_facts, exif_time
from crystalgauge.io.ome import ome_images
from crystalgauge.io.scale import micrometres, square_pixel

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from crystalgauge.core import Calibration
    from crystalgauge.io.planes import Index, Remark

UM_PER_INCH = 25400.0
LARGEST_PIXEL_UM, FINEST_SCANNER_DPI, PRINT_STEP_DPI = 10.0, 9600.0, 100.0
_UM_PER_RESOLUTION_UNIT = {2: UM_PER_INCH, 3: 10_000.0}  # TIFF 6.0, tag 296


@dataclass(frozen=True)
class TiffFacts:
    """What a TIFF says about one series.

    Parameters
    ----------
    calibration
        Pixel size, None when it says none.
    channels
        Names along the channel axis.
    time_at, z_at_um
        Time and depth of a plane by its index.
    """

    calibration: Calibration | None
    channels: tuple[str, ...]
    time_at: Callable[[Index], datetime | None]
    z_at_um: Callable[[Index], float | None]


def tiff_facts(tiff: Any, number: int, series: Any, remark: Remark) -> TiffFacts:
    """Ask the dialects in turn.

    Parameters
    ----------
    tiff
        An open ``tifffile.TiffFile``.
    number
        Place of the series in the file.
    series
        The series.
    remark
        Told about pixel sizes that are not used.
    """
    taken = _time(series.keyframe)
    images = ome_images(tiff.ome_metadata) if tiff.is_ome and tiff.ome_metadata else []
    if number < len(images):
        image = images[number]
        calibration = square_pixel(*image.pixel_um, "OME PhysicalSizeX", remark)
        time_at = image.time_at if image.acquired is not None else lambda _index: taken
        return TiffFacts(calibration, image.channels, time_at, image.z_at_um)
    step_um, names = _imagej_step_and_names(tiff.imagej_metadata or {})

    def z_at_um(index: Index) -> float | None:
        return index["Z"] * step_um if step_um is not None and "Z" in index else None

    return TiffFacts(_calibration(tiff, series, remark), names, lambda _index: taken, z_at_um)


def _calibration(tiff: Any, series: Any, remark: Remark) -> Calibration | None:
    """Return the first pixel size that a dialect states."""
    if tiff.is_imagej:
        return _imagej(tiff.imagej_metadata or {}, series.keyframe, remark)
    for read in (_lsm, _stk, _fei, _zeiss_sem, _olympus):
        found = read(tiff, remark)
        if found is not None:
            return found
    return _resolution(series.keyframe, remark)


def _ratio(page: Any, tag: str) -> float | None:
    """Return a rational tag as pixels per unit, None when missing or zero."""
    value = page.tags.valueof(tag)
    if isinstance(value, tuple) and len(value) == 2 and value[0] and value[1]:
        return float(value[0]) / float(value[1])
    return None


def _imagej(metadata: dict[str, Any], page: Any, remark: Remark) -> Calibration | None:
    """ImageJ writes pixels per unit into the resolution tags, and the unit into its text."""
    unit = str(metadata.get("unit", ""))
    if unit.casefold() in ("inch", "inches", "in", "cm"):
        return _resolution(page, remark)  # also what it writes for a print resolution
    edges = [
        micrometres(1 / ratio, unit) if (ratio := _ratio(page, tag)) else None
        for tag in ("XResolution", "YResolution")
    ]
    return square_pixel(edges[0], edges[1], "ImageJ resolution and unit", remark)


def _imagej_step_and_names(metadata: dict[str, Any]) -> tuple[float | None, tuple[str, ...]]:
    labels = metadata.get("Labels") or ()
    channels = int(metadata.get("channels", 1))
    names = tuple(str(label) for label in labels[:channels]) if channels > 1 else ()
    return micrometres(metadata.get("spacing"), str(metadata.get("unit", ""))), names


def _lsm(tiff: Any, remark: Remark) -> Calibration | None:
    facts = (tiff.lsm_metadata or {}) if tiff.is_lsm else {}
    edges = [micrometres(facts.get(f"VoxelSize{axis}"), "m") for axis in "XY"]
    return square_pixel(edges[0], edges[1], "Zeiss LSM VoxelSizeX", remark)


def _stk(tiff: Any, remark: Remark) -> Calibration | None:
    facts = (tiff.stk_metadata or {}) if tiff.is_stk else {}
    if not facts.get("SpatialCalibration"):
        return None
    unit = str(facts.get("CalibrationUnits", ""))
    edges = [micrometres(facts.get(f"{axis}Calibration"), unit) for axis in "XY"]
    return square_pixel(edges[0], edges[1], "MetaMorph XCalibration", remark)


def _fei(tiff: Any, remark: Remark) -> Calibration | None:
    scan = ((tiff.fei_metadata or {}) if tiff.is_fei else {}).get("Scan", {})
    edges = [micrometres(scan.get(name), "m") for name in ("PixelWidth", "PixelHeight")]
    return square_pixel(edges[0], edges[1], "FEI Scan PixelWidth", remark)


def _zeiss_sem(tiff: Any, remark: Remark) -> Calibration | None:
    facts = (tiff.sem_metadata or {}) if tiff.is_sem else {}
    entry: Any = facts.get("ap_image_pixel_size") or facts.get("ap_pixel_size") or ()
    if len(entry) < 3:
        return None
    return square_pixel(micrometres(entry[1], entry[2]), None, "Zeiss SEM pixel size", remark)


def _olympus(tiff: Any, remark: Remark) -> Calibration | None:
    facts = (tiff.sis_metadata or {}) if tiff.is_sis else {}
    edges = [micrometres(facts.get(f"pixelsize{axis}"), "m") for axis in "xy"]
    return square_pixel(edges[0], edges[1], "Olympus SIS pixel size", remark)


def _resolution(page: Any, remark: Remark) -> Calibration | None:
    """Take the plain resolution tags for a calibration where they cannot be a print size."""
    unit_um = _UM_PER_RESOLUTION_UNIT.get(int(page.tags.valueof("ResolutionUnit", default=2)))
    per_unit = _ratio(page, "XResolution")
    if unit_um is None or per_unit is None:
        return None
    pixel_um = unit_um / per_unit
    if not is_microscope_resolution(UM_PER_INCH / pixel_um):
        return None
    across = _ratio(page, "YResolution")
    detail = f"TIFF XResolution ({UM_PER_INCH / pixel_um:.0f} px/inch)"
    return square_pixel(pixel_um, unit_um / across if across else None, detail, remark)


def is_microscope_resolution(per_inch: float) -> bool:
    """Tell a calibration from a print or scanner resolution, by the rule of this module.

    Parameters
    ----------
    per_inch
        Pixels per inch, positive.
    """
    if per_inch < UM_PER_INCH / LARGEST_PIXEL_UM:
        return False
    if per_inch > FINEST_SCANNER_DPI:
        return True
    steps = per_inch / PRINT_STEP_DPI
    return abs(steps - round(steps)) > 1e-3


def _time(page: Any) -> datetime | None:
    """Return DateTimeOriginal of the EXIF folder, else the DateTime tag."""
    folder = page.tags.valueof(EXIF_FOLDER)
    if isinstance(folder, dict):
        names = {"DateTimeOriginal": 36867, "OffsetTimeOriginal": 36881}
        numbered = {names[name]: value for name, value in folder.items() if name in names}
        taken = exif_facts({}, numbered)[1]
        if taken is not None:
            return taken
    return exif_time(page.tags.valueof(DATE_TIME))
