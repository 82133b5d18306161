"""Finds the basins in which a refinement may start: every thickness, mistilt and rotation against one pattern at once.

Patterns are compared in the frame of their own bright region (`find_outline`), which takes out centre and pixel size,
and in polar coordinates, in which a rotation is a shift that Fourier transforms try all at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from pacbed.analysis.fit.forward import Parameters, differ
from pacbed.analysis.recording.outline import Outline, find_outline
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.background import BACKGROUND_WIDTHS
from pacbed.simulation.rendering.renderer import Renderer

RADII = np.linspace(0.04, 1.4, 20)  # in units of the bright region's radius
ANGLES = 120
FIELD = 1.6  # half width of the rendered patterns in units of the convergence angle
PIXELS = 56
BLUR_MRAD = 0.5  # of the rendered patterns, about what detector and smoothing do to a recorded one
IMAGE_SMOOTHING = 0.03  # of a recorded pattern, in units of the bright region's radius
MISTILT_STEP_MRAD = 0.9
THICKNESS_STEP_NM = 2.0
DISTINCT_NM = 3.0
DISTINCT_MRAD = 1.2


@dataclass(frozen=True)
class Library:
    """Rendered patterns in the polar frame of their bright regions.

    Attributes
    ----------
    thickness_nm : float array, shape (entry,)
    mistilt_mrad : float array, shape (entry, 2)
        Crystal frame [mrad].
    center_mrad : float array, shape (entry, 2)
        Centre of the bright region relative to the optic axis, crystal frame [mrad].
    radius_mrad : float array, shape (entry,)
        Radius of the bright region [mrad].
    spectrum : complex array, shape (entry, radius, frequency)
        Fourier transform over the polar angle, background shapes projected out, unit norm.
    convergence_mrad : float
        Convergence angle of all entries [mrad].
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


@dataclass(frozen=True)
class Start:
    """A place to start from, and how well it matches there (0 perfect, 1 not at all)."""

    parameters: Parameters
    mismatch: float


def build_library(
    renderer: Renderer, *, convergence_mrad: float, thickness_nm: tuple[float, float], mistilt_max_mrad: float
) -> Library:
    """Render the library of one convergence angle.

    Parameters
    ----------
    renderer : Renderer
        Renders the crystal's patterns.
    convergence_mrad : float
        Convergence semi-angle [mrad].
    thickness_nm : tuple of float
        Thinnest and thickest entry [nm].
    mistilt_max_mrad : float
        Largest mistilt [mrad].
    """
    table = renderer.table
    depths = np.linspace(*thickness_nm, max(2, int(np.ceil(np.ptp(thickness_nm) / THICKNESS_STEP_NM)) + 1))
    tilts = mistilt_grid(mistilt_max_mrad, table.azimuth_range_deg)
    geometry = Geometry.field_of_view(PIXELS, FIELD * convergence_mrad)
    found, spectra = [], []
    for tilt in tilts:
        series = renderer.render_series(
            list(depths), convergence_mrad=convergence_mrad, mistilt_mrad=tilt, geometry=geometry, blur_mrad=BLUR_MRAD
        )
        for depth, image in zip(depths, series, strict=True):
            outline = find_outline(image, dark=0.0)
            center = (np.array(outline.center_px) - geometry.center_px) * geometry.pixel_mrad
            found.append([depth, *tilt, *center, outline.radius_px * geometry.pixel_mrad])
            spectra.append(_spectrum(_polar(image, outline.center_px, outline.radius_px)))
    columns = np.array(found)
    mirrors = table.group[np.linalg.det(table.group) < 0]
    return Library(
        thickness_nm=columns[:, 0],
        mistilt_mrad=columns[:, 1:3],
        center_mrad=columns[:, 3:5],
        radius_mrad=columns[:, 5],
        spectrum=np.stack(spectra),
        convergence_mrad=convergence_mrad,
        mirror=mirrors[0] if len(mirrors) else None,
    )


