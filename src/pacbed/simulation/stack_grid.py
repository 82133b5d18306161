"""The parameter grid of a stack, worked out once for every engine that fills it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pacbed.simulation.geometry import Geometry, polar_to_vector
from pacbed.simulation.rocking_table import RockingTable


def tilt_grid(mistilt_mrad: Sequence[float], azimuth_deg: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Magnitude [mrad] and azimuth [deg] along the tilt axis, one entry for zero mistilt; two arrays (tilt,)."""
    pairs = [
        (float(mistilt), float(azimuth))
        for mistilt in mistilt_mrad
        for azimuth in (azimuth_deg if mistilt > 0 else [0.0])
    ]
    magnitude, azimuth = zip(*pairs, strict=True)
    return np.array(magnitude), np.array(azimuth)


def distinct_azimuths(table: RockingTable, step_deg: float) -> list[float]:
    """Azimuths over the range that the beam group makes distinct, at most `step_deg` apart [deg]."""
    low, high = table.azimuth_range_deg
    intervals = max(1, int(np.ceil((high - low) / step_deg - 1e-9)))
    count = intervals + 1 if table.has_mirror else intervals  # without mirrors the far end is an image of the near one
    return [round(low + (high - low) * index / intervals, 6) for index in range(count)]


@dataclass(frozen=True)
class StackGrid:
    """Labels of every thickness series, and the pixels of their patterns.

    Attributes
    ----------
    thickness_nm, convergence_mrad : tuple of float
        As asked for [nm, mrad].
    mistilt_mrad, azimuth_deg : numpy.ndarray, shape (tilt,)
        See `tilt_grid`.
    geometry : Geometry
        Square, centred pixels.
    """

    thickness_nm: tuple[float, ...]
    convergence_mrad: tuple[float, ...]
    mistilt_mrad: np.ndarray
    azimuth_deg: np.ndarray
    geometry: Geometry

    @classmethod
    def of(
        cls,
        table: RockingTable,
        *,
        thickness_nm: Sequence[float],
        convergence_mrad: Sequence[float],
        mistilt_mrad: Sequence[float],
        azimuth_deg: Sequence[float] | str,
        azimuth_step_deg: float,
        pixels: int,
        max_angle_mrad: float,
    ) -> StackGrid:
        """Spell out a system's grid; the arguments are those of `assemble_stack`."""
        azimuths = distinct_azimuths(table, azimuth_step_deg) if isinstance(azimuth_deg, str) else azimuth_deg
        return cls(
            tuple(map(float, thickness_nm)),
            tuple(map(float, convergence_mrad)),
            *tilt_grid(mistilt_mrad, azimuths),
            Geometry.field_of_view(pixels, max_angle_mrad),
        )

    @property
    def series(self) -> list[tuple[int, int]]:
        """Every thickness series by its place (convergence, tilt)."""
        return list(np.ndindex(len(self.convergence_mrad), len(self.mistilt_mrad)))

    def tilt_mrad(self, tilt: int) -> np.ndarray:
        """Mistilt (x, y) in the crystal frame [mrad]."""
        return polar_to_vector(float(self.mistilt_mrad[tilt]), float(self.azimuth_deg[tilt]))

    def facts(self) -> dict:
        """The grid as plain JSON values."""
        return {
            "thickness_nm": list(self.thickness_nm),
            "convergence_mrad": list(self.convergence_mrad),
            "mistilt_mrad": self.mistilt_mrad.tolist(),
            "azimuth_deg": self.azimuth_deg.tolist(),
            "pixels": self.geometry.shape[0],
            "pixel_mrad": self.geometry.pixel_mrad,
        }
