"""Slice potentials: the crystal as the plane-wave engine sees it, its terminations included.

Needs NumPy alone, for machines that only propagate waves.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.crystal.reading import ReadingChoices
from pacbed.errors import FormatError, SimulationError
from pacbed.outputs import check_version, write_json
from pacbed.systems import System

SCHEMA_VERSION = 1
DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error)
# ASSUME: products of wave and transmission function that wrap around the grid are too weak to matter. The usual 2/3
# of the Nyquist frequency keeps every product apart (Kirkland 2010, ch. 6), but what scatters so far is damped by
# thermal vibration: at equal frequency limits, grids with and without that margin differ by 1e-4 of a pattern of
# 100 nm, and the smaller one takes less than half the time (docs/physics.md). `check_convergence` tries a finer grid.
BAND_FRACTION = 0.95


@dataclass(frozen=True)
class SlicePotentials:
    """Projected potential and absorption of the slices of one period along the beam.

    Attributes
    ----------
    potential : ndarray of float32, shape (slice, x, y)
        Projected potential [eV Å] on a grid along the two in-plane lattice vectors.
    absorption : ndarray of float32, shape (slice, x, y)
        Absorption mu; the transmission function is exp(i sigma potential - absorption).
    cell_a : ndarray, shape (2, 2)
        In-plane lattice vectors as rows, Cartesian x, y [Å]; the first lies along +x.
    slice_depth_a : float
        Depth of each slice [Å].
    energy_ev : float
        Kinetic energy of the electrons [eV].
    group : ndarray of int, shape (operation, 2, 2)
        Beam group, acting on in-plane fractional coordinates.
    formula : str
        Of the cell's content.
    zone_axis : tuple of three int
        [uvw] of the published cell; the beam travels along -[uvw].
    thermal_model, parametrization : str
        As in `slice_potentials`.
    source : str
        CIF file.
    reading : ReadingChoices
        How that file was read, for whoever reads it again.
    slope : ndarray, shape (2,)
        Slices are the planes z' = z - slope.(x, y); zero where a lattice plane is normal to the beam.
    terminations : ndarray of int, shape (termination, 2, 2)
        One operation of the crystal for each surface that is equivalent to the one of the slab, the identity first;
        `group` times these are all operations that keep the beam direction.
    termination_lifts : ndarray, shape (termination,)
        Their translations along the beam, in periods.
    """

    potential: np.ndarray
    absorption: np.ndarray
    cell_a: np.ndarray
    slice_depth_a: float
    energy_ev: float
    group: np.ndarray
    formula: str
    zone_axis: tuple[int, int, int]
    thermal_model: str
    parametrization: str
    source: str
    slope: np.ndarray = field(default_factory=lambda: np.zeros(2))
    terminations: np.ndarray = field(default_factory=lambda: np.eye(2, dtype=int)[None])
    termination_lifts: np.ndarray = field(default_factory=lambda: np.zeros(1))
    reading: ReadingChoices = field(default_factory=ReadingChoices)

    @property
    def period_a(self) -> float:
        """Length of one period along the beam [Å]."""
        return self.slice_depth_a * len(self.potential)

    @property
    def grid(self) -> tuple[int, int]:
        """Number of grid points along the two in-plane vectors."""
        return self.potential.shape[1], self.potential.shape[2]

    @property
    def reciprocal(self) -> np.ndarray:
        """Reciprocal basis, rows G1 and G2 [1/Å], Cartesian."""
        return np.linalg.inv(self.cell_a).T

    @property
    def band_limit(self) -> float:
        """Largest spatial frequency that is kept [1/Å], a little below the Nyquist frequency of the coarser axis."""
        return band_limit(self.cell_a, self.grid)

    def operations(self, termination: str) -> np.ndarray:
        """Symmetry of what is computed, shape (operation, 2, 2), the identity first.

        Parameters
        ----------
        termination : {"top", "average"}
            The slab as it is cut, or the mean over all equivalent surfaces, which has every operation of the crystal
            that keeps the beam direction.
        """
        if termination == "top":
            return self.group
        return np.array([member @ turn for turn in self.terminations for member in self.group])

    def save(self, folder: str | Path) -> None:
        """Write ``slices.npz`` and ``cell.json`` into an existing folder."""
        folder = Path(folder)
        np.savez(folder / "slices.npz", potential=self.potential, absorption=self.absorption)
        facts = asdict(self)
        for key in ("potential", "absorption"):
            del facts[key]
        for key in ("cell_a", "group", "slope", "terminations", "termination_lifts"):
            facts[key] = getattr(self, key).tolist()
        if self.reading == ReadingChoices():
            del facts["reading"]
        facts = {"schema_version": SCHEMA_VERSION, **facts}
        write_json(facts, folder / "cell.json")

    @classmethod
    def load(cls, folder: str | Path) -> SlicePotentials:
        """Read what `save` wrote.

        Raises
        ------
        FormatError
            A file is missing, damaged, or of a newer version.
        """
        folder = Path(folder)
        try:
            facts = json.loads((folder / "cell.json").read_text())
            with (folder / "slices.npz").open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
                potential, absorption = arrays["potential"], arrays["absorption"]
            version = facts.pop("schema_version")
        except DAMAGE as error:
            raise FormatError(f"structure folder {folder}: damaged or incomplete ({error})") from error
        check_version(f"structure folder {folder}", version, current=SCHEMA_VERSION, oldest=SCHEMA_VERSION)
        try:
            return cls(potential=potential, absorption=absorption, **_typed(facts))
        except DAMAGE as error:
            raise FormatError(f"structure folder {folder}: damaged or incomplete ({error})") from error


def _typed(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts from JSON as `SlicePotentials` has them; the optional ones may be missing."""
    return {
        **facts,
        "cell_a": np.array(facts["cell_a"]),
        "group": np.array(facts["group"], dtype=int),
        "slope": np.array(facts.get("slope", (0.0, 0.0))),
        "terminations": np.array(facts.get("terminations", [[[1, 0], [0, 1]]]), dtype=int),
        "termination_lifts": np.array(facts.get("termination_lifts", [0.0])),
        "zone_axis": tuple(facts["zone_axis"]),
        "reading": ReadingChoices.of(facts.get("reading", {})),
    }


