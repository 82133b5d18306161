"""What a prediction is told beside the pattern, and what is then known of how it was recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pacbed.analysis.recording.metadata import Calibration


@dataclass(frozen=True)
class PredictOptions:
    """Options of a prediction; None where nothing is said, so that the file's own statement holds.

    Attributes
    ----------
    convergence_mrad : float or None
        Semi-convergence angle [mrad].
    energy_kev : float or None
        Beam energy [keV].
    pixel_mrad : float or None
        Pixel size [mrad]; found from the pattern where neither file nor caller knows it.
    dataset : str or None
        Which data set of a file that holds several: its path inside an HDF5 file, its title, or its number from 0.
    mirrored : bool or None
        The camera shows the pattern mirrored; None tries both where the crystal has no mirror line.
    refine : bool
        Least squares on the rendered table; without it the networks alone decide.
    refine_from_nm : tuple of float
        Thicknesses to start from instead of those that library match and networks propose [nm].
    vacuum : path or None
        Pattern of the bare beam by the same camera, dark-subtracted as the pattern is: intensities count absolutely.
    exposure_ratio : float
        Exposure of the pattern over that of the vacuum pattern.
    zero_loss_nm : tuple of float or None
        Of a pattern filtered for zero loss: mean free path of inelastic scattering, and its standard deviation [nm].
    """

    convergence_mrad: float | None = None
    energy_kev: float | None = None
    pixel_mrad: float | None = None
    dataset: str | None = None
    mirrored: bool | None = None
    refine: bool = True
    refine_from_nm: tuple[float, ...] = ()
    vacuum: Path | str | None = None
    exposure_ratio: float = 1.0
    zero_loss_nm: tuple[float, float] | None = None

    def or_stated(self, stated: Calibration) -> PredictOptions:
        """The same, with what a file states where the options say nothing."""
        return replace(
            self,
            convergence_mrad=stated.convergence_mrad if self.convergence_mrad is None else self.convergence_mrad,
            energy_kev=stated.energy_kev if self.energy_kev is None else self.energy_kev,
            pixel_mrad=stated.pixel_mrad if self.pixel_mrad is None else self.pixel_mrad,
        )


DEFAULT_OPTIONS = PredictOptions()


@dataclass(frozen=True)
class Conditions:
    """How a pattern was recorded, as far as anybody said; None where nobody did.

    Attributes
    ----------
    convergence_mrad : float
        Nominal semi-convergence angle [mrad].
    energy_kev : float or None
        Beam energy [keV].
    pixel_mrad : float or None
        Pixel size [mrad].
    mirrored : bool
        The camera shows the pattern mirrored.
    """

    convergence_mrad: float
    energy_kev: float | None = None
    pixel_mrad: float | None = None
    mirrored: bool = False
