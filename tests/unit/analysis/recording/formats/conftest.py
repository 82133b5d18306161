"""Writers of formats that no library here writes: as short as their readers allow, after the published layouts."""

import json
import struct

import h5py
import numpy as np
import pytest

DM_TYPES = {"uint16": (10, 4), "float32": (2, 6)}  # code of the image, code of its elements


class DigitalMicrograph:
    """Tag trees of version 3 or 4; numbers are doubles or long integers, texts are arrays of 16-bit characters."""

    def __init__(self, version):
        self.version = version

    def count(self, number):
        return struct.pack(">q" if self.version == 4 else ">i", number)

    def file(self, tree):
        body = self.group(tree)
        return struct.pack(">i", self.version) + self.count(len(body)) + struct.pack(">i", 1) + body

    def group(self, tree):
        return b"\1\0" + self.count(len(tree)) + b"".join(self.tag(name, value) for name, value in tree.items())

    def tag(self, name, value):
        inside = self.nested(value) if isinstance(value, dict) else self.data(value)
        name = "" if name.startswith("TagGroup") else name
        kind = 20 if isinstance(value, dict) else 21
        size = struct.pack(">q", len(inside)) if self.version == 4 and kind == 21 else b""
        return struct.pack(">bh", kind, len(name)) + name.encode() + size + inside

    def nested(self, tree):
        body = self.group(tree)
        return body[:2] + (struct.pack(">q", len(body)) if self.version == 4 else b"") + body[2:]

    def data(self, value):
        if isinstance(value, np.ndarray):
            element = DM_TYPES[value.dtype.name][1]
            return self.info(20, element, value.size) + value.astype(value.dtype.newbyteorder("<")).tobytes()
        if isinstance(value, str):
            return self.info(20, 4, len(value)) + value.encode("utf-16-le")
        if isinstance(value, float):
            return self.info(7) + struct.pack("<d", value)
        return self.info(5) + struct.pack("<L", value)

    def info(self, *numbers):
        return b"%%%%" + self.count(len(numbers)) + b"".join(self.count(number) for number in numbers)


@pytest.fixture
def write_dm(tmp_path):
    """Write a file of DigitalMicrograph; steps are (scale, unit) of each axis, the fastest first."""

    def write(data, steps, version=4, tags=None, name=None):
        groups = {
            f"TagGroup{n}": {"Origin": 0.0, "Scale": float(scale), "Units": unit}
            for n, (scale, unit) in enumerate(steps)
        }
        image = {
            "ImageData": {
                "Calibrations": {
                    "Brightness": {"Origin": 0.0, "Scale": 1.0, "Units": "e-"},
                    "Dimension": groups,
                },
                "Data": data.ravel(),
                "DataType": DM_TYPES[data.dtype.name][0],
                "Dimensions": {f"TagGroup{n}": length for n, length in enumerate(data.shape[::-1])},
                "PixelDepth": data.itemsize,
            },
            "ImageTags": tags or {"Acquisition": {"Note": "none"}},
            "Name": "film",
        }
        file = tmp_path / (name or f"a.dm{version}")
        file.write_bytes(DigitalMicrograph(version).file({"ImageList": {"TagGroup0": image}}))
        return file

    return write


@pytest.fixture
def write_mib(tmp_path):
    """Write frames of a Merlin detector, and the header beside them if lines are given."""

    def write(frames, per_line=None, total=None):
        rows, columns = frames.shape[1:]
        parts = []
        for number, frame in enumerate(frames):
            fields = f"MQ1,{number + 1:06},00384,01,{columns:04},{rows:04},U16,   1x1,01,"
            text = f"{fields}2020-01-01T00:00:{number % 60:02}.000000Z,1000000.000ns,0,0".ljust(384, "\0")
            parts += [text.encode(), frame[::-1].astype(">u2").tobytes()]  # the reader turns them upside down
        (tmp_path / "a.mib").write_bytes(b"".join(parts))
        if per_line:
            header = (
                f"HDR,\t\nFrames in Acquisition (Number):\t{total}\nFrames per Trigger (Number):\t{per_line}\nEnd\t\n"
            )
            (tmp_path / "a.hdr").write_text(header)
        return tmp_path / "a.mib"

    return write


@pytest.fixture
def write_mrc(tmp_path):
    """Write a stack of MRC, 16-bit integers."""

    def write(frames):
        count, rows, columns = frames.shape
        header = bytearray(1024)
        struct.pack_into("<4I", header, 0, columns, rows, count, 6)
        struct.pack_into("<3I3f", header, 28, columns, rows, count, 100.0, 100.0, 100.0)
        header[208:212] = b"MAP "
        header[212:216] = b"DA\0\0"
        (tmp_path / "a.mrc").write_bytes(bytes(header) + frames.astype("<u2").tobytes())
        return tmp_path / "a.mrc"

    return write


@pytest.fixture
def write_ser(tmp_path):
    """Write one image of TIA."""

    def write(image, step=1e9):
        rows, columns = image.shape
        dimension = struct.pack("<IddI", 1, 0.0, 1.0, 0) + struct.pack("<I", 0) * 2
        head = struct.pack("<HHHIIII", 0x4949, 0x0197, 0x0210, 0x4122, 0x4152, 1, 1)
        offsets = len(head) + 8 + len(dimension)
        element = struct.pack("<ddIddIHII", 0.0, step, 0, 0.0, step, 0, 2, columns, rows)
        body = element + image[::-1].astype("<u2").tobytes() + struct.pack("<HHI", 0x4152, 0, 0)
        table = struct.pack("<II", offsets + 8, offsets + 8 + len(body))
        (tmp_path / "a_1.ser").write_bytes(head + struct.pack("<II", offsets, 1) + dimension + table + body)
        return tmp_path / "a_1.ser"

    return write


@pytest.fixture
def write_velox(tmp_path):
    """Write an image of Velox."""

    def write(image, step_per_m):
        about = {
            "Core": {"MetadataDefinitionVersion": "7.9", "guid": "0"},
            "Instrument": {"InstrumentModel": "Titan", "InstrumentClass": "Titan"},
            "Acquisition": {"AcquisitionStartDatetime": {"DateTime": "0"}},
            "Optics": {"AccelerationVoltage": "300000", "BeamConvergence": "0.0196"},
            "BinaryResult": {
                "PixelSize": {"width": str(step_per_m), "height": str(step_per_m)},
                "Offset": {"x": "0", "y": "0"},
                "PixelUnitX": "1/m",
                "PixelUnitY": "1/m",
                "Detector": "BM-Ceta",
            },
            "Detectors": {"Detector-0": {"DetectorName": "BM-Ceta"}},
            "Stage": {"Position": {"x": "0", "y": "0", "z": "0"}},
            "CustomProperties": {},
            "Scan": {},
        }
        text = json.dumps(about).encode()
        with h5py.File(tmp_path / "velox.emd", "w") as store:
            version = json.dumps({"format": "Velox", "version": "1"})
            store.create_dataset("Version", data=np.array([version.encode()], dtype=h5py.string_dtype("utf-8")))
            store.create_dataset("Data/Image/0/Data", data=image[..., None], chunks=(*image.shape, 1))
            store["Data/Image/0/Metadata"] = np.frombuffer(text, np.uint8)[:, None]
            store["Operations/CameraInputOperation/0"] = np.array(
                [json.dumps({"dataPath": "/Data/Image/0", "cameraName": "BM-Ceta"}).encode()],
                dtype=h5py.string_dtype("utf-8"),
            )
        return tmp_path / "velox.emd"

    return write
