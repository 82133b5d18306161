"""What all windows of a map share, from full fits of a few of them.

Camera and beam do not change during a scan: pixel size, rotation, convergence angle, blur and ellipse are the medians
of the full fits. Their errors shift all windows alike. With the information I of a full fit, inverse of its covariance,
over the unknowns o of a window and the shared ones s, an error e of the shared ones moves the others by

    -I_oo⁻¹ I_os e
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pacbed.analysis.fit.parameters import NAMES, PatternParameters

SHARED = (
    *("pixel_percent", "rotation_deg", "convergence_mrad", "blur_mrad"),
    *("ellipse_plus_percent", "ellipse_cross_percent"),
)
OWN = ("thickness_nm", "mistilt_x_mrad", "mistilt_y_mrad", "center_x_mrad", "center_y_mrad")
ONE_WAY_DEG = 10.0  # fits whose rotations differ by more see the crystal another way round
FEWEST_OK = 3  # fits that are believed; with fewer, doubtful ones count as well
# ASSUME: errors of full fits of one scan are independent and normal, so that the median of n of them errs by 1.25 / √n
# of their scatter (an estimate; measured in benchmarks/maps.md against the truth).
MEDIAN_ERROR = 1.25
MAD_TO_STD = 1.4826


@dataclass(frozen=True)
class Constants:
    """Camera and beam of a scan.

    Attributes
    ----------
    pixel_mrad : float
        Pixel size [mrad].
    rotation_deg : float
        Of the crystal's +x in the image [deg].
    convergence_mrad : float
        Semi-convergence angle [mrad].
    blur_mrad : float
        Standard deviation of the blur [mrad].
    ellipse_percent : tuple of float
        Elliptical distortion of the image [%].
    mirrored : bool
        The camera shows the patterns mirrored.
    fits : int
        Full fits they come from.
    thickness_std_nm : float
        What their errors add to that of every thickness, as a root of squares [nm].
    effects_nm : float
        What effects that may have happened to the pictures add, in the middle of the full fits [nm].
    mismatch : float
        What the best entry of the library leaves of a pattern, in the middle of the full fits.
    """

    pixel_mrad: float
    rotation_deg: float
    convergence_mrad: float
    blur_mrad: float
    ellipse_percent: tuple[float, float]
    mirrored: bool
    fits: int
    thickness_std_nm: float
    effects_nm: float
    mismatch: float

    def applied_to(self, at: PatternParameters) -> PatternParameters:
        """Parameters of a window, its own kept."""
        return replace(
            at,
            pixel_mrad=self.pixel_mrad,
            rotation_deg=self.rotation_deg,
            convergence_mrad=self.convergence_mrad,
            blur_mrad=self.blur_mrad,
            ellipse_percent=self.ellipse_percent,
        )


@dataclass(frozen=True)
class FullFit:
    """What a fit of all unknowns says of one window, without what it was fitted with.

    Attributes
    ----------
    parameters : PatternParameters
    covariance : float array, shape (11, 11)
        See `pacbed.analysis.fit.covariance`.
    mirrored : bool
        The camera shows the pattern mirrored.
    verdict : str
    effects_nm : float
        What effects that may have happened to the picture add to the thickness's standard deviation [nm].
    mismatch : float
        What the best entry of the library leaves of the pattern.
    """

    parameters: PatternParameters
    covariance: np.ndarray
    mirrored: bool
    verdict: str
    effects_nm: float
    mismatch: float


def find_constants(fits: Sequence[FullFit], period_deg: float) -> Constants | None:
    """Medians of full fits; None where none of them can be used.

    Parameters
    ----------
    fits : sequence of FullFit
    period_deg : float
        Rotation that the crystal's symmetry leaves undetermined [deg].
    """
    seen = [fit for fit in fits if fit.verdict != "refused"]
    believed = [fit for fit in seen if fit.verdict == "ok"]
    used = _one_way_round(believed if len(believed) >= FEWEST_OK else seen, period_deg)
    if not used:
        return None
    values = np.array([_shared(fit.parameters, used[0].parameters.rotation_deg, period_deg) for fit in used])
    middle = np.median(values, axis=0)
    scatter = MAD_TO_STD * np.median(np.abs(values - middle), axis=0)
    error = MEDIAN_ERROR * scatter / np.sqrt(len(used))
    return Constants(
        pixel_mrad=float(np.exp(middle[0] / 100)),
        rotation_deg=float((middle[1] + 180) % 360 - 180),
        convergence_mrad=float(middle[2]),
        blur_mrad=float(middle[3]),
        ellipse_percent=(float(middle[4]), float(middle[5])),
        mirrored=used[0].mirrored,
        fits=len(used),
        thickness_std_nm=float(np.median([np.linalg.norm(_thickness_slopes(fit) * error) for fit in used])),
        effects_nm=float(np.median([fit.effects_nm for fit in used])),
        mismatch=float(np.median([fit.mismatch for fit in used])),
    )


def _shared(at: PatternParameters, near_deg: float, period_deg: float) -> list[float]:
    """The shared unknowns, in the order and the units of `SHARED`; the rotation nearest to one."""
    rotation = near_deg + _turn(at.rotation_deg - near_deg, period_deg)
    pixel = 100 * float(np.log(at.pixel_mrad))
    return [pixel, rotation, at.convergence_mrad, at.blur_mrad, *at.ellipse_percent]


def _turn(degrees: float, period_deg: float) -> float:
    """The smallest of equivalent rotations [deg]."""
    return (degrees + period_deg / 2) % period_deg - period_deg / 2


def _one_way_round(fits: Sequence[FullFit], period_deg: float) -> list[FullFit]:
    """The fits that see the crystal as most of them do."""

    def alike(one: FullFit) -> list[FullFit]:
        return [
            other
            for other in fits
            if other.mirrored == one.mirrored
            and abs(_turn(other.parameters.rotation_deg - one.parameters.rotation_deg, period_deg)) < ONE_WAY_DEG
        ]

    return max((alike(one) for one in fits), key=len, default=[])


def _thickness_slopes(fit: FullFit) -> np.ndarray:
    """By how much the thickness follows each of the shared unknowns, shape (shared,) [nm per their unit]."""
    covariance = fit.covariance
    scale = np.sqrt(np.maximum(np.diag(covariance), 1e-30))
    information = np.linalg.pinv(covariance / np.outer(scale, scale), rcond=1e-10) / np.outer(scale, scale)
    own, shared = ([NAMES.index(name) for name in names] for names in (OWN, SHARED))
    slopes = np.linalg.pinv(information[np.ix_(own, own)]) @ information[np.ix_(own, shared)]
    return np.asarray(-slopes[0])
