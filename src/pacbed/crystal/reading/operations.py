"""Symmetry operations that a CIF lists, with their translations put back onto exact fractions."""

from __future__ import annotations

import re
from dataclasses import dataclass

import gemmi
import numpy as np

from pacbed.crystal.reading.blocks import Block, Column
from pacbed.crystal.reading.text import is_missing

LISTS = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
SIGNS = re.compile(r"[xyzXYZ0-9+\-*/., ]+")
DECIMAL = re.compile(r"\d*\.\d+|\d+\.")
PARTS = gemmi.Op.DEN  # translations are whole numbers of 24ths of the lattice vectors


@dataclass(frozen=True)
class Operations:
    """Operations f' = W f + w of a space group, all of one cell.

    Attributes
    ----------
    name : str
        The space group as read or worked out.
    rotations : ndarray, shape (operation, 3, 3)
        W, whole numbers.
    translations : ndarray, shape (operation, 3)
        w in units of the lattice vectors, 0 to 1.
    """

    name: str
    rotations: np.ndarray
    translations: np.ndarray

    def __len__(self) -> int:
        """Number of operations, centring included."""
        return len(self.rotations)

    def key(self) -> frozenset[tuple[int, ...]]:
        """The operations as whole numbers without order: equal for equal groups in equal settings."""
        return frozenset(_rows(self.rotations, np.rint(self.translations * PARTS).astype(int)))


def from_gemmi(name: str, found: list[gemmi.Op]) -> Operations:
    """Operations out of gemmi's, each once; their order is kept."""
    unique = {op.wrap().triplet(): op for op in found}
    rotations = np.array([op.rot for op in unique.values()]) // PARTS
    translations = np.array([op.tran for op in unique.values()]) % PARTS
    return Operations(name, rotations, translations / PARTS)


def group_name(found: list[gemmi.Op]) -> str:
    """Symbol of the space group in the setting of its operations, or their number where it has no symbol."""
    unique = {op.wrap().triplet(): op for op in found}
    group = gemmi.find_spacegroup_by_ops(gemmi.GroupOps(list(unique.values())))
    return f"{len(unique)} operations" if group is None else group.xhm()


def listed_operations(block: Block) -> tuple[Operations | None, list[str]]:
    """Read the list of operations; None where a file has none, or an empty one.

    Returns
    -------
    Operations or None
    notes : list of str

    Raises
    ------
    StructureError
        A line is no operation, or the operations are no group: some are missing.
    """
    columns = [column for column in map(block.column, LISTS) if column is not None]
    column = next((one for one in columns if not all(map(is_missing, one.values))), None)
    if column is None:
        return None, []
    found = [_operation(block, column, row) for row in range(len(column.values))]
    operations = from_gemmi(group_name(found), found)
    missing = missing_product(operations)
    if missing:
        advice = (
            "a group: all operations of the cell. One is missing or wrong, or the file lists generators only; write "
            "the missing lines, or no list but the full symbol of the space group as _space_group_name_H-M_alt"
        )
        what = f"{column.tag}: {len(operations)} operations are no group"
        raise block.refusal(what, f"no operation {missing!r}, which two of them make", advice, column.line)
    notes = []
    if len(operations) < len(found):
        notes.append(f"{column.tag}: {len(found) - len(operations)} operations are listed twice and count once")
    return operations, notes


def missing_product(operations: Operations) -> str:
    """An operation that two others make and the list lacks, as x,y,z; empty for a group."""
    rotations, translations = operations.rotations, np.rint(operations.translations * PARTS).astype(int)
    present = set(_rows(rotations, translations))
    for rotation, translation in zip(rotations, translations, strict=True):
        products = _rows(rotation @ rotations, (translations @ rotation.T + translation) % PARTS)
        for row in products:
            if row not in present:
                op = gemmi.Op("x,y,z")
                op.rot = (np.reshape(row[:9], (3, 3)) * PARTS).tolist()
                op.tran = list(row[9:])
                return op.triplet()
    return ""


def _operation(block: Block, column: Column, row: int) -> gemmi.Op:
    text = " ".join(column.values[row].split())
    advice = "three terms of x, y, z and fractions (of 24) between two commas, such as '-x+1/2,y,z'; in quotes"
    what = f"{column.tag} number {row + 1}"
    compact = re.sub(r"(\d)([xyz])", r"\1*\2", text.lower().replace(" ", ""))
    if not SIGNS.fullmatch(text):
        raise block.refusal(what, text, advice, block.row_line(column, row))
    try:
        op = gemmi.Op(DECIMAL.sub(_fraction, compact))
    except (ValueError, RuntimeError):
        raise block.refusal(what, text, advice, block.row_line(column, row)) from None
    if any(entry % PARTS for matrix_row in op.rot for entry in matrix_row) or abs(op.det_rot()) != PARTS**3:
        raise block.refusal(what, text, f"an operation that keeps the lattice, {advice}", block.row_line(column, row))
    return op


def _fraction(match: re.Match[str]) -> str:
    """A decimal number as the fraction of 24 that it rounds; over 0, which is no operation, where it rounds none."""
    unit = 10.0 ** -len(match[0].partition(".")[2])
    parts = round(float(match[0]) * PARTS)
    return f"{parts}/{PARTS}" if abs(float(match[0]) - parts / PARTS) <= unit else f"{parts}/0"


def _rows(rotations: np.ndarray, translations: np.ndarray) -> list[tuple[int, ...]]:
    table = np.concatenate([rotations.reshape(len(rotations), 9), translations], axis=1)
    return list(map(tuple, table.astype(int).tolist()))
