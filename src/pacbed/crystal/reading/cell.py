"""The cell of a CIF: lengths, angles, lattice vectors, and the symmetry that they allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pacbed.crystal.reading.blocks import Block
from pacbed.crystal.reading.text import Number, number

LENGTHS, ANGLES = ("length_a", "length_b", "length_c"), ("angle_alpha", "angle_beta", "angle_gamma")
# ASSUME: cells as measured or computed keep their symmetry to 5e-4 in length and 0.06 deg, or to three standard
# uncertainties, or to the last digit, whatever is largest (estimate).
LENGTH_ERROR, ANGLE_ERROR_DEG = 5e-4, 0.06
# ASSUME: up to this, operations that do not fit are those of the crystal before a strain, which people enter by
# changing the lengths alone; epitaxial films bear some 1.5 % (estimate).
STRAIN, STRAIN_DEG = 0.015, 1.0
COARSEST_A, COARSEST_DEG = 0.02, 0.1  # "4" and "90" are not meant to a whole unit


@dataclass(frozen=True)
class UnitCell:
    """A cell as read.

    Attributes
    ----------
    parameters : ndarray, shape (6,)
        a, b, c [Å], alpha, beta, gamma [deg].
    length_error_a, angle_error_deg : float
        What the digits leave open.
    """

    parameters: np.ndarray
    length_error_a: float
    angle_error_deg: float

    @property
    def lattice(self) -> np.ndarray:
        """Lattice vectors as rows [Å], shape (3, 3): a along x, b in the plane of x and y."""
        a, b, c, alpha, beta, gamma = self.parameters
        cos_alpha, cos_beta, cos_gamma = _cosine(alpha), _cosine(beta), _cosine(gamma)
        sin_gamma = 1.0 if gamma == 90 else np.sin(gamma * np.pi / 180)
        y = (cos_alpha - cos_beta * cos_gamma) / sin_gamma
        z = np.sqrt(1 - cos_beta**2 - y**2)
        return np.array([[a, 0, 0], [b * cos_gamma, b * sin_gamma, 0], [c * cos_beta, c * y, c * z]])

    def misfit(self, rotations: np.ndarray) -> np.ndarray:
        """How far operations are from keeping lengths and angles, in units of what the digits leave open.

        Parameters
        ----------
        rotations : ndarray, shape (operation, 3, 3)
            Matrices W of f' = W f + w, whole numbers.

        Returns
        -------
        ndarray, shape (operation,)
            Largest deviation of a length or an angle; up to 1 the operation fits the cell.
        """
        return np.max(self._deviation(rotations) / self._errors, axis=-1)

    def is_strained(self, rotations: np.ndarray) -> bool:
        """Whether operations fit the cell as far as a strain allows, such as that of a film on a substrate.

        Parameters
        ----------
        rotations : ndarray, shape (operation, 3, 3)
            Matrices W.
        """
        limits = np.array([STRAIN * self.parameters[:3].max()] * 3 + [STRAIN_DEG] * 3)
        return bool(np.all(self._deviation(rotations) <= limits))

    @property
    def _errors(self) -> np.ndarray:
        return np.array([self.length_error_a] * 3 + [self.angle_error_deg] * 3)

    def _deviation(self, rotations: np.ndarray) -> np.ndarray:
        """Change of lengths [Å] and angles [deg] by each operation, shape (operation, 6)."""
        metric = self.lattice @ self.lattice.T
        turned = np.einsum("nki,kl,nlj->nij", rotations, metric, rotations)
        return np.abs(_parameters(turned) - _parameters(metric))

    def symmetrised(self, rotations: np.ndarray) -> UnitCell:
        """The cell whose metric is the mean over a group of operations, itself where it has their symmetry.

        Parameters
        ----------
        rotations : ndarray, shape (operation, 3, 3)
            Matrices W of a group.
        """
        metric = self.lattice @ self.lattice.T
        mean = np.mean(np.einsum("nki,kl,nlj->nij", rotations, metric, rotations), axis=0)
        if np.abs(mean - metric).max() < 1e-9 * np.abs(metric).max():
            return self
        parameters = np.round(_parameters(mean), 10)
        return UnitCell(parameters, self.length_error_a, self.angle_error_deg)


def read_cell(block: Block) -> tuple[UnitCell, list[str]]:
    """Read lengths and angles; '.' for an angle is the dictionary's 90 deg.

    Returns
    -------
    UnitCell
    notes : list of str
        What was filled in.

    Raises
    ------
    StructureError
        One of the six is missing or no number, or they enclose no volume.
    """
    notes: list[str] = []
    numbers = [_read(block, name, notes) for name in (*LENGTHS, *ANGLES)]
    values = np.array([entry.value for entry in numbers])
    _check(block, values)
    lengths, angles = numbers[:3], numbers[3:]
    length_error = max(LENGTH_ERROR * values[:3].max(), *(_open(entry, COARSEST_A) for entry in lengths))
    angle_error = max(ANGLE_ERROR_DEG, *(_open(entry, COARSEST_DEG) for entry in angles))
    return UnitCell(values, float(length_error), angle_error), notes


def _read(block: Block, name: str, notes: list[str]) -> Number:
    tag = f"_cell_{name}"
    column = block.column(tag)
    what = f"cell {name.split('_')[0]}, {tag}"
    advice = "a number in Å" if name in LENGTHS else "a number in degrees; write 90 if the angle is a right one"
    if column is None:
        raise block.refusal(what, "no such tag", advice)
    text = column.values[0] if len(column.values) == 1 else f"{len(column.values)} values"
    if text == "." and name in ANGLES:
        notes.append(f"{tag} is '.', taken as 90, which the dictionary of CIF gives as default")
        return Number(90.0, COARSEST_DEG, 0.0)
    found = number(text)
    if found is None:
        comma = "; with a decimal point, not a comma" if "," in text else ""
        raise block.refusal(what, text, advice + comma, column.line)
    return found


def _check(block: Block, values: np.ndarray) -> None:
    cosines = np.cos(np.deg2rad(values[3:]))
    squared = 1 - np.sum(cosines**2) + 2 * np.prod(cosines)  # of the volume of a cell with edges of 1
    possible = np.all(values[:3] > 0) and np.all((values[3:] > 0) & (values[3:] < 180))
    if not (possible and squared > 1e-6):
        shown = ", ".join(f"{value:g}" for value in values)
        what = f"cell of {block.name}"
        raise block.refusal(what, shown, "three lengths above 0 and angles of a cell", block.line("_cell_length_a"))


def _open(entry: Number, coarsest: float) -> float:
    return max(min(entry.unit, coarsest), 3 * entry.uncertainty)


def _cosine(degrees: float) -> float:
    return 0.0 if degrees == 90 else float(np.cos(degrees * np.pi / 180))


def _parameters(metric: np.ndarray) -> np.ndarray:
    """Lengths and angles of metric tensors (..., 3, 3): a, b, c [Å], alpha, beta, gamma [deg], shape (..., 6)."""
    lengths = np.sqrt(np.diagonal(metric, axis1=-2, axis2=-1))
    first, second = [1, 0, 0], [2, 2, 1]
    cosines = metric[..., first, second] / (lengths[..., first] * lengths[..., second])
    return np.concatenate([lengths, np.degrees(np.arccos(np.clip(cosines, -1, 1)))], axis=-1)
