"""The library of a bent foil: what patterns look like whose averaged area holds a range of tilts.

Nothing is rendered. A library's entries of one thickness, and what the crystal's symmetry makes of them, are patterns
of all tilts; entries of a spread are their weighted means, without the fringes that differ from tilt to tilt.
"""

from __future__ import annotations

import numpy as np

from pacbed.analysis.fit.matching.library import Library
from pacbed.analysis.fit.matching.polar import of_unit_norm

# ASSUME: patterns of neighbouring tilts have one contrast, so that entries of unit norm may be averaged, and those of
# tilts beyond the library are left out (an estimate; a mean only proposes where a fit may start).
STEP = 0.75  # between the mean tilts of entries, over the spread: a mean changes little over less


def spread_library(library: Library, group: np.ndarray, *, spread_mrad: float) -> Library:
    """Average a library over tilts that spread like a Gaussian, alike in all directions.

    Parameters
    ----------
    library : Library
        Of `build_library`: every thickness at every mistilt.
    group : float array, shape (operation, 2, 2)
        The crystal's symmetry about the beam, Cartesian.
    spread_mrad : float
        Standard deviation of each part of the tilt [mrad].
    """
    depths = len(np.unique(library.thickness_nm))
    tilts = library.mistilt_mrad[::depths]
    kept = _apart(tilts, STEP * spread_mrad)
    spectra = library.spectrum.reshape(len(tilts), -1, library.spectrum.shape[-1])
    centers, radii = (values.reshape(len(tilts), -1) for values in (library.center_mrad, library.radius_mrad))
    spectrum = np.zeros((len(kept), *spectra.shape[1:]), np.complex64)
    center, radius, total = (np.zeros((len(kept), values.shape[1])) for values in (centers, radii, radii[:, :1]))
    for operation in group:
        away = tilts[kept][:, None] - (tilts @ operation.T)[None]
        weights = np.exp(-0.5 * np.sum(away**2, axis=-1) / spread_mrad**2) / _alike(tilts, group)
        spectrum += np.tensordot(weights.astype(np.float32), _transformed(spectra, operation), axes=1)
        center += weights @ (library.center_mrad @ operation.T).reshape(len(tilts), -1)
        radius += weights @ radii
        total += weights.sum(axis=1, keepdims=True)
    return Library(
        thickness_nm=np.tile(library.thickness_nm[:depths], len(kept)),
        mistilt_mrad=np.repeat(tilts[kept], depths, axis=0),
        center_mrad=(center / total).reshape(-1, 2),
        radius_mrad=(radius / total).ravel(),
        spectrum=of_unit_norm(spectrum.reshape(-1, *library.spectrum.shape[1:])),
        convergence_mrad=library.convergence_mrad,
        mirror=library.mirror,
    )


def _apart(tilts: np.ndarray, least_mrad: float) -> np.ndarray:
    """Indices of mistilts, shape (mistilt, 2) [mrad], of which none are closer than that."""
    kept: list[int] = []
    for index, tilt in enumerate(tilts):
        if all(np.hypot(*(tilt - tilts[other])) >= least_mrad for other in kept):
            kept.append(index)
    return np.array(kept)


def _alike(tilts: np.ndarray, group: np.ndarray) -> np.ndarray:
    """By how many operations of the group each mistilt stays where it is, shape (mistilt,)."""
    moved = np.einsum("oij,tj->oti", group, tilts) - tilts
    return np.asarray(np.sum(np.hypot(*np.moveaxis(moved, -1, 0)) < 1e-6, axis=0))


def _transformed(spectra: np.ndarray, operation: np.ndarray) -> np.ndarray:
    """Spectra, frequency last, of patterns after an operation: a rotation, after a reflection in the x axis or not."""
    turn = np.arctan2(operation[1, 0], operation[0, 0])
    shift = np.exp(-1j * turn * np.arange(spectra.shape[-1])).astype(np.complex64)
    return np.asarray((spectra.conj() if np.linalg.det(operation) < 0 else spectra) * shift)
