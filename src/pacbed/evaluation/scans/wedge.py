"""A rendered 4D data set of known truth: a bent wedge with a step, a hole, and a grain of another crystal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pacbed.analysis.fit.parameters import PatternParameters, render_pattern
from pacbed.simulation.rendering.renderer import Renderer

CRYSTAL, HOLE, GRAIN = 0, 1, 2  # what a position shows


@dataclass(frozen=True)
class WedgeSettings:
    """The scan.

    Attributes
    ----------
    shape : tuple of int
        Scan positions (y, x).
    pixels : int
        Edge of a pattern.
    convergence_mrad, pixel_mrad, rotation_deg, blur_mrad : float
        Of every pattern [mrad, deg].
    thickness_nm : tuple of float
        At the left and at the right end [nm].
    step_nm : float
        By how much the lower half is thicker [nm].
    bend_mrad : float
        Largest mistilt of the bent foil [mrad].
    descan_px : float
        By how much the disk wanders over the scan [pixels].
    electrons : float
        In each pattern.
    seed : int
    """

    shape: tuple[int, int] = (20, 20)
    pixels: int = 128
    convergence_mrad: float = 16.0
    pixel_mrad: float = 0.4
    rotation_deg: float = 17.0
    blur_mrad: float = 0.3
    thickness_nm: tuple[float, float] = (12.0, 45.0)
    step_nm: float = 8.0
    bend_mrad: float = 2.5
    descan_px: float = 4.0
    electrons: float = 1e6
    seed: int = 1


@dataclass(frozen=True)
class Wedge:
    """A scan and its truth.

    Attributes
    ----------
    patterns : uint16 array, shape (scan y, scan x, y, x)
        Counts.
    kind : uint8 array, shape (scan y, scan x)
        `CRYSTAL`, `HOLE` or `GRAIN`.
    thickness_nm : float array, shape (scan y, scan x)
        Not a number where there is no crystal [nm].
    mistilt_mrad : float array, shape (scan y, scan x, 2)
        In the frame of the patterns, x to the right, y down [mrad].
    center_px : float array, shape (scan y, scan x, 2)
        Column and row of the optic axis.
    """

    patterns: np.ndarray
    kind: np.ndarray
    thickness_nm: np.ndarray
    mistilt_mrad: np.ndarray
    center_px: np.ndarray


def make_wedge(renderer: Renderer, grain: Renderer | None, settings: WedgeSettings) -> Wedge:
    """Render a scan over a wedge that grows thicker to the right, with a step halfway down.

    Parameters
    ----------
    renderer : Renderer
        Of the crystal.
    grain : Renderer or None
        Of the other crystal, which fills the lower left corner.
    settings : WedgeSettings
    """
    rng = np.random.default_rng(settings.seed)
    v, u = (
        along.astype(float) for along in np.meshgrid(*(np.linspace(0, 1, n) for n in settings.shape), indexing="ij")
    )
    thin, thick = settings.thickness_nm
    thickness = thin + (thick - thin) * u + np.where(v > 0.5, settings.step_nm, 0.0)
    tilt = settings.bend_mrad * np.stack([np.cos(np.pi * u), 0.7 * np.sin(np.pi * (u + v))], axis=-1)
    middle = (settings.pixels - 1) / 2
    center = middle + settings.descan_px * np.stack([u - 0.5, 0.5 - v], axis=-1)
    kind = np.where(np.hypot(u - 0.68, v - 0.25) < 0.15, HOLE, CRYSTAL).astype(np.uint8)
    if grain is not None:
        kind[(u < 0.22) & (v > 0.72)] = GRAIN
    patterns = np.zeros((*settings.shape, settings.pixels, settings.pixels), np.uint16)
    for place in np.ndindex(settings.shape):
        at = PatternParameters(
            thickness_nm=0.0 if kind[place] == HOLE else float(thickness[place]),
            mistilt_mrad=(0.0, 0.0),
            center_px=(float(center[place][0]), float(center[place][1])),
            pixel_mrad=settings.pixel_mrad,
            rotation_deg=settings.rotation_deg,
            convergence_mrad=settings.convergence_mrad,
            blur_mrad=settings.blur_mrad,
        )
        geometry = at.geometry((settings.pixels, settings.pixels))
        x, y = geometry.to_crystal(tilt[place])
        at = at.moved([0, x, y, *np.zeros(8)])
        source = grain if kind[place] == GRAIN and grain is not None else renderer
        image = render_pattern(source, at, geometry)
        patterns[place] = rng.poisson(settings.electrons * np.maximum(image, 0)).astype(np.uint16)
    crystal = kind == CRYSTAL
    return Wedge(
        patterns,
        kind,
        np.where(crystal, thickness, np.nan),
        np.where(crystal[..., None], tilt, np.nan),
        center,
    )
