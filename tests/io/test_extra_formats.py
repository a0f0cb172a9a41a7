"""ND2, CZI, LIF and OME-Zarr: files made on the fly, a stand-in for ND2, which nobody writes."""

from __future__ import annotations

import struct
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest

from crystalgauge.core import MissingExtraError, ReadError
from crystalgauge.io import picture_shape, read_micrograph, read_micrographs

MAGIC = {
    "a.nd2": b"\xda\xce\xbe\n" + bytes(60),
    "a.czi": b"ZISRAWFILE" + bytes(60),
    "a.lif": b"\x70\x00\x00\x00\x10\x00\x00\x00\x2a" + bytes(60),
}


def read(path, **options):
    notes = []
    return list(read_micrographs(path, on_note=notes.append, **options)), notes


@pytest.mark.parametrize(
    ("name", "package"), [("a.nd2", "nd2"), ("a.czi", "czifile"), ("a.lif", "liffile")]
)
def test_a_missing_package_is_one_clear_line(tmp_path, monkeypatch, name, package):
    (tmp_path / name).write_bytes(MAGIC[name])
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf'needs {package}.*"crystalgauge\[formats\]"'):
        read_micrograph(tmp_path / name)


@pytest.mark.parametrize("name", MAGIC)
def test_a_damaged_file_is_a_read_error(tmp_path, name):
    pytest.importorskip({"a.nd2": "nd2", "a.czi": "czifile", "a.lif": "liffile"}[name])
    (tmp_path / name).write_bytes(MAGIC[name])
    with pytest.raises(ReadError, match=name):
        read_micrograph(tmp_path / name)


# --- OME-Zarr -----------------------------------------------------------------------------------


def write_zarr(path, stored, version, axes, scale, unit="micrometer"):
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(str(path), mode="w", zarr_format=3 if version == "0.5" else 2)
    group.create_array("0", data=stored, chunks=(1,) * (stored.ndim - 2) + stored.shape[-2:])
    kinds = {"t": "time", "c": "channel"}
    entries = [
        {"name": a, "type": kinds.get(a, "space"), **({"unit": unit} if a in "zyx" else {})}
        for a in axes
    ]
    steps = [scale.get(a, 1.0) for a in axes]
    multiscale = {
        "version": version, "axes": entries,
        "datasets": [{"path": "0", "coordinateTransformations": [
            {"type": "scale", "scale": steps}]}],
    }  # fmt: skip
    metadata = {
        "multiscales": [multiscale],
        "omero": {"channels": [{"label": "bright"}, {"label": "dark"}]},
    }
    group.attrs.update({"ome": metadata} if version == "0.5" else metadata)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr(tmp_path, version):
    stored = np.arange(2 * 2 * 3 * 8 * 9, dtype=np.uint16).reshape(2, 2, 3, 8, 9)
    path = tmp_path / "a.zarr"
    write_zarr(path, stored, version, "tczyx", {"z": 2.0, "y": 0.84, "x": 0.84})
    pictures, notes = read(path)
    assert len(pictures) == 6
    assert pictures[0].calibration.pixel_size_um == pytest.approx(0.84)
    assert np.array_equal(pictures[5].pixels, stored[1, 0, 2])
    assert (pictures[5].z_um, pictures[5].source) == (4.0, f"{path}#6")
    assert "2 channels (bright, dark)" in notes[0].text
    assert np.array_equal(read(path, channel="dark")[0][1].pixels, stored[0, 1, 1])
    assert picture_shape(path) == (8, 9)


def test_ome_zarr_without_a_unit_is_not_calibrated(tmp_path):
    write_zarr(tmp_path / "a.zarr", np.ones((8, 9), np.uint8), "0.4", "yx", {"y": 0.5, "x": 0.5},
               unit="pixel")  # fmt: skip
    assert read(tmp_path / "a.zarr")[0][0].calibration is None


