"""What a camera adds to a pattern: Gaussian noise, or the counting of electrons."""

from __future__ import annotations

from typing import NamedTuple, TypedDict

import numpy as np

from pacbed.evaluation.floor import Counting

REFERENCE_PIXELS = 200  # edge of a pattern whose pixels have the stated Gaussian noise, as the paper's
# Counted patterns have no readout noise; the bound is kept finite by so little of it that it never shows [electrons].
BOUND_READOUT = 0.02


class FloorNoise(TypedDict, total=False):
    """Arguments of `cramer_rao_floor` that tell the noise."""

    noise: float
    electrons: Counting


class Noise(NamedTuple):
    """One level of noise.

    Attributes
    ----------
    sigma : float
        Standard deviation of Gaussian noise over the pattern's maximum, for pixels of an image of 200 x 200; an image
        of fewer pixels has less in each, as if they were averages of such.
    electrons : float or None
        Electrons in the whole pattern, counted; then there is no Gaussian noise.
    """

    sigma: float = 0.0
    electrons: float | None = None

    @property
    def label(self) -> str:
        """Name in files and pictures: the standard deviation, or such as ``1e5 e``."""
        if self.electrons is None:
            return f"{self.sigma:g}"
        mantissa, exponent = f"{self.electrons:.2e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)} e"

    @property
    def none(self) -> bool:
        """Whether the pattern is as it was computed."""
        return self.electrons is None and self.sigma == 0

    def sigma_at(self, pixels: int) -> float:
        """Standard deviation over the maximum in a pixel of an image with so many pixels along its edge."""
        return self.sigma * pixels / REFERENCE_PIXELS

    def record(self, image: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """An image as it is recorded.

        Parameters
        ----------
        image : float array, shape (y, x)
            Of maximum 1.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        float32 array, shape (y, x)
            With Gaussian noise added; or counts.
        """
        if self.electrons is not None:
            expected = np.maximum(image, 0.0).astype(float)
            return rng.poisson(expected * (self.electrons / expected.sum())).astype(np.float32)
        return np.asarray(image + self.sigma_at(len(image)) * rng.standard_normal(image.shape), dtype=np.float32)

    def of_floor(self, pixels: int, in_field: float) -> FloorNoise:
        """The same noise as `cramer_rao_floor` takes it.

        Parameters
        ----------
        pixels : int
            Along the edge of the image.
        in_field : float
            Share of the beam that the image shows.
        """
        if self.electrons is not None:
            return {"electrons": Counting(self.electrons / in_field, BOUND_READOUT)}
        return {"noise": self.sigma_at(pixels)}


def noise_levels(sigmas: list[float], electrons: list[float]) -> list[Noise]:
    """All levels, Gaussian ones first, each kind from good to bad."""
    return [*(Noise(sigma) for sigma in sorted(sigmas)), *(Noise(0.0, dose) for dose in sorted(electrons)[::-1])]
