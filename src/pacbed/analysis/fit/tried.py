"""What came of trying one effect on a fitted pattern."""

from __future__ import annotations

from typing import NamedTuple


class TriedEffect(NamedTuple):
    """One effect that may have happened to the picture.

    Attributes
    ----------
    name : str
        See `pacbed.analysis.fit.effects`.
    unit : str
        Of size and standard deviation; empty for a share or a ratio.
    size, std : float
        Its most likely size, and the standard deviation.
    widths : float
        The size over what is usual, the width of its prior.
    held_out_gain : float
        By how much the residual of sectors that were not fitted falls with it, over that residual.
    adopted : bool
        The answer has it in it.
    thickness_shift_nm : float
        How far it moves the thickness.
    thickness_std_nm : float
        What it adds to the thickness's standard deviation, as a root of squares [nm].
    """

    name: str
    unit: str
    size: float
    std: float
    widths: float
    held_out_gain: float
    adopted: bool
    thickness_shift_nm: float
    thickness_std_nm: float
