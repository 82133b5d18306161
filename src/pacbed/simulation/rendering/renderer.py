"""PACBED patterns from a rocking table, in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from threading import Lock

import numpy as np

from pacbed.errors import bad_value
from pacbed.patterns import Geometry, in_units
from pacbed.simulation.rendering.kernels.disks import axis_tables
from pacbed.simulation.rendering.kernels.pattern import render_pattern
from pacbed.simulation.rendering.memory import SpareMemory
from pacbed.simulation.rendering.series import SeriesRenderer
from pacbed.simulation.rendering.thickness_components import ThicknessComponents
from pacbed.simulation.rendering.thickness_planes import ThicknessPlanes, planes_around
from pacbed.simulation.rendering.view import View
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.spline import STENCIL_REACH, reach_mrad
from pacbed.simulation.table.wedge import Wedge, row_starts

FEW_THICKNESSES = 8  # are rendered one by one


class Renderer:
    """Renders patterns of any thickness, convergence angle, mistilt and geometry that a table covers.

    Parameters
    ----------
    table : RockingTable
        The table is shared, not copied. Rendering from several threads is safe and runs in parallel. A table of frozen
        phonons gives patterns with their diffuse part; `table.elastic` gives them without.
    """

    def __init__(self, table: RockingTable) -> None:
        self.table = table
        self._lock, self._memory = Lock(), SpareMemory()
        self._made: ThicknessComponents | None = None
        self._reach = reach_mrad(table.pitch_mrad, STENCIL_REACH)
        self._planes = ThicknessPlanes(table, self._reach)
        wedge = Wedge.of(table.pitch_mrad, table.cone_mrad + self._reach, table.operations, table.beams)
        self._axes = tuple(axis_tables(wedge, table.operations, axis) for axis in (0, 1))
        starts = row_starts(table.rows, len(table.beams), wedge.reach)
        self._inverse, self._angles = np.linalg.inv(table.pitch_mrad), table.beams_mrad
        beams, steps = np.asarray(table.beams, dtype=np.int64), np.asarray(table.steps, dtype=np.int64)
        self._beam_index = starts, wedge.beam_image, beams, steps, wedge.reach
        swapped = np.ascontiguousarray(beams[:, ::-1]), np.ascontiguousarray(steps[::-1])
        self._indices = (
            (starts, *self._axes[0][:4], wedge.beam_image, beams, steps),
            (starts, *self._axes[1][:4], wedge.beam_image, *swapped),
        )
        # ASSUME: diffuse scattering varies little over one cell of reciprocal space: the table holds the sum over the
        # cell around q + G, and a Gaussian of the cell's second moment spreads it.
        self._spread_mrad = float(np.sqrt(np.sum(table.reciprocal_mrad**2) / 24))
        self._diffuse = None
        if table.diffuse is not None:
            self._diffuse = Renderer(replace(table, codes=table.diffuse, diffuse=None))

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
        return self._image(float(thickness_nm), float(convergence_mrad), view)

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
        """Patterns of several thicknesses, all else equal; shape (thickness, ny, nx), see `render`."""
        view = self._view(geometry, mistilt_mrad, blur_mrad, edge_mrad)
        self._check(thicknesses_nm, [convergence_mrad], view)
        if len(thicknesses_nm) >= FEW_THICKNESSES:
            return self._series(np.asarray(thicknesses_nm, dtype=float), float(convergence_mrad), view)
        series = np.empty((len(thicknesses_nm), *geometry.shape), dtype=np.float32)
        for image, thickness in zip(series, thicknesses_nm, strict=True):
            image[:] = self._image(float(thickness), float(convergence_mrad), view)
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
        unit: float | None = None,
    ) -> Iterator[np.ndarray]:
        """The series of ascending convergence angles one after the other, in a fraction of the time of each alone.

        Parameters
        ----------
        unit : float, optional
            Fraction of the beam that an integer stands for.

        Yields
        ------
        ndarray, shape (ny, nx, thickness)
            float32; with a `unit` uint16, rounded and clipped to what that holds. The next one overwrites it. Else see
            `render_series`.
        """
        view = self._view(geometry, mistilt_mrad, blur_mrad, edge_mrad)
        self._check(thicknesses_nm, convergences_mrad, view)
        if len(convergences_mrad) == 0 or list(convergences_mrad) != sorted(convergences_mrad):
            raise bad_value("convergences_mrad", list(convergences_mrad), "one angle or more, ascending")
        return self._nested(np.asarray(thicknesses_nm, dtype=float), list(map(float, convergences_mrad)), view, unit)

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

    def _image(self, thickness_nm: float, convergence_mrad: float, view: View) -> np.ndarray:
        """One pattern."""
        image = np.empty(view.geometry.shape, dtype=np.float32)
        place = self._place(convergence_mrad, view)
        radius = convergence_mrad + view.edge_mrad / 2 + np.hypot(*view.mistilt_mrad)
        with self._planes.at(thickness_nm, radius, view.geometry, view.mistilt_mrad) as values:
            render_pattern(values, self._beam_index, self._axes, place, view.geometry.lines_mrad(), image)
        view.blur(image)
        if self._diffuse is not None:
            image += self._diffuse._image(thickness_nm, convergence_mrad, view.blurred(self._spread_mrad))
        return image

    def _series(self, thicknesses_nm: np.ndarray, convergence_mrad: float, view: View) -> np.ndarray:
        """Series of one convergence angle, (thickness, ny, nx)."""
        place, components = self._place(convergence_mrad, view), self._components()
        series = np.empty((len(thicknesses_nm), *view.geometry.shape), dtype=np.float32)
        mix, used = components.mix(*planes_around(self.table, thicknesses_nm))
        self._sums(place, view).single(place, mix, used, series)
        view.blur(series)
        if self._diffuse is not None:
            series += self._diffuse._series(thicknesses_nm, convergence_mrad, view.blurred(self._spread_mrad))
        return series

    def _nested(
        self, thicknesses_nm: np.ndarray, convergences_mrad: Sequence[float], view: View, unit: float | None
    ) -> Iterator[np.ndarray]:
        """Series of ascending convergence angles, each (ny, nx, thickness)."""
        if self._diffuse is not None or view.blur_mrad > 0:
            yield from self._one_by_one(thicknesses_nm, convergences_mrad, view, unit)
            return
        places = [self._place(convergence, view) for convergence in convergences_mrad]
        mix, _ = self._components().mix(*planes_around(self.table, thicknesses_nm))
        kind = np.float32 if unit is None else np.uint16
        mix = mix[: len(thicknesses_nm)]
        for series in self._sums(places[0], view).nested(places, mix, kind, unit or 1.0, self._memory):
            yield series[..., : len(thicknesses_nm)]

    def _one_by_one(
        self, thicknesses_nm: np.ndarray, convergences_mrad: Sequence[float], view: View, unit: float | None
    ) -> Iterator[np.ndarray]:
        """`_nested` from series of one angle each."""
        for convergence in convergences_mrad:
            series = np.moveaxis(self._series(thicknesses_nm, convergence, view), 0, -1)
            yield np.ascontiguousarray(series if unit is None else in_units(series, unit))

    def _sums(self, place: tuple, view: View) -> SeriesRenderer:
        return SeriesRenderer(self._components(), self._indices, place, view.geometry, self.table.exact_group)

    def _place(self, convergence_mrad: float, view: View) -> tuple:
        """What the compiled loops must know of a pattern, see `render_pattern`."""
        table = self.table
        return (
            view.mistilt_mrad,
            table.pitch_mrad,
            self._inverse,
            self._angles,
            float(table.field_mrad),
            self._reach,
            convergence_mrad,
            view.edge_mrad,
            view.geometry.pixel_mrad**2 / (np.pi * convergence_mrad**2),
        )

    def _components(self) -> ThicknessComponents:
        """The table as series read it; made when first needed, by one thread while the others wait."""
        with self._lock:
            if self._made is None:
                self._made = ThicknessComponents.of(self.table)
            return self._made
