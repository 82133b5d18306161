"""CIF files made in a test: caesium chloride unless told otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pacbed.crystal.reading.blocks import Block, choose_block
from pacbed.crystal.reading.text import read_text

CELL_TAGS = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")


def cif_text(  # noqa: PLR0913 (the parts of a file, each by name)
    *,
    cell: str = "4.12 4.12 4.12 90 90 90",
    operations: Sequence[str] = ("x,y,z",),
    symbol: str | None = None,
    columns: str = "label type_symbol fract_x fract_y fract_z occupancy U_iso_or_equiv",
    rows: Sequence[str] = ("Cs1 Cs 0 0 0 1 0.02", "Cl1 Cl 0.5 0.5 0.5 1 0.03"),
    aniso: Sequence[str] = (),
    kind: str = "U",
    more: str = "",
    name: str = "test",
) -> str:
    """The text of a CIF; a `symbol` takes the place of the operations, `aniso` are rows of an anisotropic loop."""
    lines = [f"data_{name}", *(f"_cell_{tag} {value}" for tag, value in zip(CELL_TAGS, cell.split(), strict=True))]
    lines += more.split("\n")
    if symbol is not None:
        lines += [f"_space_group_name_H-M_alt '{symbol}'"]
    elif operations:
        lines += ["loop_", "_space_group_symop_operation_xyz", *(f"'{operation}'" for operation in operations)]
    lines += ["loop_", *(f"_atom_site_{column}" for column in columns.split()), *rows]
    if aniso:
        components = ("11", "22", "33", "12", "13", "23")
        tags = [f"_atom_site_aniso_{kind}_{component}" for component in components]
        lines += ["loop_", "_atom_site_aniso_label", *tags, *aniso]
    return "\n".join([*lines, ""])


@pytest.fixture
def text() -> Callable[..., str]:
    """The function that makes the text of a CIF."""
    return cif_text


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """Write a CIF: of the parts of `cif_text`, or of a whole text, or of bytes."""

    def make(whole: str | bytes | None = None, **parts) -> Path:
        path = tmp_path / "made.cif"
        content = cif_text(**parts) if whole is None else whole
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


@pytest.fixture
def block(made: Callable[..., Path]) -> Callable[..., Block]:
    """The block of such a CIF."""

    def make(whole: str | bytes | None = None, **parts) -> Block:
        return choose_block(read_text(made(whole, **parts)))

    return make
