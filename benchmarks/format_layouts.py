"""Writers of formats that no library here writes: as short as their readers allow, after the published layouts.

Tests and `formats.py` share them. Each takes the file and arrays, and returns the file.
"""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import zarr

DM_TYPES = {"uint16": (10, 4), "float32": (2, 6)}  # code of the image, code of its elements
Step = tuple[float, str]


class DigitalMicrograph:
    """Tag trees of version 3 or 4; numbers are doubles or long integers, texts are arrays of 16-bit characters."""

    def __init__(self, version: int) -> None:
        self.version = version

    def _count(self, number: int) -> bytes:
        return struct.pack(">q" if self.version == 4 else ">i", number)

    def file(self, tree: dict) -> bytes:
        """The whole file."""
        body = self._group(tree)
        return struct.pack(">i", self.version) + self._count(len(body)) + struct.pack(">i", 1) + body

    def _group(self, tree: dict) -> bytes:
        return b"\1\0" + self._count(len(tree)) + b"".join(self._tag(name, value) for name, value in tree.items())

    def _tag(self, name: str, value: Any) -> bytes:
        inside = self._nested(value) if isinstance(value, dict) else self._data(value)
        name = "" if name.startswith("TagGroup") else name
        kind = 20 if isinstance(value, dict) else 21
        size = struct.pack(">q", len(inside)) if self.version == 4 and kind == 21 else b""
        return struct.pack(">bh", kind, len(name)) + name.encode() + size + inside

    def _nested(self, tree: dict) -> bytes:
        body = self._group(tree)
        return body[:2] + (struct.pack(">q", len(body)) if self.version == 4 else b"") + body[2:]

    def _data(self, value: Any) -> bytes:
        if isinstance(value, np.ndarray):
            element = DM_TYPES[value.dtype.name][1]
            return self._info(20, element, value.size) + value.astype(value.dtype.newbyteorder("<")).tobytes()
        if isinstance(value, str):
            return self._info(20, 4, len(value)) + value.encode("utf-16-le")
        if isinstance(value, float):
            return self._info(7) + struct.pack("<d", value)
        return self._info(5) + struct.pack("<L", value)

    def _info(self, *numbers: int) -> bytes:
        return b"%%%%" + self._count(len(numbers)) + b"".join(self._count(number) for number in numbers)


def write_dm(file: Path, data: np.ndarray, steps: Sequence[Step], version: int = 4, tags: dict | None = None) -> Path:
    """A file of DigitalMicrograph; steps are (scale, unit) of each axis, the fastest first."""
    groups = {
        f"TagGroup{n}": {"Origin": 0.0, "Scale": float(scale), "Units": unit} for n, (scale, unit) in enumerate(steps)
    }
    image = {
        "ImageData": {
            "Calibrations": {"Brightness": {"Origin": 0.0, "Scale": 1.0, "Units": "e-"}, "Dimension": groups},
            "Data": data.ravel(),
            "DataType": DM_TYPES[data.dtype.name][0],
            "Dimensions": {f"TagGroup{n}": length for n, length in enumerate(data.shape[::-1])},
            "PixelDepth": data.itemsize,
        },
        "ImageTags": tags or {"Acquisition": {"Note": "none"}},
        "Name": "film",
    }
    file.write_bytes(DigitalMicrograph(version).file({"ImageList": {"TagGroup0": image}}))
    return file


def write_mib(file: Path, frames: np.ndarray, per_line: int | None = None, total: int | None = None) -> Path:
    """Frames, shape (frame, y, x), of a Merlin detector; the header beside them if lines are given."""
    rows, columns = frames.shape[1:]
    parts = []
    for number, frame in enumerate(frames):
        fields = f"MQ1,{number + 1:06},00384,01,{columns:04},{rows:04},U16,   1x1,01,"
        text = f"{fields}2020-01-01T00:00:{number % 60:02}.000000Z,1000000.000ns,0,0".ljust(384, "\0")
        parts += [text.encode(), frame[::-1].astype(">u2").tobytes()]  # the reader turns them upside down
    file.write_bytes(b"".join(parts))
    if per_line:
        header = f"HDR,\t\nFrames in Acquisition (Number):\t{total}\nFrames per Trigger (Number):\t{per_line}\nEnd\t\n"
        file.with_suffix(".hdr").write_text(header)
    return file


def write_mrc(file: Path, frames: np.ndarray) -> Path:
    """A stack of MRC, shape (frame, y, x), of 16-bit integers."""
    count, rows, columns = frames.shape
    header = bytearray(1024)
    struct.pack_into("<4I", header, 0, columns, rows, count, 6)
    struct.pack_into("<3I3f", header, 28, columns, rows, count, 100.0, 100.0, 100.0)
    header[208:212] = b"MAP "
    header[212:216] = b"DA\0\0"
    file.write_bytes(bytes(header) + frames.astype("<u2").tobytes())
    return file


def write_ser(file: Path, image: np.ndarray, step: float = 1e9) -> Path:
    """One image of TIA."""
    rows, columns = image.shape
    dimension = struct.pack("<IddI", 1, 0.0, 1.0, 0) + struct.pack("<I", 0) * 2
    head = struct.pack("<HHHIIII", 0x4949, 0x0197, 0x0210, 0x4122, 0x4152, 1, 1)
    offsets = len(head) + 8 + len(dimension)
    element = struct.pack("<ddIddIHII", 0.0, step, 0, 0.0, step, 0, 2, columns, rows)
    body = element + image[::-1].astype("<u2").tobytes() + struct.pack("<HHI", 0x4152, 0, 0)
    table = struct.pack("<II", offsets + 8, offsets + 8 + len(body))
    file.write_bytes(head + struct.pack("<II", offsets, 1) + dimension + table + body)
    return file


def write_ser_scan(file: Path, scan: np.ndarray, step: float = 1.0) -> Path:
    """Images of TIA at the places of a scan, shape (scan y, scan x, y, x), of pixels of unknown meaning."""
    frames, (rows, columns) = scan.reshape(-1, *scan.shape[-2:]), scan.shape[-2:]
    count = len(frames)
    dimensions = b"".join(struct.pack("<IddIII", length, 0.0, 1.0, 0, 0, 0) for length in scan.shape[:2])
    head = struct.pack("<HHHIIII", 0x4949, 0x0197, 0x0210, 0x4122, 0x4152, count, count)
    table = len(head) + 8 + len(dimensions)
    body, size = table + 8 * count, 50 + 2 * rows * columns
    element = struct.pack("<ddIddIHII", 0.0, step, 0, 0.0, step, 0, 2, columns, rows)
    images = b"".join(element + frame[::-1].astype("<u2").tobytes() for frame in frames)
    places = [body + size * number for number in range(count)] + [body + size * count] * count
    tag = struct.pack("<HHI", 0x4152, 0, 0)
    file.write_bytes(
        head + struct.pack("<II", table, 2) + dimensions + struct.pack(f"<{2 * count}I", *places) + images + tag
    )
    return file


