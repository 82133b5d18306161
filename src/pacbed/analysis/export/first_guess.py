"""What multislice ptychography wants to know of a crystal before it begins: thickness, slices, tilt.

PtyRAD and phaser give the sample a tilt t by multiplying the Fresnel propagator over each slice of depth d with

    exp( 2πi d (k_y tan t_y + k_x tan t_x) )

where a plane wave is exp(2πi k·r), k and r grow with the rows (y) and the columns (x) of the arrays, and the pattern is
|Fourier transform of the exit wave|². A ramp exp(2πi k·d t) moves the wave by −d t against the next slice: the atoms of
a column lie d t further from slice to slice, the zone axis leans towards +t, and the beam along the axis of the
aperture meets the crystal under −t. The mistilt of a result is the shift of the incident directions in the frame of the
crystal, as the image shows it: t is minus the mistilt, the place of the zone axis seen from the centre of the
undiffracted disk.

The formula stands in
https://github.com/chiahao3/ptyrad/blob/3aec3fc4fcc2a991ff45529bc76df722f4027985/src/ptyrad/core/models/ptycho.py
(``init_propagator_vars``; order and unit of the two angles: https://github.com/chiahao3/ptyrad/issues/10) and in
https://github.com/hexane360/phaser/blob/185f9d591628170517ca84a97d7990708fe8dfc8/phaser/engines/common/simulation.py
(``tilt_propagators``; order and unit: ``GlobalTiltProps`` of ``phaser/hooks/__init__.py``). PtyRAD's own estimate of a
tilt, from an atom's place in an upper slice to that in a lower one, has the same sign
(``src/ptyrad/starter/notebooks/get_local_obj_tilts.ipynb`` of its repository).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

from pacbed.analysis.result import Estimate, Result
from pacbed.errors import bad_value

USUAL_SLICE_NM = 1.0
SLICE_RANGE_NM = (0.1, 20.0)


class Slices(NamedTuple):
    """Equal slices that make up a thickness.

    Attributes
    ----------
    number : int
    thickness_nm : float
        Of each [nm].
    """

    number: int
    thickness_nm: float


@dataclass(frozen=True)
class FirstGuess:
    """Thickness and tilt of a crystal, of one pattern or as medians of a map.

    Attributes
    ----------
    thickness : Estimate
        Crystalline thickness along the beam [nm].
    mistilt_x, mistilt_y : Estimate or None
        Mistilt as the image shows it, along its columns and down its rows [mrad]; None where it is not known.
    source : str
        What it was found from, for the reader of the snippet.
    warning : str
        What speaks against it; empty where nothing does.
    """

    thickness: Estimate
    mistilt_x: Estimate | None
    mistilt_y: Estimate | None
    source: str = ""
    warning: str = ""

    @classmethod
    def of_result(cls, result: Result) -> FirstGuess:
        """What one pattern tells.

        Raises
        ------
        ParameterError
            The result is refused, or holds no thickness.
        """
        if result.verdict == "refused" or result.thickness_nm is None:
            raise bad_value("result", result.verdict, "a result that is not refused")
        made = result.provenance
        return cls(
            result.thickness_nm,
            result.mistilt_x_mrad,
            result.mistilt_y_mrad,
            source=f"{made.input}, with {made.bundle}",
            warning="" if result.verdict == "ok" else f"{result.verdict}: {'; '.join(result.reasons)}",
        )

    @property
    def tilt_yx_mrad(self) -> tuple[float, float] | None:
        """The tilt of PtyRAD and phaser, rows first [mrad]; None where it is not known."""
        if self.mistilt_x is None or self.mistilt_y is None:
            return None
        return -self.mistilt_y.value, -self.mistilt_x.value

    def slices(self, slice_nm: float = USUAL_SLICE_NM) -> Slices:
        """As many equal slices of about some thickness as make up the crystal, one at least.

        Parameters
        ----------
        slice_nm : float
            Thickness of a slice [nm].

        Raises
        ------
        ParameterError
            It lies outside `SLICE_RANGE_NM`.
        """
        check_slice(slice_nm)
        number = max(1, round(self.thickness.value / slice_nm))
        return Slices(number, self.thickness.value / number)


def check_slice(slice_nm: float) -> None:
    """Refuse slices that no reconstruction uses.

    Raises
    ------
    ParameterError
        The thickness lies outside `SLICE_RANGE_NM`.
    """
    low, high = SLICE_RANGE_NM
    if not (isfinite(slice_nm) and low <= slice_nm <= high):
        raise bad_value("slice_nm", slice_nm, f"a number from {low:g} to {high:g} [nm]")
