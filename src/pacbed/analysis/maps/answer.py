"""What a map holds of one window."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from pacbed.analysis.picture.examine import Picture
from pacbed.analysis.result import Result

VERDICTS = ("ok", "doubtful", "refused", "unusable", "vacuum")  # codes of the verdict map; unusable: no pattern at all
CENTRAL = 0.5  # radius of the bright-field detector in units of the bright region's
VACUUM = "vacuum"  # the effect's name
REFUSED = VERDICTS.index("refused")  # from here on, a window counts as a hole


@dataclass(frozen=True)
class WindowAnswer:
    """What became of one window; not a number where it is not known.

    Attributes
    ----------
    thickness_nm, thickness_std_statistical_nm, thickness_std_model_nm : float
        Thickness, and the two parts of its standard deviation [nm].
    mistilt_x_mrad, mistilt_y_mrad, mistilt_x_std_mrad, mistilt_y_std_mrad : float
        In the frame of the patterns, x to the right, y down [mrad].
    center_x_px, center_y_px : float
        Of the optic axis in the pattern [pixels].
    misfit, chi_square : float
        See `Fit` and `coarse_chi_square`.
    vacuum_share : float
        Share of the window without a crystal, where it was fitted.
    bright_field : float
        Mean counts within half the bright region's radius.
    verdict : str
        One of `VERDICTS`.
    reasons : tuple of str
        Why not to believe it.
    """

    thickness_nm: float = np.nan
    thickness_std_statistical_nm: float = np.nan
    thickness_std_model_nm: float = np.nan
    mistilt_x_mrad: float = np.nan
    mistilt_y_mrad: float = np.nan
    mistilt_x_std_mrad: float = np.nan
    mistilt_y_std_mrad: float = np.nan
    center_x_px: float = np.nan
    center_y_px: float = np.nan
    misfit: float = np.nan
    chi_square: float = np.nan
    vacuum_share: float = np.nan
    bright_field: float = np.nan
    verdict: str = "unusable"
    reasons: tuple[str, ...] = ()


NUMBERS = tuple(one.name for one in fields(WindowAnswer) if one.name not in ("verdict", "reasons"))


def answer_of(result: Result, center_px: tuple[float, float], bright_field: float) -> WindowAnswer:
    """What a map holds of a prediction.

    Parameters
    ----------
    result : Result
    center_px : tuple of float
        Column and row of the optic axis.
    bright_field : float
        See `WindowAnswer`.
    """

    def number(name: str, part: str = "value") -> float:
        found = getattr(result, name)
        value = None if found is None else getattr(found, part)
        return np.nan if value is None else float(value)

    shares = [one.size if one.adopted else 0.0 for one in result.effects or [] if one.name == VACUUM]
    return WindowAnswer(
        thickness_nm=number("thickness_nm"),
        thickness_std_statistical_nm=number("thickness_nm", "std_pattern"),
        thickness_std_model_nm=number("thickness_nm", "std_model"),
        mistilt_x_mrad=number("mistilt_x_mrad"),
        mistilt_y_mrad=number("mistilt_y_mrad"),
        mistilt_x_std_mrad=number("mistilt_x_mrad", "std"),
        mistilt_y_std_mrad=number("mistilt_y_mrad", "std"),
        center_x_px=center_px[0],
        center_y_px=center_px[1],
        misfit=np.nan if result.misfit is None else result.misfit,
        vacuum_share=shares[0] if shares else np.nan,
        bright_field=bright_field,
        verdict=result.verdict,
        reasons=tuple(result.reasons),
    )


def bright_field(picture: Picture) -> float:
    """Mean counts of the middle of the bright region, wherever descan has put it."""
    outline = picture.outline
    row, column = np.ogrid[: picture.array.shape[0], : picture.array.shape[1]]
    squared = (column - outline.center_px[0]) ** 2 + (row - outline.center_px[1]) ** 2
    inside = squared <= (CENTRAL * outline.radius_px) ** 2
    return float(picture.array[inside].mean()) if inside.any() else float("nan")
