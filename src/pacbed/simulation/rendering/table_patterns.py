"""Patterns from one rocking table: elastic ones, and the sum of an elastic and a diffuse part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from threading import Lock

import numpy as np

from pacbed.simulation.rendering.kernels.disks import direction_table
from pacbed.simulation.rendering.kernels.pattern import render_pattern
from pacbed.simulation.rendering.kernels.tables import (
    ComponentTable,
    Illumination,
    NodeFrame,
    PairIndex,
    PlaneTable,
    Scene,
)
from pacbed.simulation.rendering.pattern_renderer import PatternRenderer
from pacbed.simulation.rendering.series import SeriesRenderer
from pacbed.simulation.rendering.thickness_components import ThicknessComponents
from pacbed.simulation.rendering.thickness_planes import ThicknessPlanes, planes_around
from pacbed.simulation.rendering.view import View
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.spline import STENCIL_REACH, reach_mrad
from pacbed.simulation.table.wedge import Wedge, row_starts


def table_patterns(table: RockingTable) -> PatternRenderer:
    """What renders all that a table holds: with frozen phonons the diffuse part as well."""
    elastic = TablePatterns(table)
    if table.diffuse is None:
        return elastic
    diffuse = TablePatterns(replace(table, codes=table.diffuse, diffuse=None))
    # ASSUME: diffuse scattering varies little over one cell of reciprocal space: the table holds the sum over the
    # cell around q + G, and a Gaussian of the cell's second moment spreads it (measured by the second referee, which
    # resolves the cell, see docs/physics.md).
    return WithDiffuse(elastic, diffuse, float(np.sqrt(np.sum(table.reciprocal_mrad**2) / 24)))


class TablePatterns:
    """Renders the coefficients of a table.

    Parameters
    ----------
    table : RockingTable
        Shared, not copied; its diffuse part is not looked at.
    """

    def __init__(self, table: RockingTable) -> None:
        self.table = table
        reach = reach_mrad(table.pitch_mrad, STENCIL_REACH)
        wedge = Wedge.of(table.pitch_mrad, table.cone_mrad + reach, table.operations, table.beams)
        self._frame = NodeFrame(
            table.pitch_mrad, np.linalg.inv(table.pitch_mrad), table.beams_mrad, float(table.field_mrad), reach
        )
        self._pairs = PairIndex(
            row_starts(table.rows, len(table.beams), wedge.reach),
            wedge.beam_image,
            np.asarray(table.beams, dtype=np.int64),
            np.asarray(table.steps, dtype=np.int64),
            wedge.reach,
        )
        self._along = direction_table(wedge, table.operations, 0), direction_table(wedge, table.operations, 1)
        self._planes = ThicknessPlanes(table, reach)
        self._lock = Lock()
        self._made: ThicknessComponents | None = None

    def pattern(self, thickness_nm: float, convergence_mrad: float, view: View) -> np.ndarray:
        """See `PatternRenderer`."""
        image = np.empty(view.geometry.shape, dtype=np.float32)
        radius = convergence_mrad + view.edge_mrad / 2 + np.hypot(*view.mistilt_mrad)
        with self._planes.at(thickness_nm, radius, view.geometry, view.mistilt_mrad) as codes:
            render_pattern(PlaneTable(codes, self._pairs, self._along), self._scene(convergence_mrad, view), image)
        view.blur(image)
        return image

    def series(
        self, thicknesses_nm: np.ndarray, convergences_mrad: Sequence[float], view: View
    ) -> Iterator[np.ndarray]:
        """See `PatternRenderer`."""
        components = self._components()
        table = ComponentTable(*components.coded, self._pairs, self._along[0])
        mix = components.mix(*planes_around(self.table, thicknesses_nm))
        scenes = [self._scene(convergence, view) for convergence in convergences_mrad]
        renderer = SeriesRenderer(table, scenes[0], view.geometry.shape, len(components.basis))
        for scene in scenes:
            series = renderer.render(scene, mix, len(thicknesses_nm))
            view.blur(series)
            yield series

    def _scene(self, convergence_mrad: float, view: View) -> Scene:
        share = view.geometry.pixel_mrad**2 / (np.pi * convergence_mrad**2)
        light = Illumination(view.mistilt_mrad, convergence_mrad, view.edge_mrad, share)
        return Scene(self._frame, light, view.geometry.lines_mrad())

    def _components(self) -> ThicknessComponents:
        """The table as series read it; made when first needed, by one thread while the others wait."""
        with self._lock:
            if self._made is None:
                self._made = ThicknessComponents.of(self.table)
            return self._made


class WithDiffuse:
    """Adds to elastic patterns the diffuse ones, which are blurred.

    Parameters
    ----------
    elastic, diffuse : PatternRenderer
    spread_mrad : float
        Standard deviation of a Gaussian that diffuse patterns are blurred with [mrad].
    """

    def __init__(self, elastic: PatternRenderer, diffuse: PatternRenderer, spread_mrad: float) -> None:
        self._elastic, self._diffuse, self._spread_mrad = elastic, diffuse, spread_mrad

    def pattern(self, thickness_nm: float, convergence_mrad: float, view: View) -> np.ndarray:
        """See `PatternRenderer`."""
        image = self._elastic.pattern(thickness_nm, convergence_mrad, view)
        image += self._diffuse.pattern(thickness_nm, convergence_mrad, view.blurred(self._spread_mrad))
        return image

    def series(
        self, thicknesses_nm: np.ndarray, convergences_mrad: Sequence[float], view: View
    ) -> Iterator[np.ndarray]:
        """See `PatternRenderer`."""
        elastic = self._elastic.series(thicknesses_nm, convergences_mrad, view)
        diffuse = self._diffuse.series(thicknesses_nm, convergences_mrad, view.blurred(self._spread_mrad))
        for series, more in zip(elastic, diffuse, strict=True):
            series += more
            yield series
