"""Where the images of a stack come from: rendered from the rocking table, or read from blocks of the `scan` engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pacbed.errors import FormatError
from pacbed.patterns import in_units
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.stack.parameter_grid import StackGrid
from pacbed.simulation.stack.scan_file import SCAN_BLOCK_VERSION, crystal_facts, read_facts, refuse_foreign, series_file
from pacbed.simulation.table.rocking_table import RockingTable


class SeriesSource(Protocol):
    """Gives the images of one thickness series after the other; safe to be asked from several threads."""

    @property
    def engine(self) -> dict[str, Any]:
        """Name and numerics, for the stack's attributes."""

    def counts(self, tilt: int, unit: float) -> Iterator[tuple[int, np.ndarray]]:
        """Index of each convergence angle, and its patterns: uint16 of shape (thickness, ky, kx).

        A number of 1 stands for `unit`, a fraction of the beam per pixel.
        """


class TableSource:
    """The `plane_wave` engine: every series is rendered from the table.

    Parameters
    ----------
    renderer : Renderer
        Of the system's table.
    grid : StackGrid
        The series wanted.
    """

    def __init__(self, renderer: Renderer, grid: StackGrid) -> None:
        self._renderer, self._grid = renderer, grid

    @property
    def engine(self) -> dict[str, Any]:
        """See `SeriesSource`."""
        facts = self._renderer.table.facts
        return {"name": "plane_wave", **{key: facts[key] for key in ("propagator", "grid_px", "slice_depth_a")}}

    def counts(self, tilt: int, unit: float) -> Iterator[tuple[int, np.ndarray]]:
        """See `SeriesSource`."""
        order = np.argsort(self._grid.convergence_mrad).tolist()
        series = self._renderer.render_nested_series(
            list(self._grid.thickness_nm),
            [self._grid.convergence_mrad[convergence] for convergence in order],
            geometry=self._grid.geometry,
            mistilt_mrad=self._grid.tilt_mrad(tilt),
        )
        for convergence, images in zip(order, series, strict=True):
            yield convergence, in_units(images, unit)


class ScanSource:
    """The `scan` engine: every series was computed before, block by block.

    Parameters
    ----------
    folders : sequence of path
        What `simulate_scan_block` wrote, all blocks.
    table : RockingTable
        Table of the same crystal.
    grid : StackGrid
        The series wanted.

    Raises
    ------
    FormatError
        A block is damaged, missing, there twice, or of another crystal, grid or setting.
    """

    def __init__(self, folders: Sequence[str | Path], table: RockingTable, grid: StackGrid) -> None:
        self._shape = (len(grid.thickness_nm), *grid.geometry.shape)
        self._angles = len(grid.convergence_mrad)
        self._files: dict[tuple[int, int], Path] = {}
        wanted = {
            "schema_version": SCAN_BLOCK_VERSION,
            "crystal": crystal_facts(table),
            "grid": grid.facts(),
        }
        first: dict[str, Any] = {}
        for folder in map(Path, folders):
            facts = read_facts(folder)
            first = first or facts
            same = {**wanted, **{key: first[key] for key in ("engine", "slices_sha256")}}
            refuse_foreign(folder, facts, same)
            for place in map(tuple, facts["series"]):
                if place in self._files:
                    raise FormatError(f"scan block {folder}: series {place} is also in {self._files[place].parent}")
                self._files[place] = folder / series_file(place)
        missing = [place for place in grid.series if place not in self._files or not self._files[place].is_file()]
        if missing:
            raise FormatError(
                f"scan blocks: got {len(grid.series) - len(missing)} series, accepted: all {len(grid.series)} of the "
                f"grid; the first one missing is (convergence {missing[0][0]}, tilt {missing[0][1]})"
            )
        self._engine = first["engine"]

    @property
    def engine(self) -> dict[str, Any]:
        """See `SeriesSource`."""
        return self._engine

    def counts(self, tilt: int, unit: float) -> Iterator[tuple[int, np.ndarray]]:
        """See `SeriesSource`."""
        for convergence in range(self._angles):
            images = self._read(self._files[convergence, tilt])
            yield convergence, in_units(images, unit)

    def _read(self, file: Path) -> np.ndarray:
        try:
            images: np.ndarray = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise FormatError(f"scan series {file}: damaged or incomplete ({error})") from error
        if images.shape != self._shape or images.dtype != np.float32:
            raise FormatError(f"scan series {file}: got {images.dtype} {images.shape}, accepted: float32 {self._shape}")
        return images
