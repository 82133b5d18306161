"""Reads one recorded pattern from any file a microscope or an image program writes."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.recording.metadata import Calibration, read_calibration
from pacbed.errors import PatternError

SMALLEST_PIXELS = 32  # fewer along an edge cannot show the fringes inside a disk
LARGEST_BAD_FRACTION = 0.01
GREY_TOLERANCE = 8  # JPEG rounds the three channels of a grey picture apart by a few counts
PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".gif"}
HDF5 = {".h5", ".hdf5", ".hdf"}


@dataclass(frozen=True)
class Pattern:
    """One recorded pattern.

    Attributes
    ----------
    array : float32 array, shape (y, x)
        Counts, row 0 on top; not finite where the detector gave no value.
    pixel_mrad, energy_kev, convergence_mrad : float or None
        As the file states them.
    source : str
        File name, or "array".
    sha256 : str
        Hash of the file, or of the array's bytes.
    saturated_fraction : float
        Share of pixels at the largest value an integer file can hold.
    """

    array: np.ndarray
    pixel_mrad: float | None = None
    energy_kev: float | None = None
    convergence_mrad: float | None = None
    source: str = "array"
    sha256: str = ""
    saturated_fraction: float = 0.0


def read_pattern(path: str | Path, *, dataset: str | None = None) -> Pattern:
    """Read a pattern from TIFF, PNG, JPEG, NPY, HDF5 or any format of RosettaSciIO (DM3, DM4, EMD, HSPY, MRC, ...).

    Parameters
    ----------
    path : path
        The file.
    dataset : str, optional
        Which data set of a file that holds several: its path inside an HDF5 file, its title, or its number from 0.

    Raises
    ------
    PatternError
        When the file cannot be read, or does not hold one usable two-dimensional pattern.
    """
    file = Path(path)
    if not file.is_file():
        raise PatternError(f"pattern: got {str(file)!r}, accepted: a file that exists")
    try:
        data, calibration = _reader(file)(file, dataset)
    except PatternError:
        raise
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:  # thirty readers of damaged files raise anything
        raise PatternError(f"pattern: {file} cannot be read ({one_line(error)})") from error
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return replace(
        pattern_from_array(data, source=file.name),
        pixel_mrad=calibration.pixel_mrad,
        energy_kev=calibration.energy_kev,
        convergence_mrad=calibration.convergence_mrad,
        sha256=sha256,
    )


def pattern_from_array(data: Any, *, source: str = "array") -> Pattern:
    """Check an array, shape (y, x) [counts], and wrap it; axes of length one are dropped.

    Raises
    ------
    PatternError
        Naming shape or values got, and what is accepted.
    """
    array = np.asarray(data)
    if array.dtype == bool or array.dtype.kind not in "iuf":
        raise PatternError(f"{source}: got values of type {array.dtype}, accepted: real numbers")
    shape = array.shape
    array = array.squeeze()
    if array.ndim != 2:
        raise PatternError(
            f"{source}: got an array of shape {shape}, accepted: one pattern with two axes (y, x); "
            "average a scan over its positions first"
        )
    if min(array.shape) < SMALLEST_PIXELS:
        raise PatternError(f"{source}: got {array.shape} pixels, accepted: at least {SMALLEST_PIXELS} along each edge")
    saturated = float(np.mean(array == np.iinfo(array.dtype).max)) if array.dtype.kind in "iu" else 0.0
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    return Pattern(_finite_float(array, source), source=source, sha256=digest, saturated_fraction=saturated)


def _finite_float(array: np.ndarray, source: str) -> np.ndarray:
    values = array.astype(np.float32)
    good = np.isfinite(values)
    if 1 - good.mean() > LARGEST_BAD_FRACTION:
        raise PatternError(
            f"{source}: got {100 * (1 - good.mean()):.1f} % of the pixels without a finite value, "
            f"accepted: at most {100 * LARGEST_BAD_FRACTION:g} %"
        )
    if np.ptp(values[good]) <= 0:
        raise PatternError(f"{source}: got the value {values[good][0]:g} in every pixel, accepted: a pattern")
    return values


Reader = Callable[[Path, str | None], tuple[Any, Calibration]]


def _reader(file: Path) -> Reader:
    suffix = file.suffix.lower()
    if suffix == ".npy":
        return _read_npy
    if suffix in PICTURES:
        return _read_picture
    if suffix in HDF5:
        return _read_hdf5
    return _read_microscope_file


def _read_npy(file: Path, dataset: str | None) -> tuple[np.ndarray, Calibration]:
    return np.load(file, allow_pickle=False), Calibration()


def _read_picture(file: Path, dataset: str | None) -> tuple[np.ndarray, Calibration]:
    import imageio.v3 as iio  # slow to import, and only pictures need it

    return _grey(np.asarray(iio.imread(file.read_bytes(), extension=file.suffix.lower())), file), Calibration()


def _grey(image: np.ndarray, file: Path) -> np.ndarray:
    if image.ndim != 3 or image.shape[-1] not in (2, 3, 4):
        return image
    colours = image[..., :1] if image.shape[-1] == 2 else image[..., :3]
    if np.ptp(colours.astype(float), axis=-1).max() > GREY_TOLERANCE:
        raise PatternError(
            f"pattern: got a coloured picture in {file}, accepted: grey levels (a colour map hides counts)"
        )
    return colours.astype(np.float32).mean(axis=-1) if colours.shape[-1] == 3 else colours[..., 0]


def _read_hdf5(file: Path, dataset: str | None) -> tuple[np.ndarray, Calibration]:
    import h5py

    if not h5py.is_hdf5(file):
        raise PatternError(f"pattern: {file} is not an HDF5 file")
    with h5py.File(file, "r") as store:
        if "file_format" in store.attrs and "HyperSpy" in str(store.attrs["file_format"]):
            return _read_microscope_file(file, dataset)
        found: list[str] = []
        store.visititems(lambda name, item: found.append(name) if _is_image(item) else None)
        name = choose_dataset(file, dataset, found)
        return store[name][()], Calibration()


def _is_image(item: Any) -> bool:
    return getattr(item, "ndim", 0) >= 2 and item.dtype.kind in "iuf"


def _read_microscope_file(file: Path, dataset: str | None) -> tuple[np.ndarray, Calibration]:
    images = [image for image in plugin_for(file).file_reader(str(file)) if np.ndim(image["data"]) >= 2]
    titles = [str(image["metadata"].get("General", {}).get("title") or i) for i, image in enumerate(images)]
    image = images[titles.index(choose_dataset(file, dataset, titles))]
    data = np.asarray(image["data"])
    if data.dtype.names:  # RosettaSciIO reads RGB as a structured array
        data = np.stack([data[name] for name in data.dtype.names], axis=-1)
    calibration = read_calibration(image["axes"], image["metadata"], image.get("original_metadata", {}))
    return _grey(data, file), calibration


def plugin_for(file: Path) -> Any:
    """RosettaSciIO's module for a file, by its suffix."""
    import rsciio

    suffix = file.suffix.lower().lstrip(".")
    names = [p["api"] for p in rsciio.IO_PLUGINS if suffix in {e.lower() for e in p["file_extensions"]}]
    names = [name for name in names if name != "rsciio.mrcz"] or names  # plain MRC is the common one
    if not names:
        raise PatternError(
            f"pattern: got a file ending in {file.suffix!r} ({file.name}), accepted: .tif .png .jpg .npy .dm3 .dm4 "
            ".emd .hspy .mrc .h5 and the other formats of RosettaSciIO"
        )
    return import_module(names[0])


def choose_dataset(file: Path, dataset: str | None, names: list[str]) -> str:
    """The one data set meant; several without a choice are an error that lists them."""
    if not names:
        raise PatternError(f"pattern: {file} holds no image")
    if dataset is None:
        if len(names) > 1:
            raise PatternError(f"dataset: got none for {file}, accepted: one of {', '.join(names[:12])}")
        return names[0]
    if dataset.strip("/") in names:
        return dataset.strip("/")
    if dataset.isdigit() and int(dataset) < len(names):
        return names[int(dataset)]
    raise PatternError(f"dataset: got {dataset!r}, accepted: one of {', '.join(names[:12])} (in {file})")


def one_line(error: BaseException) -> str:
    """Kind and text of any error, without line breaks."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
