"""Windows answered by the networks alone, many at once; the library says whether to believe them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pacbed.analysis import estimates
from pacbed.analysis.libraries.of_angle import library_for
from pacbed.analysis.maps.answer import WindowAnswer, bright_field
from pacbed.analysis.maps.constants import Constants
from pacbed.analysis.maps.frame_match import FrameMatch
from pacbed.analysis.networks import Asked, NetworkAnswers, ask_about_many
from pacbed.analysis.options import Conditions
from pacbed.analysis.picture.examine import Picture, examine
from pacbed.analysis.recording.pattern_file import Pattern
from pacbed.analysis.result import ThicknessEstimate
from pacbed.analysis.verdicts.findings import Findings, Severity
from pacbed.analysis.verdicts.networks import judge_networks
from pacbed.analysis.verdicts.picture import judge_input
from pacbed.bundle.reader import Bundle
from pacbed.errors import PacbedError

# ASSUME: where the best entry of the library near the networks' thickness leaves half as much again of the pattern as
# the best of all, the networks err; and where even that leaves twice as much as of patterns that were fitted, or six
# times, the crystal is another one, or none (an estimate; a fit would tell, networks alone cannot).
LEFT, STRANGE, ANOTHER = 1.5, 2.0, 6.0


class _Ready(NamedTuple):
    place: int
    picture: Picture
    asked: Asked


class WindowAsker:
    """Answers of the networks for windows of one scan.

    Parameters
    ----------
    bundle : Bundle
    conditions : Conditions
        How the scan was recorded.
    constants : Constants
        From full fits of a few windows: the library is laid over a window by them.
    mask : bool array, shape (y, x), or None
        Pixels that are not used.
    """

    def __init__(self, bundle: Bundle, conditions: Conditions, constants: Constants, mask: np.ndarray | None) -> None:
        self._bundle, self._conditions, self._constants, self._mask = bundle, conditions, constants, mask
        self._library = library_for(bundle, conditions.convergence_mrad)
        self._match = FrameMatch(self._library, bundle.table.group, constants)

    def answers(self, patterns: Sequence[Pattern]) -> list[WindowAnswer | PacbedError]:
        """What the networks say of each pattern, or why they cannot be asked."""
        found: list[WindowAnswer | PacbedError] = []
        ready: list[_Ready] = []
        for index, pattern in enumerate(patterns):
            found.append(WindowAnswer())
            try:
                ready.append(self._ready(index, examine(pattern, self._mask)))
            except PacbedError as error:
                found[index] = error
        if ready:
            settings = self._bundle.meta.preprocessing
            said = ask_about_many(self._bundle.networks, [one.asked for one in ready], settings)
            for one, answers in zip(ready, said, strict=True):
                found[one.place] = self._judged(one.picture, answers)
        return found

    def _ready(self, index: int, picture: Picture) -> _Ready:
        angle = self._conditions.convergence_mrad
        asked = Asked(picture.array, picture.outline, angle, self._constants.pixel_mrad, self._constants.mirrored)
        return _Ready(index, picture, asked)

    def _judged(self, picture: Picture, answers: NetworkAnswers) -> WindowAnswer:
        findings, meta = Findings(), self._bundle.meta
        judge_input(findings, meta, self._conditions, picture, self._library.radius_mrad)
        judge_networks(findings, answers, refined=False)
        values = estimates.network_values(answers, meta, convergence_mrad=self._conditions.convergence_mrad)
        thickness = values["thickness_nm"]
        best, near = self._match.mismatch(picture.array, picture.outline, near_nm=thickness.value)
        left = (best / self._constants.mismatch) ** 2
        if left > STRANGE:
            severity = Severity.REFUSAL if left > ANOTHER else Severity.DOUBT
            findings.add(severity, f"rendered patterns match badly: the best leaves {best:.2f} of the pattern")
        elif near**2 > LEFT * best**2:
            findings.add(
                Severity.DOUBT,
                f"networks say {thickness.value:.1f} nm, where rendered patterns match worse than elsewhere",
            )
        self._judge_precision(findings, thickness)
        x, y = values["mistilt_x_mrad"], values["mistilt_y_mrad"]
        return WindowAnswer(
            thickness_nm=thickness.value,
            thickness_std_statistical_nm=float(thickness.std_statistical or np.nan),
            thickness_std_model_nm=float(thickness.std_model or 0.0),
            mistilt_x_mrad=np.nan if x is None else x.value,
            mistilt_y_mrad=np.nan if y is None else y.value,
            mistilt_x_std_mrad=np.nan if x is None else float(x.std),
            mistilt_y_std_mrad=np.nan if y is None else float(y.std),
            center_x_px=picture.outline.center_px[0],
            center_y_px=picture.outline.center_px[1],
            misfit=best,
            bright_field=bright_field(picture),
            verdict=findings.verdict,
            reasons=tuple(findings.reasons),
        )

    def _judge_precision(self, findings: Findings, thickness: ThicknessEstimate) -> None:
        limits = self._bundle.meta.thresholds
        if thickness.std is None or thickness.std > limits.std_relative * max(thickness.value, limits.thin_nm):
            found = "an unknown error" if thickness.std is None else f"{thickness.std:.1f} nm"
            findings.add(
                Severity.DOUBT, f"the networks know the thickness to {found} only, of {thickness.value:.1f} nm"
            )
