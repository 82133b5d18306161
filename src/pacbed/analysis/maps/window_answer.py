"""One window of a map: where its fit starts, the fit, and what speaks against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pacbed.analysis import estimates
from pacbed.analysis.fit.covariance import noise_share
from pacbed.analysis.fit.cutout import Cutout
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.refinement import COARSE, Fit, Refinement
from pacbed.analysis.libraries.of_angle import library_for
from pacbed.analysis.maps.answer import WindowAnswer, bright_field
from pacbed.analysis.maps.constants import Constants
from pacbed.analysis.maps.frame_match import Found, FrameMatch
from pacbed.analysis.maps.window_fit import WindowFit, begin, coarse_chi_square, finish, window_covariance
from pacbed.analysis.options import Conditions
from pacbed.analysis.picture.examine import Picture, examine
from pacbed.analysis.recording.pattern_file import Pattern
from pacbed.analysis.verdicts.findings import Findings
from pacbed.analysis.verdicts.fit import judge_fit
from pacbed.analysis.verdicts.picture import judge_input, judge_precision
from pacbed.bundle.reader import Bundle

ROUNDS = 2  # of derivatives after the first, at most
STARTS, WITHIN = 2, 1.2  # places to start from, and by how much more they may leave of a pattern than the best
BARE_NM, HIDDEN = 6.0, 0.5  # a thicker crystal is never taken for none, unless noise leaves so large a misfit
# ASSUME: where a bare disk leaves at most so many times the residual of the best crystal there is none (an estimate: a
# crystal of 2 nm leaves 1.2 times and more at 1e5 electrons).
BARE_RATIO = 1.03
NOISE_ONLY = 1.5  # of `coarse_chi_square`: nothing is left but noise


class WindowFitter:
    """Answers for windows of one scan.

    Parameters
    ----------
    bundle : Bundle
    conditions : Conditions
        How the scan was recorded.
    constants : Constants
    mask : bool array, shape (y, x), or None
        Pixels that are not used.
    """

    def __init__(self, bundle: Bundle, conditions: Conditions, constants: Constants, mask: np.ndarray | None) -> None:
        self._bundle, self._conditions, self._constants, self._mask = bundle, conditions, constants, mask
        self._library = library_for(bundle, conditions.convergence_mrad)
        self._match = FrameMatch(self._library, bundle.table.group, constants)

    def answer(self, pattern: Pattern, *, starts: int = STARTS) -> WindowAnswer:
        """Thickness, tilt and place of one pattern.

        Parameters
        ----------
        pattern : Pattern
            Mean of a window.
        starts : int
            Places that the library proposes, at most.

        Raises
        ------
        PatternError
            There is no pattern to speak of.
        """
        picture, findings, meta = examine(pattern, self._mask), Findings(), self._bundle.meta
        judge_input(findings, meta, self._conditions, picture, self._library.radius_mrad)
        refinement = self._refined(picture, starts)
        model, at = refinement.model, refinement.best.parameters
        judge_fit(findings, refinement, meta, self._conditions, self._bundle.table)
        values = estimates.refined_values(
            refinement, meta, period_deg=self._bundle.table.rotation_period_deg, mirrored=model.mirrored
        )
        constants, alone = self._constants, float(values["thickness_nm"].std_pattern)
        whole = float(np.linalg.norm([alone, constants.thickness_std_nm, constants.effects_nm]))
        thickness = estimates.thickness(at.thickness_nm, whole, meta)
        judge_precision(findings, meta.thresholds, thickness, refinement)
        seen = {
            "misfit": refinement.best.misfit,
            "chi_square": coarse_chi_square(model, at),
            "bright_field": bright_field(picture),
            "center_x_px": at.center_px[0],
            "center_y_px": at.center_px[1],
        }
        if is_bare(model, refinement.best, noise=refinement.noise, worst=meta.thresholds.misfit_doubtful):
            return WindowAnswer(**seen, verdict="vacuum", reasons=("no crystal: a bare disk fits as well",))
        x, y = values["mistilt_x_mrad"], values["mistilt_y_mrad"]
        return WindowAnswer(
            **seen,
            thickness_nm=at.thickness_nm,
            thickness_std_statistical_nm=whole,
            thickness_std_model_nm=float(thickness.std_model or 0.0),
            mistilt_x_mrad=x.value,
            mistilt_y_mrad=y.value,
            mistilt_x_std_mrad=float(x.std),
            mistilt_y_std_mrad=float(y.std),
            verdict=findings.verdict,
            reasons=tuple(findings.reasons),
        )

    def _refined(self, picture: Picture, starts: int) -> Refinement:
        cutout = Cutout.around(picture.array, picture.outline, pixels=COARSE.pixels, used=picture.used)
        model = ForwardModel(self._bundle.renderer, cutout, mirrored=self._constants.mirrored)
        found = self._match.starts(picture.array, picture.outline, starts)
        proposed = _near_the_best(found) if starts <= STARTS else [one.parameters for one in found]
        ends = sorted((begin(model, one) for one in proposed), key=_misfit)
        best = finish(model, ends[0], rounds=ROUNDS)
        others = tuple(Fit(one.parameters, one.misfit) for one in ends[1:])
        at = Fit(best.parameters, best.misfit)
        return Refinement(at, others, at, model, window_covariance(model, best), noise_share(model))


def _near_the_best(found: Sequence[Found]) -> list[PatternParameters]:
    """Those that leave hardly more of the pattern than the best."""
    most = WITHIN * (1 - found[0].correlation ** 2)
    return [one.parameters for one in found if 1 - one.correlation**2 <= most]


def _misfit(fit: WindowFit) -> float:
    return fit.misfit


def is_bare(model: ForwardModel, best: Fit, *, noise: float, worst: float) -> bool:
    """Whether a disk without a crystal fits as well, and not badly.

    Parameters
    ----------
    model : ForwardModel
    best : Fit
        Of the crystal.
    noise : float
        Share of the misfit that noise accounts for.
    worst : float
        Misfit beyond noise above which a fit is not believed.
    """
    if best.parameters.thickness_nm > BARE_NM and best.misfit < HIDDEN:
        return False
    bare = replace(best.parameters, thickness_nm=0.0)
    left = model.misfit(model.residual(bare))
    if left > BARE_RATIO * best.misfit:
        return False
    return left**2 - noise**2 <= worst**2 or coarse_chi_square(model, bare) <= NOISE_ONLY
