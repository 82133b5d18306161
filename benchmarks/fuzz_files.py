"""Files for the fuzz: one of every format with a pattern in it, damaged in many ways, and arrays that are no pattern.

Every case is made from its number alone, so that a case that failed can be made again: ``make_case(17, folder)``.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import imageio.v3 as iio
import numpy as np
import tifffile
import zarr

SHAPE = (64, 64)
SCAN = (2, 2)
PIXEL_MRAD = 0.5
RANDOM_SHARE = 0.25  # of the cases: whole files with odd values


class Case(NamedTuple):
    """A file to be read.

    Attributes
    ----------
    path : Path
        The file or folder.
    kind : str
        Format.
    damage : str
        What was done to it, or what the array holds.
    """

    path: Path
    kind: str
    damage: str


def make_case(number: int, folder: Path, pattern: np.ndarray) -> Case:
    """Make the case of a number.

    Parameters
    ----------
    number : int
    folder : Path
        An empty folder.
    pattern : uint16 array, shape (y, x)
        What the files hold.
    """
    rng = np.random.default_rng(number)
    if rng.random() < RANDOM_SHARE:
        name = str(rng.choice(sorted(ODD)))
        array = ODD[name](rng)
        kind = str(rng.choice(["npy", "h5", "tif", "zarr", "hspy"]))
        try:
            path = FORMATS[kind](folder, array)
        except (ValueError, TypeError, KeyError, OverflowError, struct.error):  # not every format has every array
            path = FORMATS["npy"](folder, array)
        return Case(path, path.suffix[1:], name)
    kind = str(rng.choice(sorted(FORMATS)))
    path = FORMATS[kind](folder, pattern)
    damage = str(rng.choice(sorted(DAMAGES)))
    parts = sorted(file for file in folder.rglob("*") if file.is_file())
    victim = parts[int(rng.integers(len(parts)))]
    victim.write_bytes(DAMAGES[damage](victim.read_bytes(), rng))
    if rng.random() < 0.1 and path.is_file():  # known by its content, not by its name
        suffix = str(rng.choice(sorted(SUFFIXES)))
        path, damage = path.rename(path.with_suffix(suffix)), f"{damage}, named {suffix}"
    return Case(path, kind, damage)


def intact_case(kind: str, folder: Path, pattern: np.ndarray) -> Case:
    """The same format without damage."""
    return Case(FORMATS[kind](folder, pattern), kind, "none")


# Formats


def _signal(array: np.ndarray) -> dict[str, Any]:
    """RosettaSciIO's description of an array, calibrated."""
    axes = []
    for number, size in enumerate(array.shape):
        signal = number >= array.ndim - 2
        unit = {"units": "mrad", "scale": PIXEL_MRAD} if signal else {"units": "nm", "scale": 1.0}
        axes.append({"name": "yxts"[number % 4], "size": size, "offset": 0.0, "navigate": not signal, **unit})
        axes[-1] |= {"index_in_array": number, "_type": "UniformDataAxis"}
    return {
        "data": array,
        "axes": axes,
        "metadata": {"General": {"title": "film"}, "Signal": {"signal_type": ""}},
        "package_info": {"package": "", "package_version": ""},
        "attributes": {"_lazy": False},
        **{name: {} for name in ("original_metadata", "tmp_parameters", "learning_results", "models")},
    }


def _rosetta(plugin: str, suffix: str, *, scan: bool = False, **options: Any) -> Callable[[Path, np.ndarray], Path]:
    """Maker of a file that RosettaSciIO writes."""

    def make(folder: Path, array: np.ndarray) -> Path:
        from importlib import import_module

        file = folder / f"film.{suffix}"
        data = np.ascontiguousarray(np.broadcast_to(array, (*SCAN, *array.shape))) if scan else array
        import_module(f"rsciio.{plugin}").file_writer(str(file), _signal(data), **options)
        return next(folder.glob(f"film*.{suffix}"))  # TVIPS numbers its files

    return make


