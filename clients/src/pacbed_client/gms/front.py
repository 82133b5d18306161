"""What an image of DigitalMicrograph is: its counts, and what its tags and calibration say of the microscope."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from pacbed_client.errors import ClientError
from pacbed_client.gms.tags import as_text, plain
from pacbed_client.gms.units import Pixel, pixel_of

VOLTAGE = "Microscope Info:Voltage"  # [V]
CONVERGENCE = (  # [mrad]; EELS keeps what the operator typed
    "EELS:Experimental Conditions:Convergence semi-angle (mrad)",
    "EELS:Convergence semi-angle (mrad)",
)
HIGHEST_KEV = 5e3  # no microscope has more: a larger number is in volts
OBLONG_MAX = 1.05  # longer over shorter edge of a pixel that is used as if it were square


class FrontImage(NamedTuple):
    """An image, and how it was recorded; None where it does not say.

    Attributes
    ----------
    identity : int
        By which DigitalMicrograph finds it again.
    name : str
    shape : tuple of int
        Rows and columns; DigitalMicrograph itself names them the other way round.
    energy_kev : float or None
        Beam energy [keV].
    convergence_mrad : float or None
        Semi-convergence angle [mrad].
    pixel : Pixel
    """

    identity: int
    name: str
    shape: tuple[int, ...]
    energy_kev: float | None
    convergence_mrad: float | None
    pixel: Pixel

    @property
    def pixel_mrad(self) -> float | None:
        """Pixel size [mrad] at the beam energy of the image."""
        return self.pixel.at(self.energy_kev)


def read_front_image(dm: Any) -> FrontImage:
    """Describe the front image.

    Parameters
    ----------
    dm : module
        DigitalMicrograph.

    Raises
    ------
    ClientError
        There is none, it is no pattern, or its pixels are not square.
    """
    try:
        image = dm.GetFrontImage()
    except Exception:  # nobody says which
        image = None
    if image is None:
        raise ClientError("image: got none, accepted: a pattern as the front image")
    array = image.GetNumArray()
    if array.ndim != 2:
        raise ClientError(f"image: got {array.ndim} axes, accepted: one pattern; sum the scan first")
    tags = image.GetTagGroup()
    volt = _tag(tags, VOLTAGE)
    energy = volt if volt is None or volt < HIGHEST_KEV else volt / 1e3
    convergence = next((found for found in (_tag(tags, name) for name in CONVERGENCE) if found is not None), None)
    name = as_text(image.GetName())
    return FrontImage(int(image.GetID()), name, tuple(array.shape), energy, convergence, _pixel(image))


def counts_of(dm: Any, identity: int, name: str) -> np.ndarray:
    """A copy of an image's counts, shape (y, x): the array of DigitalMicrograph is a view of what it shows.

    Parameters
    ----------
    dm : module
        DigitalMicrograph.
    identity : int
    name : str
        What it was called when it was read, in ASCII.

    Raises
    ------
    ClientError
        It was closed; another one may have its number by now.
    """
    try:
        image = dm.FindImageByID(identity)
    except Exception:  # nobody says which
        image = None
    if image is None or plain(as_text(image.GetName())).strip() != name:
        raise ClientError("image: got one that was closed or renamed, accepted: one that is open; read it again")
    return np.array(image.GetNumArray())


def _tag(tags: Any, name: str) -> float | None:
    """A number above zero; None where there is none."""
    found, value = tags.GetTagAsFloat(name)
    return float(value) if found and value > 0 else None


def _pixel(image: Any) -> Pixel:
    pixels = []
    for axis in (0, 1):
        _, scale, unit = image.GetDimensionCalibration(axis, 0)
        pixels.append(pixel_of(float(scale), as_text(unit)))
    sizes = [one.per_nm if one.mrad is None else one.mrad for one in pixels]
    known = [size for size in sizes if size]
    if len(known) < 2 or (pixels[0].mrad is None) is not (pixels[1].mrad is None):
        return Pixel()
    if max(known) > OBLONG_MAX * min(known):
        shown = " x ".join(f"{size:.4g}" for size in known)
        raise ClientError(f"image: got pixels of {shown}, accepted: square ones; correct its calibration")
    mean = sum(known) / len(known)
    return Pixel(mrad=mean) if pixels[0].mrad is not None else Pixel(per_nm=mean)