def write_velox(
    file: Path, image: np.ndarray, step_per_m: float, *, volts: float = 300e3, convergence_rad: float = 0.0196
) -> Path:
    """An image of Velox."""
    about = {
        "Core": {"MetadataDefinitionVersion": "7.9", "guid": "0"},
        "Instrument": {"InstrumentModel": "Titan", "InstrumentClass": "Titan"},
        "Acquisition": {"AcquisitionStartDatetime": {"DateTime": "0"}},
        "Optics": {"AccelerationVoltage": f"{volts:.0f}", "BeamConvergence": str(convergence_rad)},
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
    texts = h5py.string_dtype("utf-8")
    with h5py.File(file, "w") as store:
        version = json.dumps({"format": "Velox", "version": "1"})
        store.create_dataset("Version", data=np.array([version.encode()], dtype=texts))
        store.create_dataset("Data/Image/0/Data", data=image[..., None], chunks=(*image.shape, 1))
        store["Data/Image/0/Metadata"] = np.frombuffer(json.dumps(about).encode(), np.uint8)[:, None]
        operation = json.dumps({"dataPath": "/Data/Image/0", "cameraName": "BM-Ceta"})
        store["Operations/CameraInputOperation/0"] = np.array([operation.encode()], dtype=texts)
    return file


def write_py4dstem(file: Path, scan: np.ndarray, step: float = 0.04, unit: str = "A^-1", noted: float = 0.04) -> Path:
    """A DataCube with its axes, its calibration, and the mean pattern beside it."""
    with h5py.File(file, "w") as store:
        store.attrs.update({"authoring_program": "py4DSTEM", "emd_group_type": "file", "version_major": 1})
        store.attrs["version_minor"] = 0
        root = store.create_group("root")
        root.attrs["emd_group_type"] = "root"
        for name, data in {"datacube": scan, "dp_mean": scan.mean(axis=(0, 1))}.items():
            group = root.create_group(name)
            group.attrs["emd_group_type"] = "array"
            group["data"] = data
            units = ["A", "A", unit, unit][-data.ndim :]
            for number, (length, axis, of) in enumerate(
                zip(data.shape, ["Rx", "Ry", "Qx", "Qy"][-data.ndim :], units, strict=True)
            ):
                group[f"dim{number}"] = np.arange(min(length, 2)) * (step if of == unit else 1.0)
                group[f"dim{number}"].attrs.update({"name": axis, "units": of})
        root["metadatabundle/calibration/Q_pixel_size"] = noted
        root["metadatabundle/calibration/Q_pixel_units"] = "A^-1"
    return file


def write_prismatic(file: Path, depths: Sequence[np.ndarray], energy_kev: float, step: float = 0.5) -> Path:
    """Scans of Prismatic, one for each depth; steps of all axes in nm and 1/nm."""
    with h5py.File(file, "w") as store:
        store.attrs.update({"version_major": 0, "version_minor": 5})
        about = store.create_group("4DSTEM_simulation/metadata/metadata_0/original/simulation_parameters")
        about.attrs["E"] = energy_kev
        for depth, scan in enumerate(depths):
            group = store.create_group(f"4DSTEM_simulation/data/datacubes/CBED_array_depth{depth:04}")
            group.attrs["emd_group_type"] = 1
            group["datacube"] = scan.astype(np.float32)
            for number, (length, name, unit) in enumerate(
                zip(scan.shape, ["R_x", "R_y", "Q_x", "Q_y"], ["[n_m]"] * 2 + ["[n_m^-1]"] * 2, strict=True), 1
            ):
                group[f"dim{number}"] = np.arange(length) * step
                group[f"dim{number}"].attrs.update({"name": name, "units": unit})
    return file


def write_nexus(file: Path, scan: np.ndarray, units: tuple[str, str] = ("nm", "1/nm"), step: float = 0.3) -> Path:
    """Data of NeXus with their axes, scan units first, and an array beside them that is no data."""
    with h5py.File(file, "w") as store:
        entry = store.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        data = entry.create_group("film")
        data.attrs.update({"NX_class": "NXdata", "signal": "counts", "axes": ["y", "x", "ky", "kx"]})
        data["counts"] = scan
        for name, length in zip(["y", "x", "ky", "kx"], scan.shape, strict=True):
            data[name] = np.arange(length) * step
            data[name].attrs["units"] = units[name.startswith("k")]
        entry["mask"] = np.zeros((32, 40), np.uint8)
    return file


def write_master(file: Path, frames: np.ndarray, *, first: int, energy_ev: float = 200e3) -> Path:
    """A master of Dectris and two files of frames, shape (frame, y, x), so many in the first; pixel (3, 4) is bad."""
    stem = file.name.removesuffix("_master.h5")
    for number, part in enumerate((frames[:first], frames[first:]), 1):
        with h5py.File(file.with_name(f"{stem}_data_{number:06}.h5"), "w") as store:
            store.create_dataset("entry/data/data", data=part, chunks=(1, *part.shape[1:]))
    with h5py.File(file, "w") as store:
        store["entry/instrument/beam/incident_energy"] = energy_ev
        mask = np.zeros(frames.shape[1:], np.uint32)
        mask[3, 4] = 1
        store["entry/instrument/detector/detectorSpecific/pixel_mask"] = mask
        store["entry/instrument/detector/detectorSpecific/flatfield"] = np.ones(frames.shape[1:], np.float32)
        for number in (2, 1):
            link = h5py.ExternalLink(f"{stem}_data_{number:06}.h5", "/entry/data/data")
            store[f"entry/data/data_{number:06}"] = link
    return file


def write_empad(file: Path, frames: np.ndarray, name: str, inside: str = "") -> Path:
    """The description of EMPAD and its frames of 130 x 128 numbers, whose last two lines are no pixels."""
    frames.astype("<f4").tofile(file.parent / name)
    file.write_text(f'<?xml version="1.0"?><root><raw_file filename="{name}"/>{inside}</root>')
    return file


def write_zspy(
    file: Path, data: np.ndarray, *, zipped: bool = False, step: float = 0.4, energy_kev: float = 200.0
) -> Path:
    """HyperSpy's layout of Zarr, format 2: a scan in nm of patterns in mrad."""
    folder = file.with_suffix(".folder") if zipped else file
    root = zarr.open_group(str(folder), mode="w", zarr_format=2)
    root.attrs.update({"file_format": "ZSpy", "file_format_version": "3.3"})
    group = root.create_group("Experiments/film")
    group.attrs.update({"package": "hyperspy", "package_version": "2.3"})
    group.create_array("data", data=data, chunks=(*(1,) * (data.ndim - 2), *data.shape[-2:]))
    for number, (size, unit, navigate) in enumerate(
        zip(
            data.shape,
            ["nm", "nm", "mrad", "mrad"][-data.ndim :],
            [True, True, False, False][-data.ndim :],
            strict=True,
        )
    ):
        axis = {"_type": "UniformDataAxis", "name": f"a{number}", "scale": step, "offset": 0.0, "units": unit}
        group.create_group(f"axis-{number}").attrs.update(
            {**axis, "navigate": navigate, "size": size, "index_in_array": number, "is_binned": False}
        )
    group.create_group("metadata/Acquisition_instrument/TEM").attrs["beam_energy"] = energy_kev
    group["metadata"].create_group("General").attrs["title"] = "film"
    for name in ("attributes", "original_metadata", "learning_results"):
        group.create_group(name)
    if zipped:
        Path(shutil.make_archive(str(folder), "zip", folder)).rename(file)
    return file


def signal(
    data: np.ndarray, axes: Sequence[tuple[str, float, str, bool]], tem: dict | None = None, title: str = "film"
) -> dict[str, Any]:
    """A signal as RosettaSciIO's writers take it; axes are (name, scale, unit, navigate)."""
    return {
        "data": data,
        "axes": [
            {
                "name": name,
                "size": size,
                "scale": scale,
                "offset": 0.0,
                "units": unit,
                "navigate": navigate,
                "index_in_array": number,
                "_type": "UniformDataAxis",
            }
            for number, (size, (name, scale, unit, navigate)) in enumerate(zip(data.shape, axes, strict=True))
        ],
        "metadata": {
            "General": {"title": title},
            "Signal": {"signal_type": ""},
            **({"Acquisition_instrument": {"TEM": tem}} if tem else {}),
        },
        "package_info": {"package": "hyperspy", "package_version": "2"},
        "attributes": {"_lazy": False},
        **{name: {} for name in ("original_metadata", "tmp_parameters", "learning_results", "models")},
    }
