"""Data blocks of a CIF: the one that holds the structure, and its values by tag."""

from __future__ import annotations

from typing import NamedTuple, cast

from gemmi import cif

from pacbed.crystal.reading.text import CifText, is_missing, refusal
from pacbed.errors import StructureError

# Tags of structures that one cell with ordinary operations does not describe, and what to write instead.
BEYOND = {
    "_space_group_symop_magn": "magnetic",
    "_space_group_magn": "magnetic",
    "_atom_site_moment": "magnetic",
    "_cell_modulation_dimension": "modulated",
    "_space_group_ssg": "modulated",
    "_cell_wave_vector": "modulated",
    "_cell_subsystem": "modulated",
    "_space_group_symop_ssg": "modulated",
    "_atom_site_fourier": "modulated",
    "_atom_site_displace_": "modulated",
    "_atom_site_occ_": "modulated",
    "_atom_site_rot_": "modulated",
    "_atom_site_u_fourier": "modulated",
}


class Column(NamedTuple):
    """The values of one tag.

    Attributes
    ----------
    tag : str
        As the file writes it.
    values : list of str
        Without quotes; '?' and '.' stay.
    item : int
        Number of the loop (or of the tag outside of loops) in the block: columns of one loop share it.
    line : int
        Number of the line of the loop or of the tag.
    """

    tag: str
    values: list[str]
    item: int
    line: int


class Block:
    """One data block; tags are told apart neither by case nor by a dot in place of an underscore.

    Attributes
    ----------
    name : str
        What follows ``data_``.
    text : CifText
        The file.
    """

    def __init__(self, text: CifText, block: cif.Block) -> None:
        self.name = block.name.strip()
        self.text = text
        self._columns: dict[str, list[Column]] = {}
        for item, content in enumerate(block):
            if content.pair is not None:
                tag, value = cast("tuple[str, str]", content.pair)
                self._add(Column(tag, [_plain(value)], item, content.line_number))
            elif content.loop is not None:
                tags, values = content.loop.tags, [_plain(value) for value in content.loop.values]
                for index, tag in enumerate(tags):
                    self._add(Column(tag, values[index :: len(tags)], item, content.line_number))

    def _add(self, column: Column) -> None:
        self._columns.setdefault(_canonical(column.tag), []).append(column)

    def tags(self) -> list[str]:
        """All tags, in lower case and with underscores in place of dots."""
        return list(self._columns)

    def column(self, *tags: str) -> Column | None:
        """Values of the first of some tags that the block holds; None if it holds none of them.

        Of a tag that stands twice, what has no values does not count.

        Raises
        ------
        StructureError
            The tag stands twice in the block, with different values.
        """
        found = next((self._columns[tag] for tag in map(_canonical, tags) if tag in self._columns), None)
        if found is None:
            return None
        found = [one for one in found if not all(map(is_missing, one.values))] or found
        for other in found[1:]:
            if other.values != found[0].values:
                got = f"{found[0].values[:3]} and {other.values[:3]}"
                raise self.refusal(other.tag, got, "the tag once in a block; delete one of the two", other.line)
        return found[0]

    def value(self, *tags: str) -> str | None:
        """The one value of the first of some tags that has one; None where all are missing, '?' or '.'.

        Raises
        ------
        StructureError
            There are several values.
        """
        for tag in tags:
            column = self.column(tag)
            if column is None or all(map(is_missing, column.values)):
                continue
            if len(column.values) > 1:
                raise self.refusal(column.tag, f"{len(column.values)} values", "one", column.line)
            return column.values[0]
        return None

    def says(self, tag: str) -> bool:
        """Whether a tag has a value other than '?', '.' and 0."""
        return not all(is_missing(text) or text == "0" for one in self._columns[tag] for text in one.values)

    def line(self, tag: str) -> int | None:
        """Number of the line of a tag or of its loop."""
        column = self.column(tag)
        return None if column is None else column.line

    def row_line(self, column: Column, row: int) -> int:
        """Number of the line of one row of a loop, found by its first values; of the loop where rows are not lines."""
        loop = [one for same in self._columns.values() for one in same if one.item == column.item]
        first = " ".join(one.values[row] for one in loop[:2]).split()
        for number in range(column.line, len(self.text.lines)):
            words = self.text.lines[number].replace("'", "").replace('"', "").split()
            if words[: len(first)] == first:
                return number + 1
        return column.line

    def site_line(self, row: int) -> int | None:
        """Number of the line of one row of the atom sites."""
        column = self.column("_atom_site_fract_x")
        return None if column is None else self.row_line(column, row)

    def refusal(self, what: str, got: object, accepted: str, line: int | None = None) -> StructureError:
        """Build the error for something in this block, see `refusal` of the text."""
        return refusal(self.text.path, what, got, accepted, line)

    @property
    def has_structure(self) -> bool:
        """Whether the block lists atom sites with positions."""
        return "_atom_site_fract_x" in self._columns

    @property
    def has_cell(self) -> bool:
        """Whether the block gives the lengths of a cell."""
        return "_cell_length_a" in self._columns


