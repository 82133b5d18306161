"""What speaks against a result because of light about the middle of the disk that neither crystal nor aperture makes.

A halo or a ring below the fringes, as of an amorphous layer that is not seen through the whole aperture, of the camera
or of the optics, weakens some fringes more than others. The fit is asked how far the thickness moves if such light may
be there as well: a centred ring at each of some radii, each as strong as the picture likes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pacbed.analysis.fit.effects.effect import ChangedModel, Effect
from pacbed.analysis.fit.effects.trial import Fitted, Trial, try_effect
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.refinement import Refinement
from pacbed.analysis.fit.restraints import Restraints
from pacbed.analysis.verdicts.findings import Findings, Severity

FAR_NM, FAR = 0.8, 0.03  # thickness that a halo may move, or of it the share: one step sees less than a whole fit
LEAST_GAIN = 0.01  # see `Effect.least_gain`; halos that mislead reach 0.02, diffuse scattering too, but moves little
RINGS = ((0.0, 0.35), (0.4, 0.25), (0.8, 0.25), (1.2, 0.25))  # radius and width, in radii of the disk
DISK = 0.9  # its level is taken so far from its middle


@dataclass(frozen=True)
class Halo(Effect):
    """Centred rings of light; the size is the length of their heights over the disk's level [1]."""

    name: str = "halo"
    unit: str = ""
    width: float = 0.1
    sizes: tuple[float, ...] = ()
    largest: float = 0.5
    parts: int = len(RINGS)

    @property
    def least_gain(self) -> float:
        """See `Effect.least_gain`."""
        return LEAST_GAIN

    def applied(self, model: ForwardModel, amounts: np.ndarray) -> ForwardModel:
        """See `Effect.applied`."""

        def change(inner: ForwardModel, at: PatternParameters) -> np.ndarray:
            sharp = inner.sharp(at)
            angle = np.hypot(*inner.cutout.geometry(at, mirrored=inner.mirrored).angles_mrad()) / at.convergence_mrad
            level = float(sharp[angle < DISK].mean())
            light = sum(
                amount * np.exp(-0.5 * ((angle - radius) / wide) ** 2)
                for amount, (radius, wide) in zip(amounts, RINGS, strict=True)
            )
            return np.asarray(sharp + self.width * level * light)

        return ChangedModel(model, change)


def halo_trial(refinement: Refinement, coarse: ForwardModel, restraints: Restraints) -> Trial:
    """What centred rings of light would explain of a fit, and how far they would move its thickness."""
    fitted = Fitted.of(refinement.model, coarse, refinement.best.parameters, restraints)
    return try_effect(fitted, Halo())


def judge_halo(findings: Findings, trial: Trial) -> None:
    """Whether the thickness hangs on light that no crystal makes.

    Parameters
    ----------
    findings : Findings
        Receives the reason.
    trial : Trial
        From `halo_trial`.
    """
    far_nm = max(FAR_NM, FAR * trial.place.at.thickness_nm)
    if trial.merit > 1 and abs(trial.shift_nm) > far_nm:
        findings.add(
            Severity.DOUBT,
            f"light in rings about the middle, as of an amorphous layer or a halo, would explain the pattern better "
            f"(held-out sectors by {100 * trial.gain:.0f} %) and move the thickness by {trial.shift_nm:+z.1f} nm",
        )
