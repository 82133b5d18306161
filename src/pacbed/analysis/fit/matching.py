"""Finds the basins in which a fit may start: a library against one pattern, every rotation at once.

With the spectra S of pattern and E of entry (`angular_spectrum`, unit norm), the correlation at the rotation φ is

    c(φ) = Σ over rings r and frequencies m of S(r, m) E*(r, m) exp(i m φ)

One inverse Fourier transform over m gives it for all φ, as for the registration of turned images (De Castro & Morandi,
IEEE Trans. PAMI 9 (1987) 700). The mismatch is sqrt(1 - c²), the norm of what the best multiple of the entry leaves of
the pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from pacbed.analysis.fit.library import THICKNESS_STEP_NM, Library
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.polar import ANGLES, angular_spectrum, polar_image
from pacbed.outline import Outline
from pacbed.patterns import Geometry

IMAGE_SMOOTHING = 0.03  # of a recorded pattern, in units of the bright region's radius
FIRST_BLUR_MRAD = 0.4  # where a fit of the blur starts
DISTINCT_NM = 3.0
DISTINCT_MRAD = 1.2


@dataclass(frozen=True)
class Start:
    """A place to start from.

    Attributes
    ----------
    parameters : PatternParameters
    mismatch : float
        How badly the pattern matches there: 0 perfectly, 1 not at all.
    """

    parameters: PatternParameters
    mismatch: float


class Turn(NamedTuple):
    """How an entry of a library fits best.

    Attributes
    ----------
    correlation : float
        With the pattern, at most 1.
    turn_deg : float
        Rotation that leads from the entry to the pattern, from +x towards +y [deg].
    """

    correlation: float
    turn_deg: float


def match(array: np.ndarray, outline: Outline, library: Library, *, mirrored: bool = False) -> list[Start]:
    """Every entry of the library at its best rotation, best first.

    Parameters
    ----------
    array : float array, shape (y, x)
        Repaired counts.
    outline : Outline
        Its bright region.
    library : Library
        Rendered patterns.
    mirrored : bool
        The camera shows the pattern mirrored.
    """
    smooth = ndimage.gaussian_filter(array.astype(np.float32), IMAGE_SMOOTHING * outline.radius_px)
    polar = polar_image(smooth, outline)
    if mirrored:
        polar = polar[:, -np.arange(ANGLES) % ANGLES]
    spectrum = angular_spectrum(polar)
    found = []
    for reflected in (False, True) if library.mirror is not None else (False,):
        entries = library.spectrum.conj() if reflected else library.spectrum
        for index, best in enumerate(_best_turns(spectrum, entries)):
            at = _parameters(outline, library, index, best.turn_deg, reflected=reflected, mirrored=mirrored)
            found.append(Start(at, float(np.sqrt(max(0.0, 1 - max(0.0, best.correlation) ** 2)))))
    return sorted(found, key=lambda start: start.mismatch)


def choose_starts(matches: Sequence[Start], *, count: int, thickness_nm: Sequence[float] = ()) -> list[Start]:
    """The best matches that differ in thickness or mistilt, and the best near each of the given thicknesses.

    Parameters
    ----------
    matches : sequence of Start
        Output of `match`.
    count : int
        How many of the best.
    thickness_nm : sequence of float
        Further thicknesses to start from [nm], such as a network's candidates.
    """
    starts: list[Start] = []
    for one in matches:
        if len(starts) == count:
            break
        if all(one.parameters.differs(other.parameters, nm=DISTINCT_NM, mrad=DISTINCT_MRAD) for other in starts):
            starts.append(one)
    for candidate in thickness_nm:
        if all(abs(candidate - start.parameters.thickness_nm) > DISTINCT_NM for start in starts):
            near = [one for one in matches if abs(one.parameters.thickness_nm - candidate) <= THICKNESS_STEP_NM]
            starts += near[:1]
    return starts


def nearest_match(matches: Sequence[Start], thickness_nm: float) -> PatternParameters:
    """The best match near a thickness [nm]; `matches` as `match` returns them."""
    apart = [abs(start.parameters.thickness_nm - thickness_nm) for start in matches]
    near = [start for start, distance in zip(matches, apart, strict=True) if distance <= min(apart) + 1.0]
    return near[0].parameters


def _best_turns(pattern: np.ndarray, entries: np.ndarray) -> list[Turn]:
    """The best rotation of each entry.

    Parameters
    ----------
    pattern : complex array, shape (radius, frequency)
    entries : complex array, shape (entry, radius, frequency)
    """
    product = np.einsum("rf,erf->ef", pattern, entries.conj())
    correlation = np.fft.irfft(product, ANGLES, axis=1) * ANGLES
    best = np.argmax(correlation, axis=1)
    values = correlation[np.arange(len(best)), best]
    return [Turn(float(value), float(index) * 360 / ANGLES) for value, index in zip(values, best, strict=True)]


def _parameters(
    outline: Outline, library: Library, index: int, turn_deg: float, *, reflected: bool, mirrored: bool
) -> PatternParameters:
    """What the pattern's parameters are if it is one entry of the library, turned."""
    tilt, center = library.mistilt_mrad[index], library.center_mrad[index]
    if reflected and library.mirror is not None:
        # The entry was reflected in the x axis; the crystal's own mirror line is a rotation by twice its azimuth away.
        turn_deg -= np.rad2deg(np.arctan2(library.mirror[1, 0], library.mirror[0, 0]))
        tilt, center = library.mirror @ tilt, library.mirror @ center
    rotation = -turn_deg if mirrored else turn_deg
    pixel = float(library.radius_mrad[index] / outline.radius_px)
    shift = Geometry((1, 1), pixel, (0.0, 0.0), rotation, mirrored).to_image(center) / pixel
    return PatternParameters(
        thickness_nm=float(library.thickness_nm[index]),
        mistilt_mrad=(float(tilt[0]), float(tilt[1])),
        center_px=(float(outline.center_px[0] - shift[0]), float(outline.center_px[1] - shift[1])),
        pixel_mrad=pixel,
        rotation_deg=float((rotation + 180) % 360 - 180),
        convergence_mrad=library.convergence_mrad,
        blur_mrad=FIRST_BLUR_MRAD,
    )
