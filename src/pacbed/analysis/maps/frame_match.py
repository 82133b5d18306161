"""Library match of a window once the camera's rotation is known: one product for all entries and all symmetries.

With S the angular spectrum of the window, turned back by the known rotation, E that of an entry and an operation of the
crystal's group that turns by θ, the correlation with the entry after the operation is

    Re Σ conj(S exp(i m θ)) E

and for one that also reflects, with the complex conjugate of the bracket (see `pacbed.analysis.fit.matching.match`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from pacbed.analysis.fit.matching.library import Library
from pacbed.analysis.fit.matching.match import DISTINCT_MRAD, DISTINCT_NM, FIRST_BLUR_MRAD, recorded_spectrum
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.maps.constants import Constants
from pacbed.outline import Outline

FREQUENCIES = 31  # of the angle that are compared: fringes are wider than 12 degrees


class Found(NamedTuple):
    """Where a window's fit may start.

    Attributes
    ----------
    parameters : PatternParameters
    correlation : float
        At most 1.
    """

    parameters: PatternParameters
    correlation: float


class FrameMatch:
    """A library, ready for windows of one scan.

    Parameters
    ----------
    library : Library
        Of the convergence angle.
    group : float array, shape (operation, 2, 2)
        The crystal's symmetry about the beam, Cartesian.
    constants : Constants
    """

    def __init__(self, library: Library, group: np.ndarray, constants: Constants) -> None:
        self._library, self._group, self._constants = library, group, constants
        spectra = library.spectrum[..., :FREQUENCIES]
        twice = np.where(np.arange(FREQUENCIES) == 0, 1.0, 2.0).astype(np.float32)
        self._entries = _real(spectra * twice)
        frequency = np.arange(FREQUENCIES)
        turn = np.deg2rad(constants.rotation_deg) * (-1 if constants.mirrored else 1)
        angles = turn + np.arctan2(group[:, 1, 0], group[:, 0, 0])
        self._turns = np.exp(1j * np.outer(angles, frequency))[:, None]
        self._reflects = np.linalg.det(group) < 0

    def starts(self, array: np.ndarray, outline: Outline, count: int) -> list[Found]:
        """The best matches that differ in thickness or mistilt, best first.

        Parameters
        ----------
        array : float array, shape (y, x)
            Repaired counts.
        outline : Outline
            Its bright region.
        count : int
            How many, at most.
        """
        correlation = self._correlation(array, outline)
        best = np.argsort(-correlation, axis=None)
        found: list[Found] = []
        for index in best:
            operation, entry = np.unravel_index(index, correlation.shape)
            one = self._parameters(int(operation), int(entry), outline)
            if all(one.differs(other.parameters, nm=DISTINCT_NM, mrad=DISTINCT_MRAD) for other in found):
                found.append(Found(one, float(correlation[operation, entry])))
            if len(found) == count:
                break
        return found

    def mismatch(self, array: np.ndarray, outline: Outline, *, near_nm: float) -> tuple[float, float]:
        """What the best match leaves of a pattern, and what the best within `DISTINCT_NM` of a thickness does.

        Parameters
        ----------
        array : float array, shape (y, x)
            Repaired counts.
        outline : Outline
            Its bright region.
        near_nm : float
            The thickness [nm].
        """
        best = np.maximum(self._correlation(array, outline).max(axis=0), 0.0)
        apart = np.abs(self._library.thickness_nm - near_nm)
        near = float(best[apart <= max(DISTINCT_NM, float(apart.min()))].max())
        return float(np.sqrt(max(0.0, 1 - best.max() ** 2))), float(np.sqrt(max(0.0, 1 - near**2)))

    def _correlation(self, array: np.ndarray, outline: Outline) -> np.ndarray:
        """With each entry after each operation, shape (operation, entry)."""
        seen = recorded_spectrum(array, outline, mirrored=self._constants.mirrored)[:, :FREQUENCIES] * self._turns
        seen[self._reflects] = seen[self._reflects].conj()
        return np.asarray(_real(seen.astype(np.complex64)) @ self._entries.T)

    def _parameters(self, operation: int, entry: int, outline: Outline) -> PatternParameters:
        """Those of an entry after an operation, its bright region laid over the window's."""
        library, turn = self._library, self._group[operation]
        tilt, center = turn @ library.mistilt_mrad[entry], turn @ library.center_mrad[entry]
        at = self._constants.applied_to(
            PatternParameters(
                thickness_nm=float(library.thickness_nm[entry]),
                mistilt_mrad=(float(tilt[0]), float(tilt[1])),
                center_px=outline.center_px,
                pixel_mrad=1.0,
                rotation_deg=0.0,
                convergence_mrad=library.convergence_mrad,
                blur_mrad=FIRST_BLUR_MRAD,
            )
        )
        x, y = at.to_image(center, mirrored=self._constants.mirrored) / at.pixel_mrad
        return replace(at, center_px=(outline.center_px[0] - float(x), outline.center_px[1] - float(y)))


def _real(spectra: np.ndarray) -> np.ndarray:
    """Spectra, shape (pattern, radius, frequency), as rows of real numbers whose products are real parts."""
    flat = spectra.reshape(len(spectra), -1)
    return np.ascontiguousarray(np.concatenate([flat.real, flat.imag], axis=1).astype(np.float32))