def test_other_zarr_stores_are_refused(tmp_path):
    zarr = pytest.importorskip("zarr")
    zarr.open_group(str(tmp_path / "g.zarr"), mode="w")
    with pytest.raises(ReadError, match="without 'multiscales'"):
        read_micrograph(tmp_path / "g.zarr")
    zarr.open_group(str(tmp_path / "p.zarr"), mode="w").attrs.update({"plate": {}})
    with pytest.raises(ReadError, match="is a plate"):
        read_micrograph(tmp_path / "p.zarr")
    write_zarr(tmp_path / "a.zarr", np.ones((8, 9), np.uint8), "0.4", "yx", {})
    with pytest.raises(ReadError, match="bare Zarr array"):
        read_micrograph(tmp_path / "a.zarr" / "0")


# --- CZI ----------------------------------------------------------------------------------------

CZI_TYPES = {"u1": 0, "u2": 1, "bgr": 3}


def czi_bytes(planes, xml, kind="u2", compression=0, pyramid=False):
    """Assemble a CZI file: one sub-block per entry of ``planes`` (start by axis, pixels)."""

    def segment(name, data):
        head = struct.pack("<16sqq", name, len(data), len(data))
        return head + data

    def entry(start, pixels, position):
        height, width = pixels.shape[:2]
        sizes = {**dict.fromkeys(start, 1), "Y": height, "X": width}
        dimensions = b""
        for axis in ["X", "Y", *(a for a in reversed(start) if a not in "YX")]:  # fastest first
            stored = sizes[axis] // 2 if pyramid and axis in "YX" else sizes[axis]
            dimensions += struct.pack(
                "<4siifi", axis.encode(), start.get(axis, 0), sizes[axis], 0.0, stored
            )
        return (
            struct.pack("<2siqiiB5si", b"DV", CZI_TYPES[kind], position, 0, compression, 0, b"",
                        len(dimensions) // 20)
            + dimensions
        )  # fmt: skip

    position = 32 + 512
    blocks, entries = b"", b""
    for start, pixels in planes:
        described = entry(start, pixels, position + len(blocks))
        stored = pixels[..., ::-1] if kind == "bgr" else pixels
        data = np.ascontiguousarray(stored).tobytes()
        head = struct.pack("<iiq", 0, 0, len(data)) + described
        blocks += segment(b"ZISRAWSUBBLOCK", head.ljust(256, b"\0") + data)
        entries += described
    directory = position + len(blocks)
    table = segment(b"ZISRAWDIRECTORY", struct.pack("<i", len(planes)) + bytes(124) + entries)
    metadata = directory + len(table)
    text = xml.encode()
    facts = segment(b"ZISRAWMETADATA", struct.pack("<ii", len(text), 0) + bytes(248) + text)
    header = struct.pack("<iiii16s16siqqiq", 1, 0, 0, 0, b"", b"", 0, directory, metadata, 0, 0)
    return segment(b"ZISRAWFILE", header.ljust(512, b"\0")) + blocks + table + facts


CZI_XML = """<ImageDocument><Metadata><Information><Image>
<AcquisitionDateAndTime>2026-11-21T09:30:00.1234567Z</AcquisitionDateAndTime>
<Dimensions><Channels><Channel Id="c0" Name="TL"/><Channel Id="c1" Name="EGFP"/></Channels>
</Dimensions></Image></Information><Scaling><Items>
<Distance Id="X"><Value>8.4e-07</Value></Distance><Distance Id="Y"><Value>8.4e-07</Value></Distance>
<Distance Id="Z"><Value>2e-06</Value></Distance></Items></Scaling></Metadata></ImageDocument>"""


def test_czi_axes_scaling_and_time(tmp_path):
    pytest.importorskip("czifile")
    stored = np.arange(2 * 3 * 8 * 9, dtype=np.uint16).reshape(2, 3, 8, 9)
    planes = [({"C": c, "Z": z, "Y": 0, "X": 0}, stored[c, z]) for c in range(2) for z in range(3)]
    (tmp_path / "a.czi").write_bytes(czi_bytes(planes, CZI_XML))
    pictures, notes = read(tmp_path / "a.czi")
    assert "2 channels (TL, EGFP)" in notes[0].text
    assert [picture.z_um for picture in pictures] == [0, 2, 4]
    assert pictures[0].calibration.pixel_size_um == pytest.approx(0.84)
    assert pictures[0].time == datetime(2026, 11, 21, 9, 30, 0, 123456, tzinfo=UTC)
    assert np.array_equal(pictures[2].pixels, stored[0, 2])
    assert np.array_equal(read(tmp_path / "a.czi", channel="EGFP")[0][1].pixels, stored[1, 1])


def test_czi_mosaic_in_colour_is_put_together(tmp_path):
    pytest.importorskip("czifile")
    whole = np.arange(8 * 12 * 3, dtype=np.uint8).reshape(8, 12, 3)
    planes = [
        ({"M": 0, "Y": 100, "X": 50}, whole[:, :7]), ({"M": 1, "Y": 100, "X": 57}, whole[:, 7:]),
    ]  # fmt: skip
    (tmp_path / "a.czi").write_bytes(czi_bytes(planes, CZI_XML, "bgr"))
    (picture,), _ = read(tmp_path / "a.czi")
    assert np.array_equal(picture.pixels, whole)


def test_czi_compressed_without_codec_names_the_extra(tmp_path, monkeypatch):
    pytest.importorskip("czifile")
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    planes = [({"Y": 0, "X": 0}, np.ones((4, 4), np.uint16))]
    (tmp_path / "a.czi").write_bytes(czi_bytes(planes, CZI_XML, compression=6))
    with pytest.raises(MissingExtraError, match=r"imagecodecs.*crystalgauge\[formats\]"):
        read_micrograph(tmp_path / "a.czi")


def test_czi_with_only_a_pyramid_level(tmp_path):
    pytest.importorskip("czifile")
    planes = [({"Y": 0, "X": 0}, np.ones((4, 4), np.uint16))]
    (tmp_path / "a.czi").write_bytes(czi_bytes(planes, CZI_XML, pyramid=True))
    with pytest.raises(ReadError, match="full resolution"):
        read_micrograph(tmp_path / "a.czi")


# --- LIF ----------------------------------------------------------------------------------------


def lif_bytes(images):
    """Assemble a LIF file from (name, pixels of shape (T, Y, X), pixel size in m)."""
    elements, blocks = "", b""
    for number, (name, pixels, size) in enumerate(images):
        frames, height, width = pixels.shape
        per_frame, per_row = pixels[0].nbytes, pixels[0, 0].nbytes
        elements += f"""<Element Name="{name}" Visibility="1" UniqueID="u{number}"><Data><Image>
<ImageDescription><Channels><ChannelDescription DataType="0" ChannelTag="0" Resolution="8"
 NameOfMeasuredQuantity="" Min="0" Max="255" Unit="" LUTName="Gray" IsLUTInverted="0"
 BytesInc="0" BitInc="0"/>
</Channels><Dimensions>
<DimensionDescription DimID="1" NumberOfElements="{width}" Origin="0"
 Length="{size * (width - 1)}" Unit="m" BitInc="0" BytesInc="1"/>
<DimensionDescription DimID="2" NumberOfElements="{height}" Origin="0"
 Length="{size * (height - 1)}" Unit="m" BitInc="0" BytesInc="{per_row}"/>
<DimensionDescription DimID="4" NumberOfElements="{frames}" Origin="0"
 Length="{60 * (frames - 1)}" Unit="s" BitInc="0" BytesInc="{per_frame}"/>
</Dimensions></ImageDescription></Image></Data>
<Memory Size="{pixels.nbytes}" MemoryBlockID="MemBlock_{number}"/></Element>"""
        block_id = f"MemBlock_{number}"
        body = struct.pack("<BQBI", 0x2A, pixels.nbytes, 0x2A, len(block_id))
        body += block_id.encode("utf-16-le")
        blocks += struct.pack("<II", 0x70, len(body)) + body + pixels.tobytes()
    xml = (
        '<LMSDataContainerHeader Version="2"><Element Name="file" Visibility="1" UniqueID="x">'
        f"<Data/><Memory Size='0' MemoryBlockID='MemBlock_x'/><Children>{elements}</Children>"
        "</Element></LMSDataContainerHeader>"
    )
    text = struct.pack("<BI", 0x2A, len(xml)) + xml.encode("utf-16-le")
    return struct.pack("<II", 0x70, len(text)) + text + blocks


def test_lif_images_time_points_and_scale(tmp_path):
    pytest.importorskip("liffile")
    first = np.arange(3 * 8 * 10, dtype=np.uint8).reshape(3, 8, 10)
    second = first[:1] + 1
    content = lif_bytes([("drop A", first, 0.84e-6), ("drop B", second, 0.5e-6)])
    (tmp_path / "a.lif").write_bytes(content)
    pictures, notes = read(tmp_path / "a.lif")
    assert "2 images in one file" in notes[0].text
    assert [picture.source[-2:] for picture in pictures] == ["#1", "#2", "#3", "#4"]
    assert np.array_equal(pictures[2].pixels, first[2])
    assert np.array_equal(pictures[3].pixels, second[0])
    sizes = [picture.calibration.pixel_size_um for picture in pictures]
    assert sizes == pytest.approx([0.84, 0.84, 0.84, 0.5])


# --- ND2 ----------------------------------------------------------------------------------------


class StandIn:
    """What is used of `nd2.ND2File`, over an array of axes T, Z, C, Y, X."""

    stored = np.arange(2 * 3 * 2 * 8 * 9, dtype=np.uint16).reshape(2, 3, 2, 8, 9)
    calibrated = (True, True, True)

    def __init__(self, path):
        self.sizes = dict(zip("TZCYX", self.stored.shape, strict=True))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    @property
    def metadata(self):
        volume = SimpleNamespace(axesCalibrated=self.calibrated, axesCalibration=(0.84, 0.84, 2.0))
        names = ("TL", "FITC")
        return SimpleNamespace(
            channels=[
                SimpleNamespace(channel=SimpleNamespace(name=n), volume=volume) for n in names
            ]
        )

    def read_frame(self, number):
        return self.stored.reshape(-1, 2, 8, 9)[number]

    def frame_metadata(self, number):
        time = SimpleNamespace(absoluteJulianDayNumber=2440587.5 + number)
        position = SimpleNamespace(stagePositionUm=(1.0, 2.0, 10.0 * number))
        return SimpleNamespace(channels=[SimpleNamespace(time=time, position=position)])


def test_the_stand_in_has_the_names_of_the_real_one():
    nd2 = pytest.importorskip("nd2")
    for name in ("sizes", "metadata", "read_frame", "frame_metadata"):
        assert hasattr(nd2.ND2File, name)
    fields = nd2.structures
    assert {"axesCalibrated", "axesCalibration"} <= set(fields.Volume.__annotations__)
    assert "absoluteJulianDayNumber" in fields.TimeStamp.__annotations__
    assert "stagePositionUm" in fields.Position.__annotations__
    assert {"time", "position"} <= set(fields.FrameChannel.__annotations__)


@pytest.mark.parametrize("calibrated", [True, False])
def test_nd2(tmp_path, monkeypatch, calibrated):
    (tmp_path / "a.nd2").write_bytes(MAGIC["a.nd2"])
    monkeypatch.setitem(sys.modules, "nd2", SimpleNamespace(ND2File=StandIn))
    monkeypatch.setattr(StandIn, "calibrated", (calibrated,) * 3)
    pictures, notes = read(tmp_path / "a.nd2")
    assert len(pictures) == 6
    assert "2 channels (TL, FITC)" in notes[0].text
    assert np.array_equal(pictures[4].pixels, StandIn.stored[1, 1, 0])
    assert (pictures[4].z_um, pictures[4].time) == (40.0, datetime(1970, 1, 5, tzinfo=UTC))
    found = pictures[0].calibration
    assert (found and found.pixel_size_um) == (0.84 if calibrated else None)
    assert np.array_equal(
        read(tmp_path / "a.nd2", channel="FITC")[0][4].pixels, StandIn.stored[1, 1, 1]
    )
