"""The unit of an axis, however it is spelt: angle, spatial frequency, length, time, or none that says anything."""

from __future__ import annotations

import re
import unicodedata
from math import pi
from typing import Literal, NamedTuple

from pacbed.crystal.electron import mrad_per_inverse_a

Kind = Literal["angle", "frequency", "length", "time", "none"]

ANGLES_MRAD = {
    "mrad": 1.0,
    "milliradian": 1.0,
    "millirad": 1.0,
    "rad": 1e3,
    "radian": 1e3,
    "μrad": 1e-3,
    "urad": 1e-3,
    "microradian": 1e-3,
    "microrad": 1e-3,
    "deg": 1e3 * pi / 180,
    "degree": 1e3 * pi / 180,
    "°": 1e3 * pi / 180,
    "mdeg": pi / 180,
    "millidegree": pi / 180,
}
LENGTHS_NM = {
    "pm": 1e-3,
    "picometer": 1e-3,
    "å": 0.1,
    "a": 0.1,  # nobody gives a pattern in amperes
    "ang": 0.1,
    "angstrom": 0.1,
    "ångström": 0.1,
    "nm": 1.0,
    "nanometer": 1.0,
    "μm": 1e3,
    "um": 1e3,
    "micron": 1e3,
    "micrometer": 1e3,
    "mm": 1e6,
    "millimeter": 1e6,
    "cm": 1e7,
    "m": 1e9,
    "inch": 2.54e7,  # what programs write that know dots per inch
    "in": 2.54e7,
    "meter": 1e9,
}
TIMES = {"s", "sec", "second", "ms", "millisecond", "μs", "us", "ns", "min", "minute", "h"}
SILENT = {
    *("", "px", "pix", "pixel", "1", "none", "nan", "undefined", "unknown", "a.u.", "arb", "arb.units", "n/a", "-"),
    *("dimensionless", "index", "bin", "channel"),
}
SIGNS = str.maketrans({"−": "-", "–": "-", "‐": "-", "‑": "-", "∕": "/", "⁄": "/", "·": None, "⋅": None})
TEX = {r"\mu": "μ", r"\aa": "å", r"\angstrom": "å", r"\circ": "°", r"\degree": "°"}
PER_PIXEL = re.compile(r"(?:/|per)(px|pix|pixel)s?$|(?<=[a-z0-9])(px|pix|pixel)s?\^?-1$")
RECIPROCAL = (
    re.compile(r"^1?/(?P<length>[^/^]+)$"),
    re.compile(r"^(?P<length>[^/^]+?)\^?-1$"),
    re.compile(r"^(?:reciprocal|inverse|inv\.?|per)(?P<length>[^/^]+)$"),
)
RADIANS_PER_LENGTH = re.compile(r"^rad(?:ian)?/(?P<length>[^/^]+)$")


class Unit(NamedTuple):
    """What a unit means.

    Attributes
    ----------
    kind : str
        "angle", "frequency" (1/d), "length", "time", or "none" for what says nothing (pixels, an empty text).
    factor : float
        One unit in mrad, 1/nm or nm; 1 for other kinds.
    """

    kind: Kind
    factor: float = 1.0

    @property
    def is_diffraction(self) -> bool:
        """Whether an axis with this unit lies in the diffraction plane."""
        return self.kind in ("angle", "frequency")


def parse_unit(text: object) -> Unit | None:
    """What the text of a unit means; None where nobody can tell.

    Accepts what microscopes, HyperSpy, py4DSTEM, Prismatic and ImageJ write, in any case: ``1/nm``, ``(1/nm)``,
    ``[n_m^-1]``, ``nm⁻¹``, ``$A^{-1}$``, ``k_A^{-1}``, ``1 / Å``, ``/nm``, ``mrads``, ``°``, ``mrad/px``. A wave number
    of 2π/d is a frequency only where it says so: ``rad/nm``.
    """
    plain = PER_PIXEL.sub("", _plain(text))
    if plain in SILENT or plain.removesuffix("s") in SILENT:
        return Unit("none")
    if (angle := _find(ANGLES_MRAD, plain)) is not None:
        return Unit("angle", angle)
    if (length := _find(LENGTHS_NM, plain)) is not None:
        return Unit("length", length)
    if plain in TIMES or plain.removesuffix("s") in TIMES:
        return Unit("time")
    for pattern in RECIPROCAL:
        if (found := pattern.match(plain)) and (length := _find(LENGTHS_NM, found["length"])) is not None:
            return Unit("frequency", 1 / length)
    if (found := RADIANS_PER_LENGTH.match(plain)) and (length := _find(LENGTHS_NM, found["length"])) is not None:
        return Unit("frequency", 1 / (2 * pi * length))
    return None


def mrad_from_per_nm(per_nm: float, energy_kev: float) -> float:
    """Scattering angle [mrad] of a spatial frequency 1/d [1/nm] at a beam energy [keV]."""
    return per_nm * 0.1 * mrad_per_inverse_a(1e3 * energy_kev)


def per_nm_from_mrad(mrad: float, energy_kev: float) -> float:
    """Spatial frequency 1/d [1/nm] of a scattering angle [mrad] at a beam energy [keV]."""
    return mrad / mrad_from_per_nm(1.0, energy_kev)


def _find(table: dict[str, float], word: str) -> float | None:
    """Value of a word, in the singular or the plural, American or British."""
    for form in (word, word.removesuffix("s"), word.replace("metre", "meter").removesuffix("s")):
        if form in table:
            return table[form]
    return None


def _plain(text: object) -> str:
    """One spelling of the many: lower case, no spaces, brackets, TeX or typographic signs."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    plain = unicodedata.normalize("NFKC", "" if text is None else str(text)).lower()
    plain = plain.partition("\0")[0]  # texts of C end there
    plain = plain.translate(SIGNS).replace("**", "^")
    plain = re.sub(r"\\(?:mathrm|text|rm)\b", "", plain)
    for command, sign in TEX.items():
        plain = plain.replace(command, sign)
    plain = re.sub(r"[\s\\$(){}\[\]<>]", "", plain)
    plain = re.sub(r"2theta|2θ", "", plain)  # the angle by which a beam is scattered
    return re.sub(r"^[kq]_", "", plain).replace("_", "")
