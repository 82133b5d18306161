"""The size of a crystal's cell at a glance into its CIF file: no parser is loaded, no symmetry worked out."""

import math
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

UNKNOWN_CELL_A2 = 100.0  # where the CIF says nothing; larger than beryl [0001] with 73
_NUMBER = r"\s+'?([0-9]+\.?[0-9]*)"


@cache
def cell_area_a2(cif: Path, zone_axis: tuple[int, int, int]) -> float:
    """Area of one cell seen along a zone axis [Å^2]; centring, which makes it smaller, is not looked at.

    Parameters
    ----------
    cif : path
        CIF file; where it says nothing, or is missing, a large cell is assumed.
    zone_axis : three ints
        [u, v, w] of the direct lattice, not all zero.
    """
    try:
        text = cif.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return UNKNOWN_CELL_A2
    lengths = _numbers(text, "length", ("a", "b", "c"))
    angles = _numbers(text, "angle", ("alpha", "beta", "gamma"))
    if lengths is None or angles is None:
        return UNKNOWN_CELL_A2
    metric = _metric(lengths, angles)
    volume = math.sqrt(max(0.0, _determinant(metric)))
    shared = math.gcd(*zone_axis)
    axis = [index // shared for index in zone_axis]
    period = math.sqrt(sum(axis[i] * metric[i][j] * axis[j] for i in range(3) for j in range(3)))
    return volume / period or UNKNOWN_CELL_A2


def _numbers(text: str, kind: str, names: Sequence[str]) -> list[float] | None:
    found = [re.search(rf"^_cell_{kind}_{name}{_NUMBER}", text, flags=re.MULTILINE | re.IGNORECASE) for name in names]
    values = [float(match[1]) for match in found if match]
    return values if len(values) == len(names) and all(values) else None


def _metric(lengths: Sequence[float], angles_deg: Sequence[float]) -> list[list[float]]:
    """Scalar products of the lattice vectors [Å^2]."""
    a, b, c = lengths
    alpha, beta, gamma = (math.cos(math.radians(angle)) for angle in angles_deg)
    return [
        [a * a, a * b * gamma, a * c * beta],
        [a * b * gamma, b * b, b * c * alpha],
        [a * c * beta, b * c * alpha, c * c],
    ]


def _determinant(m: Sequence[Sequence[float]]) -> float:
    return (
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
        - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
        + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    )
