"""Rocking tables of one aperture: as a system's own table, but of a single convergence angle and small mistilts."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pacbed.crystal.electron import mrad_per_inverse_a
from pacbed.crystal.potentials import SlicePotentials
from pacbed.evaluation.budget.settings import BudgetSettings
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.directions import direction_grid
from pacbed.simulation.table.gather import gather_rocking_table
from pacbed.simulation.table.rocking_block import simulate_rocking_block
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.settings import TableSettings


@dataclass(frozen=True)
class ApertureNumerics:
    """What the tables of a crystal and of its variations share, so that their errors cancel.

    Attributes
    ----------
    reciprocal_mrad : float
        Length of the longer reciprocal-lattice vector [mrad].
    pitch_mrad : float
        Distance of directions [mrad]. A varied crystal has as many per reciprocal-lattice vector.
    field_mrad : float
        Largest scattered angle [mrad].
    plane_spacing_nm : float
        Distance of thickness planes [nm].
    propagator : str
        As the system's.
    batch : int
        Directions propagated together.
    """

    reciprocal_mrad: float
    pitch_mrad: float
    field_mrad: float
    plane_spacing_nm: float
    propagator: str
    batch: int

    @classmethod
    def of(
        cls,
        slices: SlicePotentials,
        settings: BudgetSettings,
        *,
        pixel_mrad: float,
    ) -> ApertureNumerics:
        """The numerics of a system's table, its pitch wider by the factor chosen, but no wider than a pixel.

        Biases agree at one to three times the system's pitch; coarser than a pixel they are not known to.

        Parameters
        ----------
        slices : SlicePotentials
            The system's own slices.
        settings : BudgetSettings
            With pitch and spacing as they were measured, not "auto".
        pixel_mrad : float
            Pixel of the patterns [mrad].
        """
        own = float(settings.direction_pitch_mrad)
        limit = min(float(settings.choices.coarser_pitch) * own, max(own, pixel_mrad))
        taken = direction_grid(slices, cone_mrad=limit, pitch_mrad=limit).pitch_mrad
        return cls(
            reciprocal_mrad=_reciprocal_mrad(slices),
            pitch_mrad=float(np.linalg.norm(taken, axis=1).max()),
            field_mrad=float(settings.field_mrad),
            plane_spacing_nm=float(settings.plane_spacing_nm),
            propagator=settings.propagator,
            batch=int(settings.batch),
        )

    def renderer(
        self, slices: SlicePotentials, *, cone_mrad: float, thickness_max_nm: float, folder: str | Path
    ) -> Renderer:
        """Simulate a table, or take the finished one from an interrupted run.

        Parameters
        ----------
        slices : SlicePotentials
            The crystal, of any beam energy.
        cone_mrad : float
            Largest incident angle, interpolation margin excluded [mrad].
        thickness_max_nm : float
            Deepest plane needed [nm].
        folder : path
            Where the table lies while it is needed.
        """
        folder = Path(folder)
        if not (folder / "rocking" / "done.json").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            (folder / "structure").mkdir(parents=True)
            slices.save(folder / "structure")
            settings = TableSettings(
                thickness_max_nm=thickness_max_nm,
                cone_mrad=cone_mrad,
                field_mrad=self.field_mrad,
                direction_pitch_mrad=self.pitch_mrad * _reciprocal_mrad(slices) / self.reciprocal_mrad,
                plane_spacing_nm=self.plane_spacing_nm,
                propagator=self.propagator,
                batch=self.batch,
            )
            simulate_rocking_block(folder / "structure", settings, block=0, blocks=1, out_dir=folder / "block")
            gather_rocking_table([folder / "block"], folder / "rocking")
            shutil.rmtree(folder / "block")
        return Renderer(RockingTable.load(folder / "rocking"))


def _reciprocal_mrad(slices: SlicePotentials) -> float:
    return float(np.linalg.norm(slices.reciprocal, axis=1).max()) * mrad_per_inverse_a(slices.energy_ev)
