"""Read the parts of OME-XML that concern a measurement."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from crystalgauge.io.scale import micrometres

if TYPE_CHECKING:
    from crystalgauge.io.planes import Index

_SECONDS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "µs": 1e-6, "us": 1e-6}


@dataclass(frozen=True)
class OmeImage:
    """One ``Image`` of an OME document.

    Parameters
    ----------
    pixel_um
        ``PhysicalSizeX`` and ``PhysicalSizeY`` in µm, None where missing or not a length.
    step_um
        ``PhysicalSizeZ`` in µm.
    acquired
        ``AcquisitionDate``.
    channels
        Names of the channels, their numbers where they have none.
    delays_s, positions_um
        ``DeltaT`` and ``PositionZ`` by (T, Z, C).
    """

    pixel_um: tuple[float | None, float | None]
    step_um: float | None
    acquired: datetime | None
    channels: tuple[str, ...]
    delays_s: dict[tuple[int, int, int], float] = field(default_factory=dict)
    positions_um: dict[tuple[int, int, int], float] = field(default_factory=dict)

    def time_at(self, index: Index) -> datetime | None:
        """Return when a plane was taken: the acquisition date and the plane's delay."""
        if self.acquired is None:
            return None
        delay = self.delays_s.get(_place(index))
        return self.acquired + timedelta(seconds=delay) if delay is not None else self.acquired

    def z_at_um(self, index: Index) -> float | None:
        """Return the stage position of a plane, else its number times the step."""
        position = self.positions_um.get(_place(index))
        if position is not None:
            return position
        return index["Z"] * self.step_um if self.step_um is not None and "Z" in index else None


def ome_images(xml: str) -> list[OmeImage]:
    """Read every image of an OME-XML text; an unreadable text gives an empty list.

    Parameters
    ----------
    xml
        The document, any schema version.
    """
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return []
    return [_image(image) for image in root.iterfind("{*}Image")]


def _image(image: ElementTree.Element) -> OmeImage:
    pixels = image.find("{*}Pixels")
    pixels = ElementTree.Element("Pixels") if pixels is None else pixels
    sizes = [
        # the schema's default unit is µm
        micrometres(pixels.get(f"PhysicalSize{axis}"), pixels.get(f"PhysicalSize{axis}Unit", "µm"))
        for axis in "XYZ"
    ]
    names = [channel.get("Name") for channel in pixels.iterfind("{*}Channel")]
    date = image.findtext("{*}AcquisitionDate") or image.get("AcquiredDate") or ""
    delays, positions = {}, {}
    for plane in pixels.iterfind("{*}Plane"):
        where = (_int(plane, "TheT"), _int(plane, "TheZ"), _int(plane, "TheC"))
        delay = _seconds(plane.get("DeltaT"), plane.get("DeltaTUnit", "s"))
        position = micrometres(plane.get("PositionZ"), plane.get("PositionZUnit"))
        if delay is not None:
            delays[where] = delay
        if position is not None:
            positions[where] = position
    return OmeImage(
        (sizes[0], sizes[1]),
        sizes[2],
        iso_time(date),
        tuple(name or str(k) for k, name in enumerate(names)),
        delays,
        positions,
    )


def iso_time(text: str) -> datetime | None:
    """Read an ISO 8601 time, None when it is none.

    Parameters
    ----------
    text
        ``2026-11-21T09:30:00Z`` and the like; digits of a second beyond six are cut.
    """
    text = text.strip()
    whole, dot, rest = text.partition(".")
    if dot:
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        text = f"{whole}.{digits[:6]}{rest[len(digits) :]}" if digits else whole
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _seconds(value: str | None, unit: str) -> float | None:
    factor = _SECONDS.get(unit)
    try:
        return float(value) * factor if value is not None and factor is not None else None
    except ValueError:
        return None


def _int(plane: ElementTree.Element, name: str) -> int:
    text = plane.get(name, "0")
    return int(text) if text.isdecimal() else 0


def _place(index: Index) -> tuple[int, int, int]:
    return index.get("T", 0), index.get("Z", 0), index.get("C", 0)