def mistilt_grid(largest_mrad: float, azimuth_range_deg: tuple[float, float]) -> np.ndarray:
    """Mistilt vectors that symmetry leaves distinct, evenly spread; shape (n, 2) [mrad]."""
    low, high = np.deg2rad(azimuth_range_deg)
    tilts = [(0.0, 0.0)]
    rings = int(np.ceil(largest_mrad / MISTILT_STEP_MRAD - 1e-9))
    for size in np.linspace(0, largest_mrad, rings + 1)[1:]:
        count = max(1, round(size * (high - low) / MISTILT_STEP_MRAD))
        azimuths = low + (np.arange(count) + 0.5) * (high - low) / count
        tilts += [(size * np.cos(azimuth), size * np.sin(azimuth)) for azimuth in azimuths]
    return np.array(tilts)


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
    polar = _polar(smooth, outline.center_px, outline.radius_px)
    if mirrored:
        polar = polar[:, -np.arange(ANGLES) % ANGLES]
    spectrum = _spectrum(polar)
    found = []
    for reflected in (False, True) if library.mirror is not None else (False,):
        entries = library.spectrum.conj() if reflected else library.spectrum
        for index, (score, turn) in enumerate(_best_turns(spectrum, entries)):
            at = _parameters(outline, library, index, turn, reflected=reflected, mirrored=mirrored)
            found.append(Start(at, float(np.sqrt(max(0.0, 1 - max(0.0, score) ** 2)))))
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
        if all(differ(one.parameters, other.parameters, nm=DISTINCT_NM, mrad=DISTINCT_MRAD) for other in starts):
            starts.append(one)
    for wanted in thickness_nm:
        if all(abs(wanted - start.parameters.thickness_nm) > DISTINCT_NM for start in starts):
            near = [one for one in matches if abs(one.parameters.thickness_nm - wanted) <= THICKNESS_STEP_NM]
            starts += near[:1]
    return starts


def _best_turns(image: np.ndarray, entries: np.ndarray) -> list[tuple[float, float]]:
    """Best correlation of each entry with the image, and its rotation [deg]."""
    product = np.einsum("rf,erf->ef", image, entries.conj())
    correlation = np.fft.irfft(product, ANGLES, axis=1) * ANGLES
    best = np.argmax(correlation, axis=1)
    values = correlation[np.arange(len(best)), best]
    return [(float(value), float(index) * 360 / ANGLES) for value, index in zip(values, best, strict=True)]


def _parameters(
    outline: Outline, library: Library, index: int, turn_deg: float, *, reflected: bool, mirrored: bool
) -> Parameters:
    tilt, center = library.mistilt_mrad[index], library.center_mrad[index]
    if reflected and library.mirror is not None:
        # The entry was reflected in the x axis; the crystal's own mirror line is a rotation by twice its azimuth away.
        turn_deg -= np.rad2deg(np.arctan2(library.mirror[1, 0], library.mirror[0, 0]))
        tilt, center = library.mirror @ tilt, library.mirror @ center
    rotation = -turn_deg if mirrored else turn_deg
    pixel = float(library.radius_mrad[index] / outline.radius_px)
    frame = Geometry((1, 1), pixel, (0.0, 0.0), rotation, mirrored)
    shift = frame.to_image(center) / pixel
    return Parameters(
        thickness_nm=float(library.thickness_nm[index]),
        mistilt_mrad=(float(tilt[0]), float(tilt[1])),
        center_px=(float(outline.center_px[0] - shift[0]), float(outline.center_px[1] - shift[1])),
        pixel_mrad=pixel,
        rotation_deg=float((rotation + 180) % 360 - 180),
        convergence_mrad=library.convergence_mrad,
        blur_mrad=0.4,
    )


def _polar(image: np.ndarray, center_px: tuple[float, float], radius_px: float) -> np.ndarray:
    """The image on rings around a centre, shape (radius, angle)."""
    angle = np.arange(ANGLES) * 2 * np.pi / ANGLES
    rows = center_px[1] + radius_px * np.outer(RADII, np.sin(angle))
    columns = center_px[0] + radius_px * np.outer(RADII, np.cos(angle))
    return np.asarray(ndimage.map_coordinates(image, [rows, columns], order=1, mode="nearest"))


def _spectrum(polar: np.ndarray) -> np.ndarray:
    """Fourier transform over the angle, weighted by area, background shapes projected out, unit norm."""
    weight = np.sqrt(RADII)
    spectrum = np.fft.rfft(polar, axis=1) * weight[:, None] / np.sqrt(ANGLES)
    shapes = np.stack([weight, *(weight * np.exp(-0.5 * (RADII / width) ** 2) for width in BACKGROUND_WIDTHS)], axis=1)
    basis, _ = np.linalg.qr(shapes)
    spectrum[:, 0] -= basis @ (basis.T @ spectrum[:, 0])
    twice = np.where(
        np.arange(spectrum.shape[1]) % (ANGLES // 2) == 0, 1.0, 2.0
    )  # frequencies stand for their mirror image
    norm = np.sqrt(np.sum(twice * np.abs(spectrum) ** 2))
    return np.asarray((spectrum / max(norm, 1e-30)).astype(np.complex64))
