"""Pixel sizes of DigitalMicrograph in mrad."""

from __future__ import annotations

from math import pi, sqrt
from typing import NamedTuple

ANGLES_MRAD = {"mrad": 1.0, "rad": 1e3, "urad": 1e-3, "deg": 1e3 * pi / 180}
FREQUENCIES_PER_NM = {"1/nm": 1.0, "nm-1": 1.0, "1/a": 10.0, "a-1": 10.0, "1/pm": 1e3, "1/um": 1e-3}
SPELT = {"µ": "u", "μ": "u", "å": "a", "°": "deg", "^": "", "(": "", ")": "", " ": "", "−": "-", "¹": "1", "⁻": "-"}


class Pixel(NamedTuple):
    """A pixel size: an angle [mrad], a spatial frequency [1/nm], or neither where the unit says nothing of angles."""

    mrad: float | None = None
    per_nm: float | None = None

    def at(self, energy_kev: float | None) -> float | None:
        """The size [mrad] at a beam energy [keV]; None where it cannot be known."""
        if self.per_nm is not None and energy_kev is not None:
            return self.per_nm * 1e3 * wavelength_nm(energy_kev)
        return self.mrad


def pixel_of(scale: float, unit: str) -> Pixel:
    """The pixel size of a scale in a unit of DigitalMicrograph."""
    plain = unit.strip().lower()
    for letter, instead in SPELT.items():
        plain = plain.replace(letter, instead)
    if plain in ANGLES_MRAD:
        return Pixel(mrad=abs(scale) * ANGLES_MRAD[plain])
    if plain in FREQUENCIES_PER_NM:
        return Pixel(per_nm=abs(scale) * FREQUENCIES_PER_NM[plain])
    return Pixel()


def wavelength_nm(energy_kev: float) -> float:
    """Wavelength [nm] of electrons of an energy [keV] (Reimer and Kohl, Transmission Electron Microscopy, 2008)."""
    volt = 1e3 * energy_kev
    return 1.226425966 / sqrt(volt * (1 + 0.978475598e-6 * volt))
