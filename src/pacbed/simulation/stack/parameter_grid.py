"""The parameter grid of a stack, worked out once for every engine that fills it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from pacbed.patterns import Geometry, polar_to_vector
from pacbed.simulation.table.rocking_table import RockingTable


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
class ParameterGrid:
    """Parameter grid and pixels of a stack as a system's configuration asks for them.

    Attributes
    ----------
    thickness_nm, convergence_mrad, mistilt_mrad : sequence of float
        Values along each axis [nm, mrad, mrad].
    azimuth_deg : sequence of float or "auto"
        Azimuths of the mistilt [deg]; "auto" covers the range that symmetry leaves distinct.
    azimuth_step_deg : float
        Largest step of the automatic azimuths [deg].
    pixels : int
        Rows and columns of a pattern.
    max_angle_mrad : float
        Half width of the field of view [mrad].
    """

    thickness_nm: Sequence[float]
    convergence_mrad: Sequence[float]
    mistilt_mrad: Sequence[float]
    azimuth_deg: Sequence[float] | str
    azimuth_step_deg: float
    pixels: int
    max_angle_mrad: float

    @classmethod
    def split_off(cls, settings: Mapping[str, Any]) -> tuple[ParameterGrid, dict[str, Any]]:
        """The grid among the settings of a rule, and the settings that are left."""
        names = [field.name for field in fields(cls)]
        grid = cls(**{name: settings[name] for name in names})
        return grid, {name: value for name, value in settings.items() if name not in names}


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
    def of(cls, table: RockingTable, asked: ParameterGrid) -> StackGrid:
        """Spell out a system's grid; the table's symmetry fixes automatic azimuths."""
        azimuths = asked.azimuth_deg
        if isinstance(azimuths, str):
            azimuths = distinct_azimuths(table, asked.azimuth_step_deg)
        return cls(
            tuple(map(float, asked.thickness_nm)),
            tuple(map(float, asked.convergence_mrad)),
            *tilt_grid(asked.mistilt_mrad, azimuths),
            Geometry.field_of_view(asked.pixels, asked.max_angle_mrad),
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
