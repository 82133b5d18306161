"""PACBED patterns from a rocking table, in milliseconds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

import numpy as np
from scipy.ndimage import gaussian_filter

from pacbed.errors import bad_value
from pacbed.simulation.directions import MARGIN_NODES, cone_nodes, representatives
from pacbed.simulation.geometry import Geometry
from pacbed.simulation.render_kernels import (
    combine_planes,
    interpolate_planes,
    render_pixel_series,
    render_pixels,
    spread_pairs,
)
from pacbed.simulation.rocking_table import RockingTable

CACHED_THICKNESSES = 6


class Renderer:
    """Renders patterns of any thickness, convergence angle, mistilt and geometry that a table covers.

    Parameters
    ----------
    table : RockingTable
        The table is shared, not copied. Rendering from several threads is safe and runs in parallel.
    """

    def __init__(self, table: RockingTable) -> None:
        self.table = table
        self._lock = Lock()
        self._planes: OrderedDict[float, np.ndarray] = OrderedDict()
        self._series: tuple[tuple[float, ...], np.ndarray] = ((), np.empty((0, 0), dtype=np.float32))
        self._index()

    def _index(self) -> None:
        """Order in which the wedge's pairs fill the full cone: by beam, then by the rows of nodes of that beam."""
        table = self.table
        every = cone_nodes(table.pitch_mrad, table.cone_mrad)
        images, operation = representatives(every, table.operations)
        reach = int(np.abs(every).max())
        row_of = np.full((2 * reach + 1, 2 * reach + 1), -1)
        row_of[table.nodes[:, 0] + reach, table.nodes[:, 1] + reach] = np.arange(len(table.nodes))
        rows = row_of[images[:, 0] + reach, images[:, 1] + reach]
        span = int(np.abs(table.beams).max())
        self._slot = np.full((2 * span + 1, 2 * span + 1), -1, dtype=np.int32)
        self._slot[table.beams[:, 0] + span, table.beams[:, 1] + span] = np.arange(len(table.beams))
        inverses = np.round(np.linalg.inv(table.operations)).astype(int)
        image_of = np.einsum("oij,bj->obi", inverses, table.beams)
        beam_image = self._slot[image_of[..., 0] + span, image_of[..., 1] + span].astype(np.int64)
        offset = table.offset.astype(np.int64)
        counts = (offset[1:] - offset[:-1])[rows]
        source = np.repeat(offset[rows] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        source += np.arange(len(source))
        beam = beam_image[np.repeat(operation, counts), table.beam[source]]
        first, second = (np.repeat(every[:, axis] + reach, counts) for axis in (0, 1))
        side = 2 * reach + 1
        order = np.argsort((beam * side + first) * side + second)
        self._source = source[order].astype(np.int32)
        # The nodes of one beam and row are consecutive (two disks overlap in a convex region): one start per row.
        row, start = np.unique((beam * side + first)[order], return_index=True)
        self._row_start = np.zeros((len(table.beams), side), dtype=np.int32)
        self._row_start.reshape(-1)[row] = start - second[order][start]
        self._origin = reach

    @property
    def field_mrad(self) -> float:
        """Largest scattering angle |k + tau| in the table; pixels beyond it render as zero [mrad]."""
        return self.table.field_mrad

    def mistilt_max_mrad(self, convergence_mrad: float, edge_mrad: float = 0.0) -> float:
        """Largest mistilt that the table covers at a convergence angle [mrad]."""
        margin = MARGIN_NODES * float(np.linalg.norm(self.table.pitch_mrad, axis=1).max())
        return self.table.cone_mrad - margin - convergence_mrad - edge_mrad / 2

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
            Width of the aperture edge [mrad]; by default the larger of node pitch and pixel, 0 is a hard edge.

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
        kx, ky = geometry.angles_mrad()
        return self._image(self._plane(thickness_nm), kx, ky, convergence_mrad, mistilt_mrad, geometry, blur_mrad, edge)

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
        edge = self._edge(geometry, edge_mrad)
        for thickness in thicknesses_nm:
            self._check(thickness, convergence_mrad, mistilt_mrad, blur_mrad, edge)
        kx, ky = geometry.angles_mrad()
        values = np.empty((kx.size, len(thicknesses_nm)), dtype=np.float32)
        render_pixel_series(
            kx.reshape(-1),
            ky.reshape(-1),
            np.asarray(mistilt_mrad, dtype=float),
            self._series_values(tuple(float(thickness) for thickness in thicknesses_nm)),
            self._source,
            *self._kernel_arguments(convergence_mrad, edge, geometry),
            values,
        )
        series = np.ascontiguousarray(values.T).reshape(-1, *geometry.shape)
        if blur_mrad > 0:
            sigma = blur_mrad / geometry.pixel_mrad
            series = gaussian_filter(series, (0, sigma, sigma), mode="nearest")
        return series

    def _edge(self, geometry: Geometry, edge_mrad: float | None) -> float:
        if edge_mrad is not None:
            return float(edge_mrad)
        return max(geometry.pixel_mrad, float(np.linalg.norm(self.table.pitch_mrad, axis=1).max()))

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

    def _plane(self, thickness_nm: float) -> np.ndarray:
        """Intensities of the whole cone at one thickness, shape (pair,), interpolated cubically between planes."""
        with self._lock:
            if thickness_nm in self._planes:
                self._planes.move_to_end(thickness_nm)
                return self._planes[thickness_nm]
        chosen, weights = self._planes_around(thickness_nm)
        pairs = combine_planes(self.table.intensity, chosen[0], weights.astype(np.float32))
        plane = spread_pairs(pairs, self._source)
        with self._lock:
            self._planes[thickness_nm] = plane
            while len(self._planes) > CACHED_THICKNESSES:
                self._planes.popitem(last=False)
        return plane

    def _image(self, plane, kx, ky, convergence_mrad, mistilt_mrad, geometry, blur_mrad, edge) -> np.ndarray:
        image = np.empty(geometry.shape, dtype=np.float32)
        render_pixels(
            kx.reshape(-1),
            ky.reshape(-1),
            np.asarray(mistilt_mrad, dtype=float),
            plane,
            *self._kernel_arguments(convergence_mrad, edge, geometry),
            image.reshape(-1),
        )
        if blur_mrad > 0:
            image = gaussian_filter(image, blur_mrad / geometry.pixel_mrad, mode="nearest")
        return image

    def _kernel_arguments(self, convergence_mrad: float, edge: float, geometry: Geometry) -> tuple:
        table = self.table
        return (
            self._row_start,
            self._slot,
            self._origin,
            np.asarray(table.steps, dtype=np.int64),
            table.reciprocal_mrad,
            float(table.field_mrad),
            float(convergence_mrad),
            float(edge),
            geometry.pixel_mrad**2 / (np.pi * convergence_mrad**2),
        )

    def _series_values(self, thicknesses_nm: tuple[float, ...]) -> np.ndarray:
        """Intensities of the wedge at several thicknesses, shape (pair, thickness); the last set is kept."""
        with self._lock:
            if self._series[0] != thicknesses_nm:
                planes = [self._planes_around(thickness) for thickness in thicknesses_nm]
                start = np.array([chosen[0] for chosen, _ in planes])
                weights = np.array([weight for _, weight in planes], dtype=np.float32)
                self._series = (thicknesses_nm, interpolate_planes(self.table.intensity, start, weights))
            return self._series[1]

    def _planes_around(self, thickness_nm: float) -> tuple[np.ndarray, np.ndarray]:
        """Up to four planes around a thickness and their weights."""
        position, planes = thickness_nm / self.table.plane_spacing_nm, len(self.table.intensity)
        start = int(np.clip(np.floor(position) - 1, 0, max(0, planes - 4)))
        chosen = np.arange(start, min(start + 4, planes))
        return chosen, lagrange(position, chosen)


def lagrange(position: float, nodes: np.ndarray) -> np.ndarray:
    """Weights of the interpolating polynomial through integer nodes at a position; shape (node,)."""
    weights = np.ones(len(nodes))
    for index, node in enumerate(nodes):
        others = np.delete(nodes, index)
        weights[index] = np.prod((position - others) / (node - others))
    return weights
