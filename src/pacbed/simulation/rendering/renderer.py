"""PACBED patterns from a rocking table, in milliseconds.

The position average of the patterns of a focused probe is the incoherent sum over the plane waves in its aperture
(J. M. LeBeau, S. D. Findlay, L. J. Allen and S. Stemmer, Ultramicroscopy 110, 118 (2010)). With a thickness t, a
mistilt tau and a convergence semi-angle alpha, the fraction of the beam per solid angle that is scattered into k is

    P(k) = 1 / (pi alpha^2)  sum_G  A(|k - G|) I_t(G, k - G + tau)

over the beams G: A is the aperture, 1 up to alpha, and I_t(G, q) = |S(q + G, q)|^2 the intensity that a plane wave
along q scatters into q + G, which the rocking table holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pacbed.errors import bad_value
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.levels import LevelPatterns
from pacbed.simulation.rendering.pattern_renderer import PatternRenderer
from pacbed.simulation.rendering.table_patterns import table_patterns
from pacbed.simulation.rendering.view import View
from pacbed.simulation.table.rocking_table import RockingTable

FEW_THICKNESSES = 8  # are rendered one by one


class Renderer:
    """Renders patterns of any thickness, convergence angle, mistilt and geometry that a table covers.

    Parameters
    ----------
    table : RockingTable
        Says what is covered. Shared, not copied: rendering from several threads is safe and runs in parallel. A table
        of frozen phonons gives patterns with their diffuse part; `table.elastic` gives them without.
    patterns : PatternRenderer, optional
        What renders; by default the table does.
    """

    def __init__(self, table: RockingTable, patterns: PatternRenderer | None = None) -> None:
        self.table = table
        self._patterns = table_patterns(table) if patterns is None else patterns

    @classmethod
    def of_levels(cls, levels: Sequence[RockingTable]) -> Renderer:
        """Renders from several tables, each of a range of thickness.

        Parameters
        ----------
        levels : sequence of RockingTable
            From the entrance surface down. The last and finest stands for all as `table`: its pitch is the narrowest,
            its cone and field are those of all, and it reaches deepest.
        """
        ends_nm = [level.thickness_max_nm for level in levels[:-1]]
        return cls(levels[-1], LevelPatterns([table_patterns(level) for level in levels], ends_nm))

    @property
    def field_mrad(self) -> float:
        """Largest scattering angle |k + tau| in the table; pixels beyond it render as zero [mrad]."""
        return self.table.field_mrad

    def mistilt_max_mrad(self, convergence_mrad: float, edge_mrad: float = 0.0) -> float:
        """Largest mistilt that the table covers at a convergence angle [mrad]."""
        return self.table.cone_mrad - convergence_mrad - edge_mrad / 2

    def render(
        self,
        *,
        thickness_nm: float,
        convergence_mrad: float,
        geometry: Geometry,
        mistilt_mrad: Sequence[float] | np.ndarray = (0.0, 0.0),
        blur_mrad: float = 0.0,
        edge_mrad: float | None = None,
    ) -> np.ndarray:
        """One pattern.

        Parameters
        ----------
        thickness_nm : float
            Crystalline thickness along the beam [nm].
        convergence_mrad : float
            Convergence semi-angle [mrad].
        geometry : Geometry
            Pixels of the image.
        mistilt_mrad : sequence of two float
            Shift of the incident directions (x, y) in the crystal frame [mrad].
        blur_mrad : float
            Standard deviation of a Gaussian blur [mrad].
        edge_mrad : float, optional
            Width of the aperture edge [mrad]; by default the pixel, 0 is a hard edge.

        Returns
        -------
        ndarray of float32, shape (ny, nx)
            Fraction of the beam per pixel. Scattering beyond `field_mrad` is zero.

        Raises
        ------
        ParameterError
            A value lies outside the table.
        """
        view = self._view(geometry, mistilt_mrad, blur_mrad, edge_mrad)
        self._check([thickness_nm], [convergence_mrad], view)
        return self._patterns.pattern(float(thickness_nm), float(convergence_mrad), view)

    def render_series(
        self,
        thicknesses_nm: Sequence[float],
        *,
        convergence_mrad: float,
        geometry: Geometry,
        mistilt_mrad: Sequence[float] | np.ndarray = (0.0, 0.0),
        blur_mrad: float = 0.0,
        edge_mrad: float | None = None,
    ) -> np.ndarray:
        """Patterns of several thicknesses, all else equal.

        Parameters
        ----------
        thicknesses_nm : sequence of float
            Crystalline thicknesses along the beam, in any order [nm].
        convergence_mrad, geometry, mistilt_mrad, blur_mrad, edge_mrad
            As for `render`.

        Returns
        -------
        ndarray of float32, shape (thickness, ny, nx)
            Fraction of the beam per pixel.

        Raises
        ------
        ParameterError
            A value lies outside the table.
        """
        view = self._view(geometry, mistilt_mrad, blur_mrad, edge_mrad)
        self._check(thicknesses_nm, [convergence_mrad], view)
        if len(thicknesses_nm) >= FEW_THICKNESSES:
            return next(self._patterns.series(np.asarray(thicknesses_nm, dtype=float), [float(convergence_mrad)], view))
        series = np.empty((len(thicknesses_nm), *geometry.shape), dtype=np.float32)
        for image, thickness in zip(series, thicknesses_nm, strict=True):
            image[:] = self._patterns.pattern(float(thickness), float(convergence_mrad), view)
        return series

    def render_nested_series(
        self,
        thicknesses_nm: Sequence[float],
        convergences_mrad: Sequence[float],
        *,
        geometry: Geometry,
        mistilt_mrad: Sequence[float] | np.ndarray = (0.0, 0.0),
        blur_mrad: float = 0.0,
        edge_mrad: float | None = None,
    ) -> Iterator[np.ndarray]:
        """The series of ascending convergence angles one after the other, each in less time than alone.

        Parameters
        ----------
        thicknesses_nm, convergences_mrad : sequence of float
            Crystalline thicknesses [nm], and convergence semi-angles, ascending [mrad].
        geometry, mistilt_mrad, blur_mrad, edge_mrad
            As for `render`.

        Yields
        ------
        ndarray of float32, shape (thickness, ny, nx)
            Fraction of the beam per pixel, for one convergence angle.

        Raises
        ------
        ParameterError
            A value lies outside the table, or the angles do not ascend.
        """
        view = self._view(geometry, mistilt_mrad, blur_mrad, edge_mrad)
        self._check(thicknesses_nm, convergences_mrad, view)
        if len(convergences_mrad) == 0 or list(convergences_mrad) != sorted(convergences_mrad):
            raise bad_value("convergences_mrad", list(convergences_mrad), "one angle or more, ascending")
        angles = list(map(float, convergences_mrad))
        return self._patterns.series(np.asarray(thicknesses_nm, dtype=float), angles, view)

    def _view(self, geometry: Geometry, mistilt_mrad, blur_mrad: float, edge_mrad: float | None) -> View:
        # The aperture is exact at any pitch; a pixel sees the mean over its own width.
        edge = geometry.pixel_mrad if edge_mrad is None else float(edge_mrad)
        return View(geometry, np.asarray(mistilt_mrad, dtype=float), float(blur_mrad), edge)

    def _check(self, thicknesses_nm: Sequence[float], convergences_mrad: Sequence[float], view: View) -> None:
        deepest = self.table.thickness_max_nm
        for thickness in thicknesses_nm:
            if not 0 <= thickness <= deepest + 1e-9:
                raise bad_value("thickness_nm", thickness, f"0 to {deepest:.2f} nm")
        for convergence in convergences_mrad:
            if not (convergence > 0 and view.blur_mrad >= 0 and view.edge_mrad >= 0):
                got = (convergence, view.blur_mrad, view.edge_mrad)
                raise bad_value("convergence_mrad, blur_mrad, edge_mrad", got, "a positive angle, and two not negative")
            limit = self.mistilt_max_mrad(convergence, view.edge_mrad)
            if not np.hypot(*view.mistilt_mrad) <= limit + 1e-9:
                accepted = f"up to {limit:.2f} mrad with a convergence angle of {convergence:g} mrad"
                raise bad_value("mistilt_mrad", tuple(view.mistilt_mrad.tolist()), accepted)