def _hdf5(folder: Path, array: np.ndarray) -> Path:
    with h5py.File(folder / "film.h5", "w") as store:
        store["entry/data"] = array
    return folder / "film.h5"


def _chunked(folder: Path, array: np.ndarray) -> Path:
    with h5py.File(folder / "film.h5", "w") as store:
        scan = np.broadcast_to(array, (*SCAN, *array.shape))
        store.create_dataset("entry/data", data=scan, chunks=(1, 1, *array.shape), compression="gzip")
    return folder / "film.h5"


def _master(folder: Path, array: np.ndarray) -> Path:
    """Two files, as the cameras of Dectris write them."""
    with h5py.File(folder / "film_data_000001.h5", "w") as store:
        store["entry/data/data"] = np.stack([array] * 4)
    with h5py.File(folder / "film_master.h5", "w") as store:
        store["entry/data/data_000001"] = h5py.ExternalLink("film_data_000001.h5", "/entry/data/data")
    return folder / "film_master.h5"


def _npy(folder: Path, array: np.ndarray) -> Path:
    np.save(folder / "film.npy", array)
    return folder / "film.npy"


def _npz(folder: Path, array: np.ndarray) -> Path:
    np.savez_compressed(folder / "film.npz", film=array)
    return folder / "film.npz"


def _zarr(folder: Path, array: np.ndarray) -> Path:
    zarr.create_array(folder / "film.zarr", data=np.stack([array, array]))
    return folder / "film.zarr"


def _tiff(suffix: str = "tif", *, scan: bool = False, **options: Any) -> Callable[[Path, np.ndarray], Path]:
    def make(folder: Path, array: np.ndarray) -> Path:
        tifffile.imwrite(folder / f"film.{suffix}", np.stack([array] * 3) if scan else array, **options)
        return folder / f"film.{suffix}"

    return make


def _picture(suffix: str, *, colours: bool = False) -> Callable[[Path, np.ndarray], Path]:
    """An 8-bit picture."""

    def make(folder: Path, array: np.ndarray) -> Path:
        grey = (255.0 * array / max(float(array.max()), 1)).astype(np.uint8)
        iio.imwrite(folder / f"film.{suffix}", np.stack([grey] * 3, axis=-1) if colours else grey)
        return folder / f"film.{suffix}"

    return make


def _png16(folder: Path, array: np.ndarray) -> Path:
    iio.imwrite(folder / "film.png", array.astype(np.uint16))
    return folder / "film.png"


def _mrc(folder: Path, array: np.ndarray) -> Path:
    """MRC2014: a header of 1,024 bytes, mode 6 (16 bits without sign) or 2 (float)."""
    ny, nx = array.shape
    header = bytearray(1024)
    struct.pack_into("<4i", header, 0, nx, ny, 1, 6)
    struct.pack_into("<3i", header, 28, nx, ny, 1)
    struct.pack_into("<6f", header, 40, nx, ny, 1, 90, 90, 90)
    header[208:216] = b"MAP \x44\x44\x00\x00"
    (folder / "film.mrc").write_bytes(bytes(header) + array.astype("<u2").tobytes())
    return folder / "film.mrc"


def _mib(folder: Path, array: np.ndarray) -> Path:
    """Frames of a Merlin camera of one chip: a header of 384 bytes before each."""
    ny, nx = array.shape
    file = io.BytesIO()
    for number in range(SCAN[0] * SCAN[1]):
        head = f"MQ1,{number + 1:06d},00384,01,{nx:04d},{ny:04d},U16,   1x1,01,2024-01-01T00:00:00.0,1000000ns,0,12"
        file.write(head.encode().ljust(384, b"\0") + array.astype(">u2").tobytes())
    (folder / "film.mib").write_bytes(file.getvalue())
    return folder / "film.mib"