def choose_block(text: CifText, name: str | None = None) -> Block:
    """Find the block with the structure.

    Parameters
    ----------
    text : CifText
        The file.
    name : str, optional
        Name of the block, needed where a file holds several structures.

    Raises
    ------
    StructureError
        There is no structure, or no block of that name, or several structures and no name; or the structure is a
        magnetic or modulated one.
    """
    blocks = [Block(text, block) for block in text.document]
    structures = [block for block in blocks if block.has_structure and block.has_cell]
    if name is not None:
        wanted = name.removeprefix("data_").lower()
        structures = [block for block in structures if block.name.lower() == wanted]
        if not structures:
            names = ", ".join(block.name for block in blocks if block.has_structure and block.has_cell) or "none"
            raise refusal(text.path, "crystal.block", name, f"the name of a block with a structure: {names}")
    if not structures:
        raise _no_structure(text, blocks)
    if len(structures) > 1:
        names = ", ".join(block.name for block in structures)
        number = {2: "two"}.get(len(structures), str(len(structures)))
        advice = f"one, or crystal.block in the configuration with the name of one of these blocks: {names}"
        raise refusal(text.path, "several structures in one file", f"{number} structures", advice)
    _check_kind(structures[0])
    return structures[0]


def _no_structure(text: CifText, blocks: list[Block]) -> StructureError:
    reason = "accepted: a CIF with one crystal structure, its cell (_cell_length_a) and sites (_atom_site_fract_x)"
    for block in blocks:
        if "_atom_site_cartn_x" in block.tags():
            advice = "_atom_site_fract_x, _y, _z: the axes of Cartesian positions are a convention of the program"
            line = block.line("_atom_site_cartn_x")
            return block.refusal("positions", "only _atom_site_Cartn_x, _y, _z", advice, line)
    for block in blocks:
        if block.has_structure:
            return StructureError(
                f"cif: {text.path}: block {block.name} lists atom sites but no cell, {reason}, in one block"
            )
    return StructureError(f"cif: {text.path} holds no cell with atom sites, {reason}")


def _check_kind(block: Block) -> None:
    for tag in block.tags():
        for start, kind in BEYOND.items():
            if tag.startswith(start) and block.says(tag):
                advice = (
                    "a structure with the operations of an ordinary space group, or with all atoms of the "
                    f"{'magnetic cell' if kind == 'magnetic' else 'approximant'} listed in P 1"
                )
                raise block.refusal(f"{kind} structure in block {block.name}", tag, advice, block.line(tag))


def _canonical(tag: str) -> str:
    return tag.lower().replace(".", "_")


def _plain(value: str) -> str:
    return cif.as_string(value).strip() if value[:1] in "'\";" else value
