"""One pattern of a bundle's crystal, as nobody recorded it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pacbed.analysis.steps import opened
from pacbed.bundle.reader import Bundle
from pacbed.errors import bad_value
from pacbed.patterns import Geometry, polar_to_vector

LARGEST_PIXELS = 4096


def render(
    bundle: Bundle | str | Path,
    *,
    thickness_nm: float,
    convergence_mrad: float,
    mistilt_mrad: float = 0.0,
    azimuth_deg: float = 0.0,
    pixels: int | None = None,
    max_angle_mrad: float | None = None,
) -> np.ndarray:
    """Render one pattern of a bundle's crystal.

    Parameters
    ----------
    bundle : Bundle or path
        From `load_bundle`.
    thickness_nm : float
        Crystalline thickness along the beam [nm].
    convergence_mrad : float
        Semi-convergence angle [mrad].
    mistilt_mrad : float
        Angle between beam and zone axis [mrad].
    azimuth_deg : float
        Direction of the mistilt, from the crystal's +x towards +y [deg].
    pixels : int, optional
        Edge of the image; by default the stack's.
    max_angle_mrad : float, optional
        Half width of the field of view; by default the stack's.

    Returns
    -------
    float32 array, shape (y, x) of `pixels` each
        Fraction of the beam per pixel.

    Raises
    ------
    ParameterError
        A value lies outside what the bundle can render.
    """
    bundle = opened(bundle)
    side = bundle.meta.stack_pixels if pixels is None else pixels
    half = bundle.meta.max_angle_mrad if max_angle_mrad is None else max_angle_mrad
    if not 1 <= side <= LARGEST_PIXELS:
        raise bad_value("pixels", side, f"1 to {LARGEST_PIXELS}")
    if not 0 < half <= bundle.renderer.field_mrad:
        raise bad_value(
            "max_angle_mrad", half, f"above 0, up to {bundle.renderer.field_mrad:.1f} [mrad] for this bundle"
        )
    return bundle.renderer.render(
        thickness_nm=thickness_nm,
        convergence_mrad=convergence_mrad,
        mistilt_mrad=tuple(polar_to_vector(mistilt_mrad, azimuth_deg)),
        geometry=Geometry.field_of_view(side, half),
    )
