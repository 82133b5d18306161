"""Space groups by name: symbols and their settings, origins and axes, Hall symbols, bare numbers."""

from __future__ import annotations

import re
from functools import cache

import gemmi
import numpy as np

from pacbed.crystal.reading.blocks import Block
from pacbed.crystal.reading.cell import UnitCell
from pacbed.crystal.reading.operations import Operations, from_gemmi
from pacbed.errors import StructureError

SYMBOLS = (
    *("_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m", "_space_group_name_h-m"),
    *("_space_group_name_h-m_full", "_symmetry_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m_full"),
)
HALLS = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
NUMBERS = ("_space_group_it_number", "_symmetry_int_tables_number")
CHOICES = {"S": "1", "Z": "2", "O1": "1", "O2": "2", "1": "1", "2": "2", "H": "H", "R": "R"}
UNSEEN = str.maketrans("", "", "_()")
CHOICE = re.compile(r"\s*(?::\s*([12SZHRszhr])|(?<=\S)\s*(O[12]|[SZHR]))\s*$")
# How symbols are printed: subscripts, italics and bars of HTML, TeX and the IUCr's own mark-up, and a note behind.
MARKUP = re.compile(r"</?(?:sub|sup|i|b|em)>|\\(?:mathrm|text|rm|it)\b|[${}]", re.IGNORECASE)
LOWERED = re.compile(r"~(\d)~")  # a single ~ is a sign that the file may not hold
BARRED = re.compile(r"(?:\\(?:bar|overline)\s*|\\=)\{?\s*(\d)\s*\}?")
NUMBER = re.compile(
    r"(?:\s+\(\s*(?:#|no\.?)?|\s*\(\s*(?:#|no\.?)|\s*[,;]\s*(?:#|no\.?)?|\s+(?:#|no\.))\s*(\d{1,3})\s*\)?$", re.I
)
ORIGIN = re.compile(r"\s*[(,]?\s*origin\s*(?:choice|no\.?|at)?\s*:?\s*([12])\s*\)?$", re.IGNORECASE)
AXES = re.compile(r"\s*[(,]?\s*\b(h)ex(?:agonal)?\b\.?(?:\s+(?:axes|setting|cell))?\s*\)?$", re.IGNORECASE)
SAY = "the operations as _space_group_symop_operation_xyz, or the full symbol as _space_group_name_H-M_alt"


def space_group_name(block: Block) -> str:
    """Symbol, Hall symbol or number that a block gives, the first of them; empty if it gives none."""
    number = block.value(*NUMBERS)
    return block.value(*SYMBOLS) or block.value(*HALLS) or (f"number {number}" if number else "")


def disagreement(block: Block, operations: Operations) -> list[str]:
    """A note where the file names another space group than that of the operations it lists.

    Raises
    ------
    StructureError
        They lack the centring that the name has: atoms would be missing.
    """
    symbol, number = block.value(*SYMBOLS), block.value(*NUMBERS)
    named = gemmi.find_spacegroup_by_name(_short(split_choice(symbol)[0])) if symbol else None
    stated = str(named.number) if named is not None else number
    listed = gemmi.find_spacegroup_by_name(operations.name)
    if stated is None or listed is None or stated == str(listed.number):
        return []
    if named is not None and len(operations) > 1 and _centrings(_setting(named)) > _centrings(operations):
        what = f"the operations beside space group {symbol}"
        advice = f"all operations, those with the centring {named.hm[0]} too; or none and {SAY}"
        raise block.refusal(what, f"{len(operations)} operations of {operations.name}", advice, block.line(SYMBOLS[0]))
    return [
        f"the file names space group {space_group_name(block)}, its operations are those of {operations.name} "
        f"(number {listed.number}); the operations are used"
    ]


def _centrings(operations: Operations) -> int:
    """Number of operations that are translations alone, or none."""
    return int(np.sum(np.all(operations.rotations == np.eye(3), axis=(1, 2))))


def named_settings(block: Block, cell: UnitCell) -> list[Operations]:
    """Settings of a space group that symbol, Hall symbol and number leave open, of those that fit the cell.

    A Hall symbol is exact. A full symbol leaves two origins open at most, and R the axes, which the cell tells; a
    short monoclinic symbol means the unique axis b, or the one that the cell has. A number alone leaves all settings
    open that fit the cell. Where none fits, what was named is returned, for a message with numbers.

    Returns
    -------
    list of Operations
        At least one.

    Raises
    ------
    StructureError
        The file says nothing of symmetry, a name is not known, two names contradict each other, or the settings of a
        number differ by more than the origin.
    """
    hall, symbol, number = block.value(*HALLS), block.value(*SYMBOLS), block.value(*NUMBERS)
    if not (hall or symbol or number):
        raise StructureError(
            f"cif: {block.text.path} says nothing of symmetry, accepted: a list of operations, or a space group "
            "('P 1' if the file lists every atom of the cell)"
        )
    if number and not (number.isdigit() and 1 <= int(number) <= 230):
        line = next(line for line in map(block.line, NUMBERS) if line)
        raise block.refusal("number of the space group", number, f"1 to 230; or {SAY}", line)
    if symbol:
        found = _by_symbol(block, symbol, int(number or 0), cell)
    elif number and not hall:
        found = _by_number(block, int(number), cell)
    else:
        found = []
    return found if hall is None else [_by_hall(block, hall, found, int(number or 0))]


