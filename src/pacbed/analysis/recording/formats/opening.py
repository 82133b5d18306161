"""Opens any file that holds patterns: the one way in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory

from pacbed.analysis.recording.formats.arrays import open_npy, open_npz
from pacbed.analysis.recording.formats.containers.gatan import read_gatan
from pacbed.analysis.recording.formats.containers.hdf5 import open_hdf5
from pacbed.analysis.recording.formats.containers.matlab import open_mat
from pacbed.analysis.recording.formats.containers.zarr_folder import open_zarr
from pacbed.analysis.recording.formats.empad import read_empad
from pacbed.analysis.recording.formats.kinds import kind_of
from pacbed.analysis.recording.formats.merlin import read_merlin
from pacbed.analysis.recording.formats.mrc import read_mrc
from pacbed.analysis.recording.formats.pictures import open_picture
from pacbed.analysis.recording.formats.quiet import quiet
from pacbed.analysis.recording.formats.rosetta import read_with
from pacbed.analysis.recording.formats.tiff import open_tiff
from pacbed.analysis.recording.formats.tvips import read_tvips
from pacbed.analysis.recording.guard.sizes import no_memory
from pacbed.analysis.recording.guard.untrusted import check_untrusted
from pacbed.analysis.recording.stored import Axis, StoredImage, sizes
from pacbed.analysis.recording.units import parse_unit
from pacbed.errors import PacbedError, PatternError

OPENERS: dict[str, Callable[[Path], AbstractContextManager[list[StoredImage]]]] = {
    "npy": open_npy,
    "npz": open_npz,
    "picture": open_picture,
    "tiff": open_tiff,
    "mat": open_mat,
    "hdf5": open_hdf5,
    "zarr": open_zarr,
}
# Modules of RosettaSciIO that are asked in a way of their own.
OWN_READERS: dict[str, Callable[[Path], list[StoredImage]]] = {
    "digitalmicrograph": read_gatan,
    "quantumdetector": read_merlin,
    "empad": read_empad,
    "mrc": read_mrc,
    "tvips": read_tvips,
}
# Modules whose scan axes are a guess (the last two axes are the pattern), not the file's word.
FLAGS_ASSUMED = {"mrcz", "ripple", "semper"}
# Modules that call the pixels of an image lengths where the file does not say what they are.
LENGTHS_ASSUMED = {"tia"}
# Modules whose names of axes are not the file's, and say x before y where rows come first.
NAMES_ASSUMED = {"semper", "mrcz"}
# Suffixes of which RosettaSciIO knows the small letters alone, or those of the files beside.
SMALL_LETTERS = {".prz", ".emi"}
# Modules that leave nothing in the file.
EAGER = {"mrcz", "pantarhei"}
PACKAGES = {"skimage": "scikit-image"}  # where a package is not called what is imported


@contextmanager
def open_images(path: str | Path) -> Iterator[list[StoredImage]]:
    """Open a file and find the arrays in it; what its format allows stays in the file until it is indexed.

    Arrays without elements are left out.

    Parameters
    ----------
    path : path
        A file, or the folder of a Zarr store.

    Raises
    ------
    PatternError
        There is no such file, nobody reads it, or it is empty or damaged.
    """
    file = Path(path)
    with ExitStack() as stack:
        with readable(file), quiet():
            if not (file.is_file() or file.is_dir()):  # no pipe, which would wait for ever
                raise PatternError(f"file: got {str(file)!r}, accepted: a file that exists")
            if file.is_file() and file.stat().st_size == 0:
                raise PatternError(f"file: {file} is empty, accepted: a whole file")
            if file.is_dir():
                kind_of(file)  # no folder of another kind is walked through
            check_untrusted(file)
            kind = kind_of(file)
            opener = OPENERS.get(kind.name)
            images = stack.enter_context(opener(file)) if opener else _by_rosetta(kind.plugin, file)
        yield _filled(images, file)


def _filled(images: list[StoredImage], file: Path) -> list[StoredImage]:
    """The arrays that have elements; arrays of which none has are an error."""
    filled = [image for image in images if prod(image.shape)]
    if images and not filled:
        raise PatternError(f"file: {file} is empty ({sizes(images[0].shape)} values), accepted: a whole file")
    return filled


@contextmanager
def readable(file: Path) -> Iterator[None]:
    """Turn whatever a reader raises at a damaged file into one line that names the file.

    Raises
    ------
    PatternError
    """
    try:
        yield
    except PacbedError:
        raise
    except MemoryError:
        raise no_memory(str(file)) from None
    except Exception as error:  # thirty readers of damaged files raise anything
        if package := _missing_package(error):
            text = f"needs the package {package}, accepted: an environment that has it (pip install {package})"
            raise PatternError(f"file: {file} {text}") from error
        raise PatternError(f"file: {file} cannot be read ({one_line(error)}), accepted: a whole file") from error


def _missing_package(error: BaseException) -> str:
    """Package that a reader misses: it cannot be imported, or tifffile or HDF5 ask for a codec."""
    if isinstance(error, ModuleNotFoundError):
        return PACKAGES.get(str(error.name), str(error.name))
    text = str(error).lower()
    if "'imagecodecs' package" in text:
        return "imagecodecs"
    no_filter = "filter" in text and "not registered" in text
    return "hdf5plugin" if no_filter or ("plugin" in text and "directory" in text) else ""


def one_line(error: BaseException) -> str:
    """Kind and text of any error, without line breaks."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _by_rosetta(plugin: str, file: Path) -> list[StoredImage]:
    if plugin in OWN_READERS:
        return OWN_READERS[plugin](file)
    with _in_small_letters(file) as named:
        lazy = plugin not in EAGER and named == file
        images = read_with(plugin, named, lazy=lazy, own_flags=plugin not in FLAGS_ASSUMED)
    return [replace(one, axes=tuple(_without_guesses(axis, plugin) for axis in one.axes)) for one in images]


def _without_guesses(axis: Axis, plugin: str) -> Axis:
    """An axis without what a module of RosettaSciIO makes up."""
    if plugin in NAMES_ASSUMED:
        return axis._replace(name="")
    unit = parse_unit(axis.unit)
    if plugin in LENGTHS_ASSUMED and axis.scan is False and unit is not None and unit.kind == "length":
        return axis._replace(unit="", scale=None)
    return axis


@contextmanager
def _in_small_letters(file: Path) -> Iterator[Path]:
    """A file, or its name in a folder of links with suffixes in small letters, where its reader knows no others.

    There are links to the files beside it whose names begin as its own does, too.
    """
    beside = [one for one in file.parent.iterdir() if one.is_file() and one.name.startswith(file.stem)]
    if file.suffix.lower() not in SMALL_LETTERS or all(one.suffix.islower() for one in beside):
        yield file
        return
    with TemporaryDirectory() as folder:
        for one in sorted(beside, key=lambda one: one != file):
            link = Path(folder, f"{one.stem}{one.suffix.lower()}")
            if not link.exists():
                link.symlink_to(one.absolute())
        yield Path(folder, f"{file.stem}{file.suffix.lower()}")
