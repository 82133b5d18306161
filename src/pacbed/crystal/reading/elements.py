"""Chemical elements as symbols and labels of a CIF name them, and formulas."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import gemmi

# Elements with form factors (Lobato and Van Dyck 2014): up to lawrencium.
NAMES = {gemmi.Element(number).name.lower(): gemmi.Element(number).name for number in range(1, 104)} | {"d": "D"}
CHARGE = r"(?:\d+(?:\.\d+)?[+-]|[+-](?:\d+(?:\.\d+)?)?|\d*)"
SYMBOL = re.compile(rf"([A-Za-z]{{1,2}}){CHARGE}")
GROUP = re.compile(r"[A-Z]{2}[2-9]")  # CO3, PO4, NO3
VALENCE_TABLE = {"cval": "C", "siva": "Si"}  # names of form factors in the International Tables
WATER = re.compile(r"O[WH](?![a-z])", re.IGNORECASE)  # oxygen of water or of a hydroxyl group
MIXED_LABEL = re.compile(r"[A-Z][a-z]?\d*[/,;]\s*[A-Z]")  # Si/Al
MIXED = re.compile(r"([A-Z][a-z]?)(\d*\.\d+)|[,/;]|\)")
# In capitals these are rather groups and kinds of sites (NO3, PO4, PA) than the element, all of whose isotopes decay.
RARE = {name.lower() for name in re.findall(r"\w+", "Pm Po At Rn Fr Ra Ac Pa Am Cm Bk Cf Es Fm Md No Lr")}
ADVICE = "the symbol of a chemical element as _atom_site_type_symbol"
NON_METALS = re.findall(r"\w+", "H He B C N O F Ne Si P S Cl Ar Ge As Se Br Kr Sb Te I Xe Po At Rn")


class UnknownElementError(ValueError):
    """A symbol or label names no element; the text is what is accepted."""


def element_of_symbol(symbol: str) -> str:
    """Element of a type symbol, its charge dropped: in any case, and never a shorter one; D stays D.

    Raises
    ------
    UnknownElementError
        The symbol is another one: a mixed site, a group, a dummy.
    """
    match = SYMBOL.fullmatch(symbol)
    _refuse_capitals(match[1] if match else "", symbol)
    if GROUP.fullmatch(symbol) and {symbol[0].lower(), symbol[1].lower()} <= NAMES.keys():
        raise UnknownElementError(f"{ADVICE}, its second letter small; {symbol} may be a group of two elements")
    if match and match[1].lower() in NAMES:
        return NAMES[match[1].lower()]
    if symbol.lower() in VALENCE_TABLE:
        return VALENCE_TABLE[symbol.lower()]
    if match and WATER.fullmatch(match[1]):
        return "O"
    raise UnknownElementError(_advice(symbol))


def element_of_label(label: str) -> str:
    """Element that the letters of a label begin with, the longest; for files without type symbols.

    Accepted are an element alone (Fe1, SI2, O1A), one in two letters and a capital (SiT1), and oxygen (OW1, OH2, Obr);
    what may mean a group, a kind of site or several elements (Wat, NH4, Vac, MnFe, Si/Al) is not read as its first
    letters.

    Raises
    ------
    UnknownElementError
        The label begins with no element, or may mean something else.
    """
    match = re.match(r"[A-Za-z]+", label)
    letters = match[0] if match else ""
    if re.match(r"H2O", label, re.IGNORECASE):
        raise UnknownElementError(f"{ADVICE}: {label} is not H; write O, and H as sites of their own")
    if MIXED_LABEL.match(label) or _names_two(label):
        raise UnknownElementError(_advice(label))
    _refuse_capitals(letters, label)
    if letters.lower() in NAMES:
        return NAMES[letters.lower()]
    if letters[:2] in NAMES.values() and len(letters) > 2 and letters[1].islower() and letters[2].isupper():
        return letters[:2]
    if letters[:1] == "O" and letters[:2].lower() not in NAMES and not letters.lower().startswith("oct"):
        return "O"
    raise UnknownElementError(_advice(label))


def _names_two(label: str) -> bool:
    """Whether a label names two elements, the second in two letters: MnFe, Al1Si, but not TiO, SiA, FeM."""
    match = re.match(r"([A-Z][a-z]?)\d*([A-Z][a-z])", label)
    return match is not None and {match[1].lower(), match[2].lower()} <= NAMES.keys()


def _refuse_capitals(letters: str, text: str) -> None:
    if len(letters) == 2 and letters.isupper() and letters.lower() in RARE:
        raise UnknownElementError(f"{ADVICE}, its second letter small; {text} may be something else")


def _advice(text: str) -> str:
    parts = [(name, part) for name, part in re.findall(r"([A-Z][a-z]?)(\d*\.\d+)?", text) if name.lower() in NAMES]
    if MIXED.search(text) and parts:
        rows = " and ".join(f"{name}1 {name} x y z {part or '...'}" for name, part in parts)
        return (
            f"one element; for a mixed symbol write one row for each with the same position and its occupancy: {rows}"
        )
    return ADVICE


def parse_formula(text: str) -> dict[str, tuple[float, float]] | None:
    """Numbers of atoms in a formula such as 'O3 Sr Ti', with half a unit of the last digit; None if it is no such sum.

    Returns
    -------
    dict of str to (float, float) or None
        By element: number, and what its digits leave open (0 for whole numbers).
    """
    counts: dict[str, tuple[float, float]] = {}
    for word in re.sub(r"(?<=[\w.)])(?=[A-Z])", " ", text).split():
        match = re.fullmatch(r"([A-Z][a-z]?)(\d*\.?\d*)(?:\(\d+\))?", word)
        if match is None or match[1].lower() not in NAMES or match[2] == ".":
            return None
        value, decimals = float(match[2] or 1), len(match[2].partition(".")[2])
        known = counts.get(match[1], (0.0, 0.0))
        counts[match[1]] = (known[0] + value, known[1] + (0.5 * 10.0**-decimals if decimals else 0.0))
    return counts or None


def formula(counts: Mapping[str, float], sharing: Mapping[str, str], multiplicities: list[int]) -> str:
    """Formula of a cell's content for one formula unit, metals first: 'SrTiO3', 'La0.7Sr0.3MnO3'.

    Parameters
    ----------
    counts : mapping of str to float
        Atoms of the cell by element, occupancies counted.
    sharing : mapping of str to str
        For each element that does not fill all of its sites, the first in the alphabet of those that share them,
        itself included. They stand together, and in the search for the unit they count as one.
    multiplicities : list of int
        Of the sites; their common divisor is the number of units where nothing else tells.
    """
    together: dict[str, float] = {}
    for name, count in counts.items():
        key = sharing.get(name, name)
        together[key] = together.get(key, 0.0) + count
    whole = [round(count) for count in together.values() if abs(count - round(count)) < 0.01 and round(count) > 0]
    units = math.gcd(*whole) if whole else math.gcd(*multiplicities)
    ordered = sorted(counts, key=lambda name: (name in NON_METALS, sharing.get(name, name), name))
    return "".join(name + _amount(counts[name] / units) for name in ordered)


def _amount(value: float) -> str:
    shown = f"{value:.3f}".rstrip("0").rstrip(".")
    return "" if shown == "1" else shown
