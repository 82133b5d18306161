"""The crystal as the `scan` engine meets it: the plane-wave engine's slices side by side, or displaced atoms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from abtem.potentials.iam import PotentialArray
from ase import Atoms

from pacbed.crystal.cell import Crystal
from pacbed.crystal.cif import read_structure
from pacbed.crystal.orientation import orient
from pacbed.crystal.potentials import SlicePotentials, termination_slices
from pacbed.errors import SimulationError
from pacbed.simulation.scan.displaced_atoms import SupercellGrid, frozen_phonon_periods
from pacbed.simulation.scan.supercell import OrthogonalSlices, orthogonal_slices, rectangle

FINEST_SPACING_A = 0.04  # of the grid on which displaced atoms are placed: it moves them by 0.0003 Å^2 at most


@dataclass(frozen=True)
class ScanCrystal:
    """What fills the supercells of a scan.

    Attributes
    ----------
    still : OrthogonalSlices
        Transmission functions of the crystal without phonons; also the orthogonal cell, the grid and the beam.
    cell_a : numpy.ndarray, shape (2, 2)
        In-plane lattice vectors of the crystal as rows [Å], oblique where the orthogonal cell is a multiple.
    atoms : ase.Atoms or None
        Orthogonal cell of atoms, for frozen phonons.
    displacement : numpy.ndarray, shape (atom, 3, 3)
        Mean-square displacement tensors [Å^2].
    occupancy : numpy.ndarray, shape (atom,)
        Site occupancies.
    parametrization : str
        Scattering factors of the atoms.
    """

    still: OrthogonalSlices
    cell_a: np.ndarray
    atoms: Atoms | None
    displacement: np.ndarray
    occupancy: np.ndarray
    parametrization: str

    @classmethod
    def slabs(cls, slices: SlicePotentials, cif: str | Path, *, termination: str = "top") -> tuple[ScanCrystal, ...]:
        """The slab that starts at the first slice ("top"), or every slab with an equivalent surface ("average")."""
        lifts = slices.termination_lifts if termination == "average" else [0.0]
        turned = termination_slices(slices, termination)
        return tuple(cls.load(slab, cif, lift=float(lift)) for slab, lift in zip(turned, lifts, strict=True))

    @classmethod
    def load(cls, slices: SlicePotentials, cif: str | Path, *, lift: float = 0.0) -> ScanCrystal:
        """The crystal of slice potentials; its atoms are read anew if they vibrate, and lifted by so many periods.

        Raises
        ------
        SimulationError
            The file describes another cell than the slices, or no rectangle holds whole cells.
        """
        still = orthogonal_slices(slices)
        nothing = np.zeros((0, 3, 3)), np.zeros(0)
        if slices.thermal_model != "frozen_phonons":
            return cls(still, slices.cell_a, None, *nothing, slices.parametrization)
        oriented = orient(read_structure(cif, slices.reading).crystal, slices.zone_axis)
        if not np.allclose(oriented.cell[:2, :2], slices.cell_a, atol=1e-4):
            raise SimulationError(
                f"cif: got {cif} with the cell {np.round(oriented.cell[:2, :2], 4).tolist()}, accepted: the crystal of "
                f"the slice potentials, {np.round(slices.cell_a, 4).tolist()}"
            )
        atoms, displacement, occupancy = rectangular_atoms(oriented)
        atoms.positions[:, 2] += lift * atoms.cell[2, 2]
        atoms.wrap()
        return cls(still, slices.cell_a, atoms, displacement, occupancy, slices.parametrization)

    @property
    def vibrates(self) -> bool:
        """Whether every configuration is another one."""
        return self.atoms is not None

    def periods(self, cells: Sequence[int], *, rng: np.random.Generator) -> Iterator[PotentialArray]:
        """Endless supercell periods, `cells` orthogonal cells wide; random where atoms vibrate."""
        if self.atoms is None:
            return self.still.periods(cells)
        slices, *points = self.still.transmission.shape
        spacing = max(length / count for length, count in zip(self.still.lengths_a, points, strict=True))
        oversampling = max(1, round(np.ceil(spacing / FINEST_SPACING_A - 1e-6)))
        return frozen_phonon_periods(
            self.atoms,
            self.displacement,
            occupancy=self.occupancy,
            cells=cells,
            grid=SupercellGrid((points[0] * cells[0], points[1] * cells[1]), slices, oversampling),
            rng=rng,
            parametrization=self.parametrization,
        )


def rectangular_atoms(oriented: Crystal) -> tuple[Atoms, np.ndarray, np.ndarray]:
    """Atoms of the smallest orthogonal cell, their displacement tensors (atom, 3, 3) [Å^2] and occupancies (atom,).

    Parameters
    ----------
    oriented : Crystal
        The crystal with the beam along z and a lattice vector along x.
    """
    _, rows = rectangle(oriented.cell[:2, :2])
    # Rows of cells side by side fill the rectangle once atoms that stick out of it are brought back in.
    positions = np.concatenate([oriented.positions + row * oriented.cell[1] for row in range(rows)])
    edges = [oriented.cell[0, 0], rows * oriented.cell[1, 1], oriented.cell[2, 2]]
    atoms = Atoms(list(oriented.symbols) * rows, positions=positions, cell=edges, pbc=True)
    atoms.wrap()
    return atoms, np.tile(oriented.displacement, (rows, 1, 1)), np.tile(oriented.occupancy, rows)
