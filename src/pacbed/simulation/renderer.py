"""PACBED patterns from a rocking table, in milliseconds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from threading import Lock

import numpy as np
from scipy.ndimage import gaussian_filter

from pacbed.errors import bad_value
from pacbed.simulation.detector_grid import detector_box, pixel_weights
from pacbed.simulation.disk_runs import axis_tables
from pacbed.simulation.geometry import Geometry
from pacbed.simulation.node_sums import widen_sum
from pacbed.simulation.render_kernels import combine_planes, render_pattern
from pacbed.simulation.rocking_table import RockingTable
from pacbed.simulation.series_kernels import render_pattern_series
from pacbed.simulation.spline import STENCIL_REACH, bspline_weights, reach_mrad
from pacbed.simulation.thickness_components import ThicknessComponents
from pacbed.simulation.wedge import Wedge, row_starts

CACHED_THICKNESSES = 6
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
        self._lock = Lock()
        self._planes: OrderedDict[tuple[float, float], np.ndarray] = OrderedDict()
        self._reach = reach_mrad(table.pitch_mrad, STENCIL_REACH)
        wedge = Wedge.of(table.pitch_mrad, table.cone_mrad + self._reach, table.operations, table.beams)
        self._axes = tuple(axis_tables(wedge, table.operations, axis) for axis in (0, 1))
        starts = row_starts(table.rows, len(table.beams), wedge.reach)
        beams, steps = np.asarray(table.beams, dtype=np.int64), np.asarray(table.steps, dtype=np.int64)
        self._beam_index = starts, wedge.beam_image, beams, steps, wedge.reach
        self._index = starts, *self._axes[0][:4], wedge.beam_image, beams, steps
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
        edge = self._edge(geometry, edge_mrad)
        self._check(thickness_nm, convergence_mrad, mistilt_mrad, blur_mrad, edge)
        image = np.empty(geometry.shape, dtype=np.float32)
        place = self._place(convergence_mrad, edge, geometry, mistilt_mrad)
        # Thickness changes less often than anything else in a fit: rounding the radius up lets its values serve again.
        radius = min(self.table.cone_mrad, np.ceil(convergence_mrad + edge / 2 + np.hypot(*mistilt_mrad))) + self._reach
        values = self._plane(thickness_nm, radius + 1e-6)
        render_pattern(values, self._beam_index, self._axes, place, geometry.lines_mrad(), image)
        if blur_mrad > 0:
            image = gaussian_filter(image, blur_mrad / geometry.pixel_mrad, mode="nearest")
        if self._diffuse is not None:
            image += self._diffuse.render(
                thickness_nm=thickness_nm,
                convergence_mrad=convergence_mrad,
                geometry=geometry,
                mistilt_mrad=mistilt_mrad,
                blur_mrad=float(np.hypot(blur_mrad, self._spread_mrad)),
                edge_mrad=edge,
            )
        return image

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
        options = {"geometry": geometry, "mistilt_mrad": mistilt_mrad, "blur_mrad": blur_mrad, "edge_mrad": edge_mrad}
        if len(thicknesses_nm) < FEW_THICKNESSES:
            images = [self.render(thickness_nm=t, convergence_mrad=convergence_mrad, **options) for t in thicknesses_nm]
            return np.stack(images) if images else np.empty((0, *geometry.shape), dtype=np.float32)
        return next(self.render_nested_series(thicknesses_nm, [convergence_mrad], **options))

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
        """The series of ascending convergence angles one after the other, in little more time than the largest takes.

        Each is a view of shape (thickness, ny, nx) that the next one overwrites; else see `render_series`.
        """
        edge = self._edge(geometry, edge_mrad)
        for convergence in convergences_mrad:
            for thickness in thicknesses_nm:
                self._check(thickness, convergence, mistilt_mrad, blur_mrad, edge)
        if list(convergences_mrad) != sorted(convergences_mrad):
            raise bad_value("convergences_mrad", list(convergences_mrad), "ascending angles")
        return self._nested(thicknesses_nm, convergences_mrad, geometry, mistilt_mrad, blur_mrad, edge)

    def _nested(self, thicknesses_nm, convergences_mrad, geometry, mistilt_mrad, blur_mrad, edge):
        series = np.empty((len(thicknesses_nm), *geometry.shape), dtype=np.float32)
        components, lines = self._components, geometry.lines_mrad()
        parts = components.codes, components.offset, components.rank, components.scale
        mix, used = components.mix(*self._coefficients(np.asarray(thicknesses_nm, dtype=float)))
        tilt, inverse = np.asarray(mistilt_mrad, dtype=float), np.linalg.inv(self.table.pitch_mrad)
        box = detector_box(lines, geometry.shape, tilt, inverse)
        pixels = pixel_weights(lines, tilt, inverse, geometry.shape, box)
        # Allocated here because NumPy asks for large pages of memory, compiled code does not.
        total = np.zeros((box[1] - box[0], box[3] - box[2], mix.shape[1]), dtype=np.float32)
        held = np.zeros((len(total), len(self.table.beams), 2), dtype=np.int32)
        diffuse = self._diffuse and self._diffuse.render_nested_series(
            thicknesses_nm,
            convergences_mrad,
            geometry=geometry,
            mistilt_mrad=mistilt_mrad,
            blur_mrad=float(np.hypot(blur_mrad, self._spread_mrad)),
            edge_mrad=edge,
        )
        for convergence in convergences_mrad:
            place = self._place(convergence, edge, geometry, mistilt_mrad)
            widen_sum(parts, self._index, place, box, held, total)
            render_pattern_series(
                parts, mix * place[-1], used, self._index, place, lines, box, held, pixels, total, series
            )
            if blur_mrad > 0:
                sigma = blur_mrad / geometry.pixel_mrad
                gaussian_filter(series, (0, sigma, sigma), mode="nearest", output=series)
            if diffuse is not None:
                series += next(diffuse)
            yield series

    def _edge(self, geometry: Geometry, edge_mrad: float | None) -> float:
        # The aperture is exact at any pitch; a pixel sees the mean over its own width.
        return geometry.pixel_mrad if edge_mrad is None else float(edge_mrad)

    def _check(self, thickness_nm, convergence_mrad, mistilt_mrad, blur_mrad, edge) -> None:
        deepest = self.table.thickness_max_nm
        if not 0 <= thickness_nm <= deepest + 1e-9:
            raise bad_value("thickness_nm", thickness_nm, f"0 to {deepest:.2f} nm")
        if not (convergence_mrad > 0 and blur_mrad >= 0 and edge >= 0):
            got = (convergence_mrad, blur_mrad, edge)
            raise bad_value("convergence_mrad, blur_mrad, edge_mrad", got, "a positive angle, and two not negative")
        limit = self.mistilt_max_mrad(convergence_mrad, edge)
        size = float(np.hypot(*mistilt_mrad))
        if not size <= limit + 1e-9:
            accepted = f"a mistilt up to {limit:.2f} mrad with a convergence angle of {convergence_mrad:g} mrad"
            raise bad_value("mistilt_mrad", tuple(float(value) for value in mistilt_mrad), accepted)

    def _plane(self, thickness_nm: float, radius_mrad: float) -> np.ndarray:
        """Spline coefficients over the directions at one thickness, up to a radius; shape (pair,)."""
        key = (float(thickness_nm), float(radius_mrad))
        with self._lock:
            if key in self._planes:
                self._planes.move_to_end(key)
                return self._planes[key]
        first, weights = self._coefficients(np.array([thickness_nm]))
        table = self.table
        plane = combine_planes(table.codes, first[0], weights[0], table.rows, table.pitch_mrad, radius_mrad)
        with self._lock:
            self._planes[key] = plane
            while len(self._planes) > CACHED_THICKNESSES:
                self._planes.popitem(last=False)
        return plane

    def _place(self, convergence_mrad: float, edge: float, geometry: Geometry, mistilt_mrad) -> tuple:
        """What the compiled loops must know of a pattern, see `render_pattern`."""
        table = self.table
        return (
            np.asarray(mistilt_mrad, dtype=float),
            table.pitch_mrad,
            np.linalg.inv(table.pitch_mrad),
            table.beams @ table.reciprocal_mrad,
            float(table.field_mrad),
            self._reach,
            float(convergence_mrad),
            float(edge),
            geometry.pixel_mrad**2 / (np.pi * convergence_mrad**2),
        )

    @cached_property
    def _components(self) -> ThicknessComponents:
        """The table as series read it; made when first needed."""
        return ThicknessComponents.of(self.table)

    def _coefficients(self, thicknesses_nm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First of the four coefficients that each thickness combines, and their weights, (thickness,) and (.., 4)."""
        position = thicknesses_nm / self.table.plane_spacing_nm
        below = np.floor(position).astype(np.int64)
        below = np.clip(below, self.table.first_plane + 1, self.table.first_plane + len(self.table.codes) - 3)
        return below - 1 - self.table.first_plane, bspline_weights(position - below).astype(np.float32)
