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
from typing import NamedTuple, overload

import numpy as np

from pacbed.analysis.fit.matching.library import THICKNESS_STEP_NM, Library
from pacbed.analysis.fit.matching.polar import ANGLES, angular_spectrum, polar_image
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.recording.resampling import smooth_and_bin
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


class Turns(NamedTuple):
    """How the entries of a library fit best.

    Attributes
    ----------
    correlation : float array, shape (entry,)
        With the pattern, at most 1.
    turn_deg : float array, shape (entry,)
        Rotation that leads from the entry to the pattern, from +x towards +y [deg].
    """

    correlation: np.ndarray
    turn_deg: np.ndarray


@dataclass(frozen=True)
class Matches(Sequence[Start]):
    """Every entry of a library at its best rotation, and its mirror image where the crystal has one; best first.

    Only those asked for are worked out: a library has thousands.

    Attributes
    ----------
    library : Library
    outline : Outline
        Bright region of the pattern.
    mirrored : bool
        The camera shows the pattern mirrored.
    turns : Turns
        Of the entries, then of their mirror images.
    order : int array, shape (match,)
        Indices into `turns`, best first.
    """

    library: Library
    outline: Outline
    mirrored: bool
    turns: Turns
    order: np.ndarray

    def __len__(self) -> int:
        return len(self.order)

    @overload
    def __getitem__(self, index: int) -> Start: ...
    @overload
    def __getitem__(self, index: slice) -> list[Start]: ...
    def __getitem__(self, index: int | slice) -> Start | list[Start]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        reflected, entry = divmod(int(self.order[index]), len(self.library.thickness_nm))
        return Start(self._parameters(entry, reflected=bool(reflected)), float(self.mismatch[index]))

    @property
    def mismatch(self) -> np.ndarray:
        """How badly each matches, ascending, shape (match,)."""
        return np.asarray(np.sqrt(np.maximum(0.0, 1 - np.maximum(0.0, self.turns.correlation[self.order]) ** 2)))

    @property
    def thickness_nm(self) -> np.ndarray:
        """Thickness of each, shape (match,) [nm]."""
        return self.library.thickness_nm[self.order % len(self.library.thickness_nm)]

    def _parameters(self, entry: int, *, reflected: bool) -> PatternParameters:
        """What the pattern's parameters are if it is one entry of the library, turned."""
        library, outline = self.library, self.outline
        tilt, center = library.mistilt_mrad[entry], library.center_mrad[entry]
        turn_deg = float(self.turns.turn_deg[entry + reflected * len(library.thickness_nm)])
        if reflected and library.mirror is not None:
            # The entry was reflected in the x axis; the crystal's own mirror is a rotation by twice its azimuth away.
            turn_deg -= np.rad2deg(np.arctan2(library.mirror[1, 0], library.mirror[0, 0]))
            tilt, center = library.mirror @ tilt, library.mirror @ center
        rotation = -turn_deg if self.mirrored else turn_deg
        pixel = float(library.radius_mrad[entry] / outline.radius_px)
        shift = Geometry((1, 1), pixel, (0.0, 0.0), rotation, self.mirrored).to_image(center) / pixel
        return PatternParameters(
            thickness_nm=float(library.thickness_nm[entry]),
            mistilt_mrad=(float(tilt[0]), float(tilt[1])),
            center_px=(float(outline.center_px[0] - shift[0]), float(outline.center_px[1] - shift[1])),
            pixel_mrad=pixel,
            rotation_deg=float((rotation + 180) % 360 - 180),
            convergence_mrad=library.convergence_mrad,
            blur_mrad=FIRST_BLUR_MRAD,
        )


def recorded_spectrum(array: np.ndarray, outline: Outline, *, mirrored: bool) -> np.ndarray:
    """Angular spectrum of a recorded pattern, smoothed as entries are, with the camera's mirror taken out.

    Parameters
    ----------
    array, outline, mirrored
        As for `match`.

    Returns
    -------
    complex64 array, shape (radius, frequency)
    """
    smooth = smooth_and_bin(array.astype(np.float32, copy=False), IMAGE_SMOOTHING * outline.radius_px)
    polar = polar_image(smooth.image, outline.binned(smooth.factor))
    return angular_spectrum(polar[:, -np.arange(ANGLES) % ANGLES] if mirrored else polar)


def match(array: np.ndarray, outline: Outline, library: Library, *, mirrored: bool = False) -> Matches:
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
    spectrum = recorded_spectrum(array, outline, mirrored=mirrored)
    turns = _best_turns(spectrum, library.by_frequency, reflected=library.mirror is not None)
    return Matches(library, outline, mirrored, turns, np.argsort(-turns.correlation, kind="stable"))


def choose_starts(
    matches: Matches, *, count: int, thickness_nm: Sequence[float] = (), within: float = np.inf
) -> list[Start]:
    """The best matches that differ in thickness or mistilt, and the best near each of the given thicknesses.

    Parameters
    ----------
    matches : Matches
    count : int
        How many of the best, at most.
    thickness_nm : sequence of float
        Further thicknesses to start from [nm], such as a network's candidates.
    within : float
        Largest sum of squares that a match leaves of the pattern, over that of the best.
    """
    starts: list[Start] = []
    worst = float(np.sqrt(within)) * matches.mismatch[0]
    for one in matches:
        if len(starts) == count or one.mismatch > worst:
            break
        if all(one.parameters.differs(other.parameters, nm=DISTINCT_NM, mrad=DISTINCT_MRAD) for other in starts):
            starts.append(one)
    for candidate in thickness_nm:
        if all(abs(candidate - start.parameters.thickness_nm) > DISTINCT_NM for start in starts):
            near = np.flatnonzero(np.abs(matches.thickness_nm - candidate) <= THICKNESS_STEP_NM)
            starts += [matches[int(index)] for index in near[:1]]
    return starts


class Standing(NamedTuple):
    """How a thickness stands among the matches.

    Attributes
    ----------
    mismatch : float
        Of the best match within `DISTINCT_NM` of it.
    best : float
        The least mismatch of all.
    best_nm : float
        Thickness of the match that has it [nm].
    """

    mismatch: float
    best: float
    best_nm: float


def standing(matches: Matches, thickness_nm: float) -> Standing:
    """Compare the best match near a thickness [nm] with the best of all."""
    apart, mismatch = np.abs(matches.thickness_nm - thickness_nm), matches.mismatch
    near = mismatch[apart <= max(DISTINCT_NM, float(apart.min()))]
    return Standing(float(near.min()), float(mismatch[0]), float(matches.thickness_nm[0]))


def _best_turns(pattern: np.ndarray, entries: np.ndarray, *, reflected: bool) -> Turns:
    """The best rotation of each entry and, after these, of its reflection in the x axis if that is asked for.

    Parameters
    ----------
    pattern : complex array, shape (radius, frequency)
    entries : complex array, shape (frequency, entry, radius)
    reflected : bool
        The complex conjugates of the entries are the spectra of their reflections.
    """
    hands = np.stack([pattern.conj(), pattern] if reflected else [pattern.conj()])
    products = (entries @ hands.transpose(2, 1, 0)).transpose(2, 1, 0)
    products[0] = products[0].conj()
    correlation = np.fft.irfft(products, ANGLES, axis=-1).reshape(-1, ANGLES) * ANGLES
    best = np.argmax(correlation, axis=1)
    return Turns(correlation[np.arange(len(best)), best], best * 360.0 / ANGLES)
