"""Files of DigitalMicrograph: which axes of a scan are the pattern, and spectra, which are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pacbed.analysis.recording.formats.rosetta import read_with
from pacbed.analysis.recording.stored import StoredImage, sizes
from pacbed.analysis.recording.units import parse_unit
from pacbed.errors import PatternError

FORMAT, SWAPPED = "Meta Data.Format", "Meta Data.Data Order Swapped"
SPECTRA = ("Spectrum image", "Spectrum")
SCANNED = "SI.Acquisition.Spatial Sampling"
ENERGIES = ("ev", "kev")
UNSURE = "file does not say which axes of its scan come first"


def read_gatan(file: Path) -> list[StoredImage]:
    """The images of a file; spectra beside them are left out.

    GMS writes the axes of the pattern fastest since it has a tag for that, and wrote those of the scan fastest before.

    Parameters
    ----------
    file : Path

    Raises
    ------
    PatternError
        It holds nothing but spectra.
    """
    found = read_with("digitalmicrograph", file, own_flags=False)
    images = [_with_flags(one) for one in found if not _is_spectra(one)]
    if found and not images:
        told = "accepted: patterns, as one image or an image for each scan position"
        raise PatternError(f"file: {file} holds spectra ({sizes(found[0].shape)} values), {told}")
    return images


def _is_spectra(image: StoredImage) -> bool:
    """Whether an array says that it holds spectra, or has energies along an axis and no pattern along the others."""
    long = [axis for axis, length in zip(image.described_axes(), image.shape, strict=True) if length > 1]
    if len(long) > 3:  # a scan of patterns, whatever it is called
        return False
    if len(long) < 2 or _tag(image, FORMAT) in SPECTRA or _tag(image, "spim") is not None:
        return True
    units = [parse_unit(axis.unit) for axis in long]
    energies = any(str(axis.unit).strip().lower() in ENERGIES for axis in long)
    return energies and not any(unit is not None and unit.is_diffraction for unit in units)


def _with_flags(image: StoredImage) -> StoredImage:
    """The image with what tags say of its axes; one of four axes and no such word cannot be told by its order."""
    if len(image.shape) < 3:
        return image
    swapped = _tag(image, SWAPPED)
    last = _scanned_first(image) if swapped is None else str(swapped).lower() not in ("0", "false")
    if last is None:
        return replace(image, unsure=UNSURE) if len(image.shape) > 3 else image
    pattern = (len(image.shape) - 2, len(image.shape) - 1) if last else (0, 1)
    axes = [axis._replace(scan=number not in pattern) for number, axis in enumerate(image.described_axes())]
    return replace(image, axes=tuple(axes))


def _scanned_first(image: StoredImage) -> bool | None:
    """Whether the scan's axes come before the pattern's, by its rows and columns; None where these tell nothing."""
    if len(image.shape) != 4:
        return None
    scan = tuple(_tag(image, f"{SCANNED}.{edge} (pixels)") for edge in ("Height", "Width"))
    first, last = image.shape[:2] == scan, image.shape[2:] == scan
    return None if first is last else first


def _tag(image: StoredImage, path: str) -> Any:
    """A tag of this image, or None."""
    tree: Any = image.original
    for key in ("ImageList", "TagGroup0", "ImageTags", *path.split(".")):
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree
