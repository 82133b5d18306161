"""The formats that `formats.py` tries: who wrote their files, how they are written, and what they then state."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import format_layouts as layouts
import h5py
import imageio.v3 as iio
import numpy as np
import scipy.io
import tifffile
import xarray
import zarr
from PIL import Image

from pacbed.analysis.recording.metadata import NOTHING_STATED, Calibration

PER_NM, ENERGY_KEV, CONVERGENCE_MRAD = 0.1, 80.0, 15.2  # of the files that state them
STEP_MRAD = 0.4176  # the same pixel at that energy
HUGE = (1300, 1400, 112, 128)  # 52 GB of 16 bits
LIBRARY, LAYOUT = "another library", "its layout"  # what stands behind a claim, beside a microscope's own file

Write = Callable[[Path, np.ndarray], Path]
PER_NM_AXES = [("ky", PER_NM, "1/nm", False), ("kx", PER_NM, "1/nm", False)]
SCAN_AXES = [("y", 1.0, "nm", True), ("x", 1.0, "nm", True)]
TEM = {"beam_energy": ENERGY_KEV, "convergence_angle": CONVERGENCE_MRAD}
IN_MRAD, IN_PER_NM = Calibration(pixel_mrad=STEP_MRAD), Calibration(pixel_per_nm=PER_NM)
ENERGY_ALONE = Calibration(energy_kev=ENERGY_KEV)
WITH_ENERGY = Calibration(pixel_per_nm=PER_NM, energy_kev=ENERGY_KEV)
EVERYTHING = Calibration(pixel_per_nm=PER_NM, energy_kev=ENERGY_KEV, convergence_mrad=CONVERGENCE_MRAD)


@dataclass(frozen=True)
class Format:
    """A format, and how its files are written.

    Attributes
    ----------
    name : str
    behind : str
        `LIBRARY` or `LAYOUT`.
    writer : str
        Library that wrote the file, or what was laid out.
    pattern, scan : callable or None
        Take a folder and an array of shape (y, x) or (scan y, scan x, y, x), return the file.
    stated : Calibration
        By the files.
    of_scan : Calibration or None
        Where scans state something else.
    eight_bits, lossy, square, bad_pixel : bool
        What the format does to counts; frames that have to be square; pixel (3, 4) has no value in scans.
    series : bool
        The scan's shape has to be said.
    dataset : str or None
        Which array of a scan is meant.
    whole : str
        Why scans are read as a whole; empty where they stay in their file.
    huge : callable or None
        Takes a folder, returns a scan of `HUGE` that takes no space on disk.
    """

    name: str
    behind: str
    writer: str
    pattern: Write | None = None
    scan: Write | None = None
    stated: Calibration = NOTHING_STATED
    of_scan: Calibration | None = None
    eight_bits: bool = False
    lossy: bool = False
    square: bool = False
    bad_pixel: bool = False
    series: bool = False
    dataset: str | None = None
    whole: str = ""
    huge: Callable[[Path], Path] | None = None


def _frames(scan: np.ndarray) -> np.ndarray:
    return scan.reshape(-1, *scan.shape[-2:])


def _rosetta(plugin: str, name: str, plane: Sequence = PER_NM_AXES, **options: Any) -> Write:
    """By RosettaSciIO, a pattern or a scan."""

    def write(folder: Path, data: np.ndarray) -> Path:
        axes = [*SCAN_AXES, *plane][-data.ndim :]
        with warnings.catch_warnings(action="ignore"):  # of units that a format does not know
            module = import_module(f"rsciio.{plugin}")
            module.file_writer(str(folder / name), layouts.signal(data, axes, tem=TEM), **options)
        return folder / name

    return write


def _semper(folder: Path, image: np.ndarray) -> Path:
    """Its integers have a sign."""
    return _rosetta("semper", "a.unf")(folder, image.astype(np.int16))


def _tiff(**options: Any) -> Write:
    def write(folder: Path, data: np.ndarray) -> Path:
        tifffile.imwrite(folder / "a.tif", data if data.ndim == 2 else _frames(data), **options)
        return folder / "a.tif"

    return write


def _pages(folder: Path, scan: np.ndarray) -> Path:
    with tifffile.TiffWriter(folder / "a.tif") as writer:
        for frame in _frames(scan):
            writer.write(frame, metadata=None)
    return folder / "a.tif"


def _pillow(name: str, **options: Any) -> Write:
    def write(folder: Path, image: np.ndarray) -> Path:
        Image.fromarray(image).save(folder / name, **options)
        return folder / name

    return write


def _imageio(name: str) -> Write:
    def write(folder: Path, image: np.ndarray) -> Path:
        iio.imwrite(folder / name, image)
        return folder / name

    return write


def _npy(folder: Path, data: np.ndarray) -> Path:
    np.save(folder / "a.npy", data)
    return folder / "a.npy"


def _huge_npy(folder: Path) -> Path:
    np.lib.format.open_memmap(folder / "a.npy", mode="w+", dtype=np.uint16, shape=HUGE)
    return folder / "a.npy"


def _npz(folder: Path, data: np.ndarray) -> Path:
    np.savez_compressed(folder / "a.npz", film=data)
    return folder / "a.npz"


def _mat(folder: Path, data: np.ndarray) -> Path:
    """The pattern's axes first: those that MATLAB stores together."""
    film = data if data.ndim == 2 else np.transpose(data, (2, 3, 0, 1))
    scipy.io.savemat(folder / "a.mat", {"film": film}, do_compression=True)
    return folder / "a.mat"