def _empad(folder: Path, array: np.ndarray) -> Path:
    frame = np.zeros((130, 128), "<f4")
    frame[: array.shape[0], : array.shape[1]] = array
    (folder / "scan_x2_y2.raw").write_bytes(np.stack([frame] * 4).tobytes())
    (folder / "film.xml").write_text(
        '<?xml version="1.0"?><root><raw_file filename="scan_x2_y2.raw"/><scan_parameters mode="acquire">'
        "<scan_resolution_x>2</scan_resolution_x><scan_resolution_y>2</scan_resolution_y></scan_parameters>"
        '<timestamp isoformat="2020-01-01T00:00:00"/></root>'
    )
    return folder / "film.xml"


def _dm3(folder: Path, array: np.ndarray) -> Path:
    """Gatan's tags as far as an image needs them."""

    def tag(name: str, content: bytes, *, group: bool = False) -> bytes:
        return bytes([20 if group else 21]) + struct.pack(">H", len(name)) + name.encode() + content

    def group(*tags: bytes) -> bytes:
        return struct.pack(">BBI", 0, 0, len(tags)) + b"".join(tags)

    def number(name: str, value: int) -> bytes:
        return tag(name, b"%%%%" + struct.pack(">II", 1, 5) + struct.pack("<I", value))

    def values(name: str, data: np.ndarray) -> bytes:
        head = b"%%%%" + struct.pack(">IIII", 3, 20, 4, data.size)
        return tag(name, head + data.astype("<u2").tobytes())

    def calibration(name: str) -> bytes:
        scale = tag("Scale", b"%%%%" + struct.pack(">II", 1, 6) + struct.pack("<f", PIXEL_MRAD))
        return tag(name, group(number("Origin", 0), scale, values("Units", np.frombuffer(b"mrad", "u1"))), group=True)

    def image(data: np.ndarray) -> bytes:
        sizes = tag("Dimensions", group(number("", data.shape[1]), number("", data.shape[0])), group=True)
        axes = tag("Dimension", group(calibration(""), calibration("")), group=True)
        calibrations = tag("Calibrations", group(calibration("Brightness"), axes), group=True)
        content = group(calibrations, values("Data", data), number("DataType", 10), sizes, number("PixelDepth", 2))
        tags = tag("ImageTags", group(number("Film", 1)), group=True)
        return tag("", group(tag("ImageData", content, group=True), tags), group=True)

    images = tag("ImageList", group(image(array)), group=True)
    body = group(images)
    (folder / "film.dm3").write_bytes(struct.pack(">III", 3, len(body) + 4, 1) + body + bytes(8))
    return folder / "film.dm3"


def _blo(folder: Path, array: np.ndarray) -> Path:
    """Frames of 8 bits behind a header of 4,096 bytes and the virtual bright field."""
    edge, frames = array.shape[0], SCAN[0] * SCAN[1]
    header = struct.pack("<6sHIIIHHHHHddIHId", b"IMGBLO", 0x0102, 4096, 4096 + frames, 131141, edge, 0, *SCAN, 0, 1, 1,
                         200000, 100, 1000, 25569.0).ljust(4096, b"\0")  # fmt: skip
    image = (255.0 * array / max(float(array.max()), 1)).astype(np.uint8).tobytes()
    blocks = b"".join(struct.pack("<HI", 0x55AA, number) + image for number in range(frames))
    (folder / "film.blo").write_bytes(header + bytes(frames) + blocks)
    return folder / "film.blo"


def _zspy(folder: Path, array: np.ndarray) -> Path:
    """HyperSpy's signal as a Zarr folder, as far as it is needed."""
    store = zarr.open_group(folder / "film.zspy", mode="w", zarr_format=2)
    store.attrs.update({"file_format": "ZSpy", "file_format_version": "3.1"})
    signal = store.create_group("Experiments").create_group("film")
    signal.create_array("data", data=array)
    for number, (name, size) in enumerate(zip("yx", array.shape, strict=True)):
        facts = {
            "_type": "UniformDataAxis",
            "name": name,
            "size": size,
            "scale": PIXEL_MRAD,
            "offset": 0.0,
            "units": "mrad",
        }
        signal.create_group(f"axis-{number}").attrs.update({**facts, "navigate": False})
    for name in ("metadata", "original_metadata", "learning_results"):
        signal.create_group(name)
    return folder / "film.zspy"


