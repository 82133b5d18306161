"""The library that patterns of a convergence angle are compared with."""

from __future__ import annotations

import numpy as np

from pacbed.analysis.fit.matching.library import Library, build_library
from pacbed.analysis.fit.matching.spread import spread_library
from pacbed.analysis.libraries.cache import cached_library
from pacbed.bundle.reader import Bundle

EDGE_MRAD = 2.0  # widest aperture edge that a coarse rendering uses


def library_for(bundle: Bundle, convergence_mrad: float, *, deepest_nm: float = np.inf, vacuum: float = 0.0) -> Library:
    """The library of a convergence angle, kept with the bundle and in the cache; angles within 0.1 mrad share one.

    Parameters
    ----------
    bundle : Bundle
    convergence_mrad : float
        Semi-convergence angle [mrad].
    deepest_nm : float
        Thickest entry, if the bundle does not end before [nm].
    vacuum : float
        Share of the beam that meets no crystal.
    """
    angle = round(convergence_mrad, 1)

    def build() -> Library:
        trained = bundle.meta.trained
        deepest = min(trained.thickness_nm[1], bundle.table.thickness_max_nm, deepest_nm)
        return build_library(
            bundle.renderer,
            convergence_mrad=angle,
            thickness_nm=(trained.thickness_nm[0], deepest),
            mistilt_max_mrad=min(trained.mistilt_mrad[1], 0.95 * bundle.renderer.mistilt_max_mrad(angle, EDGE_MRAD)),
            vacuum=vacuum,
        )

    kind = (angle, deepest_nm, vacuum)
    return bundle.recent(("library", *kind), lambda: cached_library(bundle, kind, build))


def spread_library_for(bundle: Bundle, convergence_mrad: float, *, spread_mrad: float) -> Library:
    """As `library_for`, of patterns whose tilts spread [mrad, standard deviation of each part]."""
    angle = round(convergence_mrad, 1)

    def build() -> Library:
        return spread_library(library_for(bundle, angle), bundle.table.group, spread_mrad=spread_mrad)

    kind = (angle, np.inf, 0.0, spread_mrad)
    return bundle.recent(("library", *kind), lambda: cached_library(bundle, kind, build))