def _hdf5(folder: Path, data: np.ndarray) -> Path:
    with h5py.File(folder / "a.h5", "w") as store:
        store.create_dataset("entry/data", data=data, chunks=(*(1,) * (data.ndim - 2), *data.shape[-2:]))
    return folder / "a.h5"


def _huge_hdf5(folder: Path) -> Path:
    with h5py.File(folder / "a.h5", "w") as store:
        store.create_dataset("entry/data", shape=HUGE, dtype=np.uint16, chunks=(1, 1, *HUGE[2:]))
    return folder / "a.h5"


def _scales(folder: Path, scan: np.ndarray) -> Path:
    """With dimension scales, and the axes of the pattern first."""
    front = np.moveaxis(scan, (2, 3), (0, 1))
    with h5py.File(folder / "a.h5", "w") as store:
        store.create_dataset("film", data=front, chunks=(*front.shape[:2], 1, 1))
        for number, (name, length) in enumerate(zip(["ky", "kx", "y", "x"], front.shape, strict=True)):
            store[name] = STEP_MRAD * np.arange(length)
            store[name].make_scale(name)
            store[name].attrs["units"] = "mrad" if name.startswith("k") else "nm"
            store["film"].dims[number].attach_scale(store[name])
    return folder / "a.h5"


def _zarr(folder: Path, data: np.ndarray) -> Path:
    zarr.create_array(str(folder / "a.zarr"), data=data, chunks=(*(1,) * (data.ndim - 2), *data.shape[-2:]))
    return folder / "a.zarr"


def _huge_zarr(folder: Path) -> Path:
    zarr.create_array(str(folder / "a.zarr"), shape=HUGE, dtype=np.uint16, chunks=(1, 1, *HUGE[2:]))
    return folder / "a.zarr"


def _xarray(folder: Path, scan: np.ndarray) -> Path:
    """With coordinates, and the axes of the pattern first."""
    front = np.moveaxis(scan, (2, 3), (0, 1))
    names = ["ky", "kx", "y", "x"]
    places = {name: STEP_MRAD * np.arange(length) for name, length in zip(names, front.shape, strict=True)}
    data = xarray.DataArray(front, places, names, name="film")
    for name in names:
        data[name].attrs["units"] = "mrad" if name.startswith("k") else "nm"
    chunks = {"film": {"chunks": (*front.shape[:2], 1, 1)}}
    data.to_dataset().to_zarr(folder / "a.zarr", consolidated=False, encoding=chunks)
    return folder / "a.zarr"


def _dm(version: int, *, front: bool = False) -> Write:
    """DigitalMicrograph's tags; with the axes of the scan the fastest, or those of the pattern."""
    plane, raster = [(PER_NM, "1/nm")] * 2, [(2.0, "nm")] * 2
    about = {
        "Microscope Info": {"Voltage": 1e3 * ENERGY_KEV},
        "EELS": {"Convergence semi-angle (mrad)": CONVERGENCE_MRAD},
    }

    def write(folder: Path, data: np.ndarray) -> Path:
        steps = plane if data.ndim == 2 else raster + plane if front else plane + raster
        stored = np.moveaxis(data, (2, 3), (0, 1)) if front and data.ndim == 4 else data
        return layouts.write_dm(folder / f"a.dm{version}", np.ascontiguousarray(stored), steps, version, about)

    return write


