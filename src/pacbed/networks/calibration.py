"""What a network's probabilities and peaks are worth, measured on patterns that it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from pacbed.errors import FormatError
from pacbed.networks.peaks import Peak


@dataclass(frozen=True)
class Calibration:
    """Temperature of the probabilities, and what the width of a peak is worth as a standard deviation.

    Attributes
    ----------
    temperature : float
        Probabilities p become ``p^(1/T) / Z`` (C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, ICML 2017).
    peak_std, std : tuple of float
        Standard deviations of peaks, ascending, and 90 % of the errors over 1.645 where peaks are that wide [unit of
        the classes]. The width of the smoothed labels is in the first and not in the second. Empty: a peak's standard
        deviation counts as it is.
    """

    temperature: float = 1.0
    peak_std: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def probability(self, probability: np.ndarray) -> np.ndarray:
        """Class probabilities (..., class) at the temperature."""
        logits = np.log(np.maximum(probability, 1e-30)) / self.temperature
        weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=-1, keepdims=True))

    def peak(self, peak: Peak) -> Peak:
        """A peak with the standard deviation that its width is worth."""
        return replace(peak, std=float(np.interp(peak.std, self.peak_std, self.std))) if self.std else peak

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Calibration:
        """Read what `as_json` gave.

        Raises
        ------
        FormatError
            A value is missing or not accepted.
        """
        try:
            found = cls(
                float(content["temperature"]),
                tuple(map(float, content["peak_std"])),
                tuple(map(float, content["std"])),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"calibration: damaged ({error!r}), accepted: temperature, peak_std, std") from error
        ascending = bool(np.all(np.diff(found.peak_std) > 0)) and min(found.std, default=0.0) >= 0
        if not (found.temperature > 0 and len(found.std) == len(found.peak_std) and ascending):
            raise FormatError(f"calibration: got {content!r}, accepted: a temperature above 0 and an ascending curve")
        return found