def band_limit(cell_a: np.ndarray, grid: tuple[int, int]) -> float:
    """Largest spatial frequency that a grid of points along the two in-plane vectors, shape (2, 2) [Å], keeps [1/Å].

    The circle lies inside the parallelogram of the grid's frequencies, whose edges are n / 2 |a| away from its centre.
    On a hexagonal cell a wider one would be cut off on two sides: the waves would lose the threefold axis.
    """
    lengths = np.linalg.norm(cell_a, axis=1)
    return float(min(BAND_FRACTION * points / 2 / length for points, length in zip(grid, lengths, strict=True)))


def whole_periods(period_a: float, thickness_nm: float) -> int:
    """Periods of the crystal that fit into a thickness [nm], one at least; `period_a` is the length of one [Å]."""
    return max(1, int(10 * thickness_nm / period_a + 1e-6))  # rounding must not take the last of whole periods


def termination_slices(slices: SlicePotentials, termination: str) -> list[SlicePotentials]:
    """Slice potentials of every slab that a rocking table is the mean of.

    The surfaces of these slabs differ, but are equivalent by a symmetry of the crystal. A screw axis or glide plane
    with a lift of l periods turns a slab that starts at -l into one that starts at 0: the same slices, from another
    one on.

    Parameters
    ----------
    slices : SlicePotentials
        One period of the crystal.
    termination : {"top", "average"}
        The slab itself, or all equivalent ones.

    Raises
    ------
    SimulationError
        An equivalent slab starts between two slices.
    """
    if termination == "top":
        return [slices]
    count, slabs = len(slices.potential), []
    for lift in slices.termination_lifts:
        first = round(float(lift) * count)
        if abs(lift * count - first) > 1e-3:
            raise SimulationError(
                f"termination: got average with {count} slices per period and a surface {lift:.4f} periods up, "
                "accepted: a slice_depth_nm that puts a slice there, or termination top"
            )
        turned = {name: np.roll(getattr(slices, name), first, axis=0) for name in ("potential", "absorption")}
        slabs.append(replace(slices, **turned))
    return slabs


def of_structure(structure_dir: str | Path) -> System:
    """The system of slice potentials in a folder; the arrays are not read.

    Raises
    ------
    FormatError
        ``cell.json`` is missing or damaged.
    """
    try:
        facts = json.loads((Path(structure_dir) / "cell.json").read_text(encoding="utf-8"))
        return System(facts["formula"], tuple(facts["zone_axis"]), facts["energy_ev"] / 1e3)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise FormatError(f"structure {structure_dir}: damaged or incomplete ({error!r})") from error