def _empad(folder: Path, scan: np.ndarray) -> Path:
    rows, columns = scan.shape[:2]
    frames = np.zeros((rows * columns, 130, 128), np.float32)
    frames[:, :128] = _frames(scan)
    pixel = f"<iom_measurements><calibrated_pixelsize>{PER_NM * 1e-9:g}</calibrated_pixelsize></iom_measurements>"
    return layouts.write_empad(folder / "a.xml", frames, f"scan_x{columns}_y{rows}.raw", pixel)


def _huge_empad(folder: Path) -> Path:
    file = layouts.write_empad(folder / "a.xml", np.zeros((1, 130, 128)), "scan_x900_y870.raw")
    with (folder / "scan_x900_y870.raw").open("ab") as stream:
        stream.truncate(900 * 870 * 130 * 128 * 4)
    return file


def _mib(folder: Path, scan: np.ndarray) -> Path:
    frames = _frames(scan)
    return layouts.write_mib(folder / "a.mib", frames, per_line=scan.shape[1], total=len(frames))


def _mrc(folder: Path, data: np.ndarray) -> Path:
    return layouts.write_mrc(folder / "a.mrc", _frames(data))


def _master(folder: Path, scan: np.ndarray) -> Path:
    frames = _frames(scan)
    return layouts.write_master(folder / "a_master.h5", frames, first=2 * len(frames) // 3, energy_ev=1e3 * ENERGY_KEV)


def _dm_tags(folder: Path, image: np.ndarray) -> Path:
    steps = [(65009, "d", 1, PER_NM, True), (65010, "d", 1, PER_NM, True)]
    units = [(65003, "s", 5, "1/nm", True), (65004, "s", 5, "1/nm", True)]
    return _tiff(extratags=[*units, *steps], metadata=None)(folder, image)


IMAGEJ = {"imagej": True, "resolution": (1 / STEP_MRAD, 1 / STEP_MRAD)}
MRAD_AXES = [("ky", STEP_MRAD, "mrad", False), ("kx", STEP_MRAD, "mrad", False)]
VELOX = {"volts": 1e3 * ENERGY_KEV, "convergence_rad": 1e-3 * CONVERGENCE_MRAD}
ZSPY = {"step": STEP_MRAD, "energy_kev": ENERGY_KEV}
IN_MRAD_WITH_ENERGY = Calibration(pixel_mrad=STEP_MRAD, energy_kev=ENERGY_KEV)

FORMATS = (
    Format("DM3", LAYOUT, "tags", _dm(3), _dm(3), EVERYTHING),
    Format("DM4", LAYOUT, "tags", _dm(4), _dm(4), EVERYTHING),
    Format("DM4, scan axes fastest", LAYOUT, "tags", None, _dm(4, front=True), EVERYTHING),
    Format(
        "EMD of Velox",
        LAYOUT,
        "h5py",
        lambda folder, image: layouts.write_velox(folder / "a.emd", image, PER_NM * 1e9, **VELOX),
        None,
        EVERYTHING,
    ),
    Format("EMD of Berkeley", LIBRARY, "RosettaSciIO", _rosetta("emd", "a.emd"), _rosetta("emd", "a.emd"), IN_PER_NM),
    Format(
        "EMD of Prismatic",
        LAYOUT,
        "h5py",
        None,
        lambda folder, scan: layouts.write_prismatic(folder / "a.emd", [scan], ENERGY_KEV, PER_NM),
        WITH_ENERGY,
    ),
    Format(
        "HDF5 of py4DSTEM",
        LAYOUT,
        "h5py",
        None,
        lambda folder, scan: layouts.write_py4dstem(folder / "a.h5", scan, step=PER_NM / 10, noted=PER_NM / 10),
        IN_PER_NM,
        dataset="datacube",
    ),
    Format("HSPY", LIBRARY, "RosettaSciIO", _rosetta("hspy", "a.hspy"), _rosetta("hspy", "a.hspy"), EVERYTHING),
    Format(
        "HSPY in mrad, as `.hdf5`",
        LIBRARY,
        "RosettaSciIO",
        _rosetta("hspy", "a.hdf5", MRAD_AXES),
        _rosetta("hspy", "a.hdf5", MRAD_AXES),
        Calibration(STEP_MRAD, ENERGY_KEV, CONVERGENCE_MRAD),
    ),
    Format(
        "ZSPY",
        LAYOUT,
        "zarr",
        lambda folder, image: layouts.write_zspy(folder / "a.zspy", image, **ZSPY),
        lambda folder, scan: layouts.write_zspy(folder / "a.zspy", scan, **ZSPY),
        IN_MRAD_WITH_ENERGY,
    ),
    Format(
        "ZSPY in a zip file",
        LAYOUT,
        "zarr",
        None,
        lambda folder, scan: layouts.write_zspy(folder / "a.zspy", scan, zipped=True, **ZSPY),
        IN_MRAD_WITH_ENERGY,
    ),
    Format("NeXus", LIBRARY, "RosettaSciIO", _rosetta("nexus", "a.nxs"), None, EVERYTHING),
    Format(
        "NeXus, NXdata with axes",
        LAYOUT,
        "h5py",
        None,
        lambda folder, scan: layouts.write_nexus(folder / "a.nxs", scan, step=PER_NM),
        IN_PER_NM,
    ),
    Format("Dectris or Arina master", LAYOUT, "h5py", None, _master, ENERGY_ALONE, bad_pixel=True, series=True),
    Format("HDF5, nothing but arrays", LIBRARY, "h5py", _hdf5, _hdf5, huge=_huge_hdf5),
    Format("HDF5 with dimension scales, pattern axes first", LIBRARY, "h5py", None, _scales, IN_MRAD),
    Format("Zarr", LIBRARY, "zarr", _zarr, _zarr, huge=_huge_zarr),
    Format("Zarr of xarray, pattern axes first", LIBRARY, "xarray", None, _xarray, IN_MRAD),
    Format("EMPAD", LAYOUT, "numbers and XML", None, _empad, IN_PER_NM, square=True, huge=_huge_empad),
    Format("MIB", LAYOUT, "headers and numbers", None, _mib),
    Format(
        "BLO",
        LIBRARY,
        "RosettaSciIO",
        None,
        _rosetta("blockfile", "a.blo", show_progressbar=False),
        eight_bits=True,
        square=True,
    ),
    Format("TIA, `.ser`", LAYOUT, "numbers", lambda folder, image: layouts.write_ser(folder / "a_1.ser", image)),
    Format(
        "TVIPS",
        LIBRARY,
        "RosettaSciIO",
        None,
        _rosetta("tvips", "a_000.tvips", show_progressbar=False),
        ENERGY_ALONE,
        series=True,
    ),
    Format("MRC", LAYOUT, "header and numbers", _mrc, _mrc, series=True),
    Format(
        "TIFF",
        LIBRARY,
        "tifffile",
        _tiff(),
        _pages,
        series=True,
        whole="RosettaSciIO reads files of less than 256 MB whole to find a camera's tags",
    ),
    Format("TIFF, big-endian BigTIFF", LIBRARY, "tifffile", _tiff(bigtiff=True, byteorder=">"), None),
    Format("TIFF, deflate", LIBRARY, "tifffile", _tiff(compression="zlib"), None),
    Format("TIFF, LZW", LIBRARY, "Pillow", _pillow("a.tif", compression="tiff_lzw"), None),
    Format(
        "TIFF of ImageJ",
        LIBRARY,
        "tifffile",
        _tiff(**IMAGEJ, metadata={"unit": "mrad"}),
        _tiff(**IMAGEJ, metadata={"unit": "mrad", "axes": "TYX"}),
        IN_MRAD,
        series=True,
    ),
    Format("TIFF of DigitalMicrograph", LAYOUT, "tifffile", _dm_tags, None, IN_PER_NM),
    Format("PNG, 16 bits", LIBRARY, "imageio", _imageio("a.png")),
    Format("PNG, 8 bits", LIBRARY, "Pillow", _pillow("a.png"), eight_bits=True),
    Format("BMP", LIBRARY, "Pillow", _pillow("a.bmp"), eight_bits=True),
    Format("GIF", LIBRARY, "Pillow", _pillow("a.gif"), eight_bits=True),
    Format("JPEG", LIBRARY, "Pillow", _pillow("a.jpg", quality=92), eight_bits=True, lossy=True),
    Format("NPY", LIBRARY, "NumPy", _npy, _npy, huge=_huge_npy),
    Format("NPZ", LIBRARY, "NumPy", _npz, _npz, whole="an archive is unpacked as a whole"),
    Format("MAT (MATLAB)", LIBRARY, "SciPy", _mat, _mat, whole="SciPy reads its variables whole"),
    Format("Ripple", LIBRARY, "RosettaSciIO", _rosetta("ripple", "a.rpl"), None, IN_PER_NM),
    Format("Semper", LIBRARY, "RosettaSciIO", _semper, None, IN_PER_NM),
    Format("PantaRhei", LIBRARY, "RosettaSciIO", _rosetta("pantarhei", "a.prz")),
    Format("MRCZ", LIBRARY, "RosettaSciIO", _rosetta("mrcz", "a.mrcz"), None, IN_PER_NM),
)