def _by_hall(block: Block, hall: str, others: list[Operations], number: int) -> Operations:
    line = next(line for line in map(block.line, HALLS) if line)
    try:
        group = gemmi.symops_from_hall(hall)
    except (ValueError, RuntimeError):
        raise block.refusal("Hall symbol", hall, f"a Hall symbol, or none and {SAY}", line) from None
    operations = from_gemmi(hall, list(group))
    known = gemmi.find_spacegroup_by_ops(group)
    if others and operations.key() not in {other.key() for other in others}:
        named = " or ".join(sorted({other.name for other in others}))
        raise block.refusal(f"Hall symbol beside {named}", hall, "two names of one setting; delete the wrong one", line)
    if number and known is not None and known.number != number:
        got = f"{hall!r} (number {known.number}) and number {number}"
        raise block.refusal("Hall symbol and number of the space group", got, "the same group", line)
    return operations if known is None else Operations(known.xhm(), operations.rotations, operations.translations)


def _by_symbol(block: Block, symbol: str, number: int, cell: UnitCell) -> list[Operations]:
    line = next(line for line in map(block.line, SYMBOLS) if line)
    bare, choice = split_choice(symbol)
    noted = NUMBER.search(symbol)
    stated = {number, int(noted[1]) if noted else 0} - {0}
    group = gemmi.find_spacegroup_by_name(_short(bare), float(cell.parameters[3]), float(cell.parameters[5]))
    if group is None:
        group = gemmi.find_spacegroup_by_name(bare, float(cell.parameters[3]), float(cell.parameters[5]))
    if group is None or bare.isdigit():
        raise block.refusal(
            "symbol of the space group, symmetry is not understood", symbol, f"a known one; {SAY}", line
        )
    if wrong := stated - {group.number}:
        got = f"{symbol!r} (number {group.number}) and number {min(wrong)}"
        raise block.refusal("symbol and number of the space group", got, "the same group; correct the wrong one", line)
    same = [one for one in _table() if one.hm == group.hm]
    if choice:
        chosen = [one for one in same if one.ext == choice]
        if not chosen:
            kinds = ", ".join(one.xhm() for one in same)
            raise block.refusal("origin or axes of the space group", symbol, kinds, line)
        return [_setting(one) for one in chosen]
    fitting = _fitting(same, cell)
    if not fitting and "1" not in bare.split():
        fitting = _fitting([one for one in _table() if _axes(one.hm) == _axes(group.hm)], cell)
    return _distinct(fitting or same)


def _by_number(block: Block, number: int, cell: UnitCell) -> list[Operations]:
    settings = [one for one in _table() if one.number == number]
    reference = next(one for one in settings if one.is_reference_setting())
    if number not in range(3, 75):  # neither monoclinic nor orthorhombic: one standard setting
        settings = [one for one in settings if one.hm == reference.hm]
    found = _distinct(_fitting(settings, cell) or [reference])
    if len({operations.name.partition(":")[0] for operations in found}) > 1:
        names = ", ".join(operations.name for operations in found)
        line = next(line for line in map(block.line, NUMBERS) if line)
        what = "number of the space group, and no symbol"
        raise block.refusal(what, str(number), f"{SAY}; the cell fits {names}", line)
    return found


def split_choice(symbol: str) -> tuple[str, str]:
    """Symbol without what marks its origin or axes, and the mark: "1", "2", "H", "R" or empty.

    ``:1`` and ``:2`` after a colon, ``S`` and ``Z`` as the ICSD writes them, ``:H`` and ``:R`` or a last H or R; or in
    words, such as ``(origin choice 2)``. What makes a symbol look as in print is left out, and the number behind it.
    """
    text = NUMBER.sub("", LOWERED.sub(r"\1", MARKUP.sub("", BARRED.sub(r"-\1", symbol))).strip())
    text = AXES.sub(r":\1", ORIGIN.sub(r":\1", text))
    text = re.sub(r" ?/ ?", "/", " ".join(text.replace("\\_", "").translate(UNSEEN).split()))
    match = CHOICE.search(text)
    if match is None:
        return text, ""
    return text[: match.start()].strip(), CHOICES[(match[1] or match[2]).upper()]


def _short(symbol: str) -> str:
    """Symbol in its short form: 'F 4/m -3 2/m' is 'F m -3 m', 'P 21/n 21/m 21/a' is 'P n m a'."""
    lattice, *axes = symbol.split()
    if len(axes) < 2 or (axes[0] == "1" or axes[1:] == ["1", "1"] or axes[-1] == axes[1] == "1"):
        return symbol
    keep_first = axes[0][0] in "346" and axes[1] not in ("-3", "3")
    shortened = [
        axis if "/" not in axis or (index == 0 and keep_first) else axis.partition("/")[2]
        for index, axis in enumerate(axes)
    ]
    return " ".join([lattice, *shortened])


def _axes(symbol: str) -> list[str]:
    """Parts of a symbol without those that only say which axis is the unique one."""
    return [part for part in symbol.split() if part != "1"]


@cache
def _table() -> list[gemmi.SpaceGroup]:
    return list(gemmi.spacegroup_table())


def _fitting(settings: list[gemmi.SpaceGroup], cell: UnitCell) -> list[gemmi.SpaceGroup]:
    return [one for one in settings if cell.misfit(_setting(one).rotations).max() <= 1]


def _distinct(settings: list[gemmi.SpaceGroup]) -> list[Operations]:
    found = {operations.key(): operations for operations in reversed(list(map(_setting, settings)))}
    return list(reversed(found.values()))


def _setting(group: gemmi.SpaceGroup) -> Operations:
    return from_gemmi(group.xhm(), list(group.operations()))