def _zspy_zip(folder: Path, array: np.ndarray) -> Path:
    inner = folder / "inner"
    inner.mkdir()
    made = _zspy(inner, array)
    with zipfile.ZipFile(folder / "film.zspy", "w") as archive:
        for file in sorted(made.rglob("*")):
            archive.write(file, file.relative_to(made))
    return folder / "film.zspy"


FORMATS: dict[str, Callable[[Path, np.ndarray], Path]] = {
    "blo": _blo,
    "bmp": _picture("bmp"),
    "dm3": _dm3,
    "emd": _rosetta("emd", "emd"),
    "empad": _empad,
    "gif": _picture("gif"),
    "h5": _hdf5,
    "h5 scan": _chunked,
    "hspy": _rosetta("hspy", "hspy"),
    "hspy scan": _rosetta("hspy", "hspy", scan=True),
    "jpg": _picture("jpg"),
    "master": _master,
    "mib": _mib,
    "mrc": _mrc,
    "npy": _npy,
    "npz": _npz,
    "nxs": _rosetta("nexus", "nxs"),
    "png": _picture("png"),
    "png rgb": _picture("png", colours=True),
    "png 16 bit": _png16,
    "prz": _rosetta("pantarhei", "prz"),
    "rpl": _rosetta("ripple", "rpl"),
    "tif": _tiff(),
    "tif imagej": _tiff(scan=True, imagej=True),
    "tif stack": _tiff(scan=True, photometric="minisblack"),
    "tif zlib": _tiff(compression="zlib"),
    "tif big": _tiff(bigtiff=True),
    "tvips": _rosetta("tvips", "tvips", scan=True, show_progressbar=False),
    "zarr": _zarr,
    "zspy": _zspy,
    "zspy zip": _zspy_zip,
}
SUFFIXES = {
    *(".tif", ".png", ".npy", ".h5", ".hspy", ".emd", ".dm3"),
    *(".dm4", ".mrc", ".blo", ".mib", ".ser", ".npz", ".xml"),
}


# Damages


def _flip(count: int, *, reach: int | None = None) -> Callable[[bytes, np.random.Generator], bytes]:
    def damage(content: bytes, rng: np.random.Generator) -> bytes:
        data = np.frombuffer(content, np.uint8).copy()
        end = len(data) if reach is None else min(reach, len(data))
        if end:
            np.bitwise_xor.at(data, rng.integers(end, size=count), (1 << rng.integers(8, size=count)).astype(np.uint8))
        return data.tobytes()

    return damage


def _cut(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(len(content) + 1))]


def _zeros(content: bytes, rng: np.random.Generator) -> bytes:
    start, length = int(rng.integers(len(content) + 1)), int(rng.integers(1, 2048))
    return content[:start] + bytes(min(length, len(content) - start)) + content[start + length :]


def _insert(content: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(len(content) + 1))
    return content[:start] + rng.bytes(int(rng.integers(1, 64))) + content[start:]


def _swap_header(content: bytes, rng: np.random.Generator) -> bytes:
    header = HEADERS[int(rng.integers(len(HEADERS)))]
    return header + content[len(header) :]


