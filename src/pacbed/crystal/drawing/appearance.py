"""Colour and size of atoms in pictures."""

from __future__ import annotations

from collections.abc import Collection

import gemmi
from matplotlib import colormaps
from matplotlib.colors import to_hex

# Non-metals as chemists draw them. Other elements take colours that the colour-blind can tell apart too (Okabe and Ito
# 2008), the heaviest first.
NON_METALS = {
    "H": "#f2f2f2", "C": "#4d4d4d", "N": "#56b4e9", "O": "#d62728", "F": "#b5d93b", "P": "#ff9d3b",
    "S": "#f0e442", "Cl": "#66c266",
}  # fmt: skip
OTHERS = ("#009e73", "#0072b2", "#e69f00", "#cc79a7", "#8c6d31", "#6a3d9a", "#9a9a9a", "#17becf")
VACANT = "#ffffff"
SMALLEST_A, PER_COVALENT_RADIUS = 0.20, 0.24  # of a disc: large enough for hydrogen, small enough to see between


def element_colours(symbols: Collection[str]) -> dict[str, str]:
    """Colours that tell the elements of one crystal apart, by chemical symbol, light elements last.

    Parameters
    ----------
    symbols : collection of str
        Chemical symbols; repeated ones count once.
    """
    elements = sorted(set(symbols), key=lambda symbol: -gemmi.Element(symbol).atomic_number)
    others = [symbol for symbol in elements if symbol not in NON_METALS]
    palette = list(OTHERS)
    if len(others) > len(OTHERS):
        palette = [to_hex(colormaps["hsv"](index / len(others))) for index in range(len(others))]
    given = dict(zip(others, palette, strict=False))
    return {symbol: NON_METALS.get(symbol) or given[symbol] for symbol in elements}


def disc_radius_a(symbol: str) -> float:
    """Radius of an atom's disc [Å]: it grows with the covalent radius (Cordero 2008)."""
    return SMALLEST_A + PER_COVALENT_RADIUS * gemmi.Element(symbol).covalent_r
