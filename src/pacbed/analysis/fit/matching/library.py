"""The library of a convergence angle: rendered patterns of every thickness and mistilt, ready to be matched.

Patterns are kept in the frame of their own bright region (`find_outline`), which takes out centre and pixel size, and
in polar coordinates (`pacbed.analysis.fit.matching.polar`), where one comparison tries all rotations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pacbed.analysis.fit.matching.polar import angular_spectrum, polar_image
from pacbed.outline import find_outline
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.renderer import Renderer

FIELD = 1.6  # half width of the rendered patterns in units of the convergence angle
PIXELS = 56
BLUR_MRAD = 0.5  # of the rendered patterns, about what detector and smoothing do to a recorded one
MISTILT_STEP_MRAD = 0.9
THICKNESS_STEP_NM = 2.0


@dataclass(frozen=True)
class Entry:
    """One rendered pattern in the polar frame of its bright region.

    Attributes
    ----------
    thickness_nm : float
    mistilt_mrad : float array, shape (2,)
        Crystal frame (x, y) [mrad].
    center_mrad : float array, shape (2,)
        Centre of the bright region relative to the optic axis, crystal frame [mrad].
    radius_mrad : float
        Radius of the bright region [mrad].
    spectrum : complex64 array, shape (radius, frequency)
        Output of `angular_spectrum`.
    """

    thickness_nm: float
    mistilt_mrad: np.ndarray
    center_mrad: np.ndarray
    radius_mrad: float
    spectrum: np.ndarray


@dataclass(frozen=True)
class Library:
    """Rendered patterns in the polar frame of their bright regions.

    Attributes
    ----------
    thickness_nm : float array, shape (entry,)
        Thickness [nm].
    mistilt_mrad : float array, shape (entry, 2)
        Crystal frame (x, y) [mrad].
    center_mrad : float array, shape (entry, 2)
        Centre of the bright region relative to the optic axis, crystal frame [mrad].
    radius_mrad : float array, shape (entry,)
        Radius of the bright region [mrad].
    spectrum : complex64 array, shape (entry, radius, frequency)
        Output of `angular_spectrum`.
    convergence_mrad : float
        Semi-convergence angle of all entries [mrad].
    mirror : float array, shape (2, 2), or None
        A mirror line of the crystal: entries reflected by it count as well.
    """

    thickness_nm: np.ndarray
    mistilt_mrad: np.ndarray
    center_mrad: np.ndarray
    radius_mrad: np.ndarray
    spectrum: np.ndarray
    convergence_mrad: float
    mirror: np.ndarray | None

    @cached_property
    def by_frequency(self) -> np.ndarray:
        """Spectra in the order in which they are multiplied, complex64, shape (frequency, entry, radius)."""
        return np.ascontiguousarray(self.spectrum.transpose(2, 0, 1))

    def near(self, thickness_nm: float) -> Library:
        """The entries whose thickness is nearest to one [nm], and those up to half a step further away."""
        apart = np.abs(self.thickness_nm - thickness_nm)
        kept = apart <= apart.min() + THICKNESS_STEP_NM / 2
        entries = {
            name: getattr(self, name)[kept]
            for name in ("thickness_nm", "mistilt_mrad", "center_mrad", "radius_mrad", "spectrum")
        }
        return replace(self, **entries)


def build_library(
    renderer: Renderer,
    *,
    convergence_mrad: float,
    thickness_nm: tuple[float, float],
    mistilt_max_mrad: float,
    vacuum: float = 0.0,
) -> Library:
    """Render the library of one convergence angle.

    Parameters
    ----------
    renderer : Renderer
        Renders the crystal's patterns.
    convergence_mrad : float
        Semi-convergence angle [mrad].
    thickness_nm : tuple of float
        Thinnest and thickest entry [nm].
    mistilt_max_mrad : float
        Largest mistilt [mrad].
    vacuum : float
        Share of the beam that meets no crystal: the bright region is then nearly the disk.
    """
    depths = np.linspace(*thickness_nm, max(2, int(np.ceil(np.ptp(thickness_nm) / THICKNESS_STEP_NM)) + 1))
    tilts = mistilt_grid(mistilt_max_mrad, renderer.table.azimuth_range_deg)
    entries = [entry for tilt in tilts for entry in _entries(renderer, depths, tilt, convergence_mrad, vacuum)]
    mirrors = renderer.table.group[np.linalg.det(renderer.table.group) < 0]
    return Library(
        thickness_nm=np.array([entry.thickness_nm for entry in entries]),
        mistilt_mrad=np.array([entry.mistilt_mrad for entry in entries]),
        center_mrad=np.array([entry.center_mrad for entry in entries]),
        radius_mrad=np.array([entry.radius_mrad for entry in entries]),
        spectrum=np.stack([entry.spectrum for entry in entries]),
        convergence_mrad=convergence_mrad,
        mirror=mirrors[0] if len(mirrors) else None,
    )


def _entries(
    renderer: Renderer, depths: np.ndarray, tilt: np.ndarray, convergence_mrad: float, vacuum: float
) -> Iterator[Entry]:
    """Entries of one mistilt (x, y) [mrad] at thicknesses `depths`, shape (thickness,) [nm]."""
    geometry = Geometry.field_of_view(PIXELS, FIELD * convergence_mrad)
    series = renderer.render_series(
        list(depths), convergence_mrad=convergence_mrad, mistilt_mrad=tilt, geometry=geometry, blur_mrad=BLUR_MRAD
    )
    if vacuum > 0:
        disk = renderer.render(
            thickness_nm=0.0, convergence_mrad=convergence_mrad, geometry=geometry, blur_mrad=BLUR_MRAD
        )
        series = (1 - vacuum) * series + vacuum * disk
    for depth, image in zip(depths, series, strict=True):
        outline = find_outline(image, dark=0.0)
        yield Entry(
            thickness_nm=float(depth),
            mistilt_mrad=tilt,
            center_mrad=(np.array(outline.center_px) - geometry.center_px) * geometry.pixel_mrad,
            radius_mrad=outline.radius_px * geometry.pixel_mrad,
            spectrum=angular_spectrum(polar_image(image, outline)),
        )


def mistilt_grid(largest_mrad: float, azimuth_range_deg: tuple[float, float]) -> np.ndarray:
    """Mistilt vectors that symmetry leaves distinct, evenly spread.

    Parameters
    ----------
    largest_mrad : float
        Magnitude of the outermost ring [mrad].
    azimuth_range_deg : tuple of float
        Wedge of azimuths that the crystal's symmetry leaves distinct [deg].

    Returns
    -------
    float array, shape (mistilt, 2)
        Vectors (x, y) in the crystal frame [mrad], the first of them zero.
    """
    low, high = np.deg2rad(azimuth_range_deg)
    tilts = [(0.0, 0.0)]
    rings = int(np.ceil(largest_mrad / MISTILT_STEP_MRAD - 1e-9))
    for size in np.linspace(0, largest_mrad, rings + 1)[1:]:
        count = max(1, round(size * (high - low) / MISTILT_STEP_MRAD))
        azimuths = low + (np.arange(count) + 0.5) * (high - low) / count
        tilts += [(size * np.cos(azimuth), size * np.sin(azimuth)) for azimuth in azimuths]
    return np.array(tilts)