def _extreme(content: bytes, rng: np.random.Generator) -> bytes:
    """A number in the header becomes as large, or as negative, as it can be."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 4))):
        at = 4 * int(rng.integers(max(1, min(len(data), 512) // 4)))
        data[at : at + 4] = EXTREMES[int(rng.integers(len(EXTREMES)))]
    return bytes(data[: len(content)])


HEADERS = (
    *(b"\x89PNG\r\n\x1a\n", b"\x89HDF\r\n\x1a\n", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"\xff\xd8\xff\xe0"),
    *(b"GIF89a", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"IMGBLO", b"\0\0\0\x03", b"\0\0\0\x04", b"MQ1,", b"BM"),
    *(b"\x97\x01", b"CDF\x01"),
)
EXTREMES = (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\x10\0\0")
DAMAGES: dict[str, Callable[[bytes, np.random.Generator], bytes]] = {
    "cut": _cut,
    "no byte left": lambda content, rng: b"",
    "extreme number in the header": _extreme,
    "flipped bit": _flip(1),
    "flipped bits": _flip(64),
    "flipped bits in the header": _flip(6, reach=1024),
    "many flipped bits": _flip(2000),
    "header of another format": _swap_header,
    "inserted bytes": _insert,
    "random bytes": lambda content, rng: rng.bytes(len(content)),
    "zeros": _zeros,
}


# Arrays that are no pattern


def _integers(kind: str) -> Callable[[np.random.Generator], np.ndarray]:
    info = np.iinfo(kind)
    return lambda rng: rng.integers(info.min, info.max, SHAPE, dtype=kind, endpoint=True)


def _with(value: float, share: float) -> Callable[[np.random.Generator], np.ndarray]:
    return lambda rng: np.where(rng.random(SHAPE) < share, value, rng.random(SHAPE)).astype(np.float32)


ODD: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    **{f"noise of {kind}": _integers(kind) for kind in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")},
    "noise": lambda rng: rng.random(SHAPE),
    "noise of half precision": lambda rng: rng.random(SHAPE).astype(np.float16),
    "normal noise": lambda rng: rng.normal(size=SHAPE),
    "negative": lambda rng: -rng.random(SHAPE),
    "huge": lambda rng: rng.random(SHAPE) * 1e300,
    "large": lambda rng: rng.random(SHAPE).astype(np.float32) * 3e38,
    "tiny": lambda rng: rng.random(SHAPE) * 1e-300,
    "a large offset": lambda rng: 1e12 + rng.random(SHAPE),
    "constant": lambda rng: np.full(SHAPE, float(rng.integers(-5, 5))),
    "nearly constant": lambda rng: 1 + 1e-7 * (rng.random(SHAPE) > 0.999),
    "nan": _with(np.nan, 1),
    "some nan": _with(np.nan, 0.005),
    "half nan": _with(np.nan, 0.5),
    "some infinite": _with(np.inf, 0.003),
    "some minus infinite": _with(-np.inf, 0.003),
    "single electrons": lambda rng: (rng.random(SHAPE) < 0.015).astype(np.uint16),
    "one electron": lambda rng: np.eye(1, 4096, int(rng.integers(4096))).reshape(SHAPE),
    "one pixel": lambda rng: np.ones((1, 1)),
    "a row": lambda rng: rng.random((1, 4000)),
    "narrow": lambda rng: rng.random((32, 3000)),
    "empty": lambda rng: np.zeros((0, 64)),
    "no axis": lambda rng: np.array(3.0),
    "five axes": lambda rng: rng.random((2, 2, 2, 33, 33)),
    "three axes": lambda rng: rng.random((3, 64, 64)),
    "two channels": lambda rng: rng.random((64, 64, 2)),
    "bool": lambda rng: rng.random(SHAPE) > 0.5,
    "complex": lambda rng: rng.random(SHAPE) + 1j,
    "text": lambda rng: np.full(SHAPE, "electron"),
    "big endian": lambda rng: rng.integers(0, 4000, SHAPE).astype(">u2"),
    "a step": lambda rng: np.repeat([0.0, 1.0], 2048).reshape(SHAPE),
    "a ramp": lambda rng: np.add.outer(np.arange(64.0), np.arange(64.0)),
    "stripes": lambda rng: np.tile([0.0, 1.0], 2048).reshape(SHAPE),
    "a bright corner": lambda rng: np.pad(np.full((9, 9), 1e4), ((0, 55), (0, 55))) + rng.random(SHAPE),
    "a flat disk": lambda rng: 9.0 * (np.hypot(*np.mgrid[-32:32, -32:32]) < rng.uniform(2, 40)),
    "a noisy disk": lambda rng: rng.poisson(99.0 * (np.hypot(*np.mgrid[-32:32, -32:32]) < 18) + 3).astype(np.uint16),
    "a ring": lambda rng: np.exp(-0.1 * (np.hypot(*np.mgrid[-32:32, -32:32]) - 20) ** 2),
}
