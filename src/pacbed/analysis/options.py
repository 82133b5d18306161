"""What a prediction is told beside the pattern, and what is then known of how it was recorded."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pacbed.analysis.recording.metadata import Calibration
from pacbed.errors import PatternError


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
        Which array of a file that holds several: its path inside the file, its title, or its number from 0.
    mirrored : bool or None
        The camera shows the pattern mirrored; None tries both where the crystal has no mirror line.
    refine : bool
        Least squares on the rendered table; without it the networks alone decide.
    mask : path, array of shape (y, x), or None
        Image whose pixels other than zero are not used.
    frame : tuple of int or None
        Which pattern of a scan or series: its number from 0, or row and column.
    scan_shape : tuple of int or None
        Rows and columns of a scan that the file holds as one series, or describes in contradictory ways.
    refine_from_nm : tuple of float
        Thicknesses to start from instead of those that library match and networks propose [nm].
    vacuum : path, array of shape (y, x), or None
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
    mask: Path | str | np.ndarray | None = field(default=None, compare=False)  # arrays do not compare as a whole
    frame: tuple[int, ...] | None = None
    scan_shape: tuple[int, int] | None = None
    refine_from_nm: tuple[float, ...] = ()
    vacuum: Path | str | np.ndarray | None = field(default=None, compare=False)
    exposure_ratio: float = 1.0
    zero_loss_nm: tuple[float, float] | None = None

    @property
    def part(self) -> str:
        """Which pattern of a file is meant, such as ``dataset b, frame 3,4``; empty where it holds one alone."""
        dataset = [] if self.dataset is None else [f"dataset {self.dataset}"]
        frame = [] if self.frame is None else [f"frame {','.join(map(str, self.frame))}"]
        return ", ".join(dataset + frame)

    def or_stated(self, stated: Calibration, energy_kev: float | None = None) -> PredictOptions:
        """The same, with what a file states where the options say nothing.

        Parameters
        ----------
        stated : Calibration
        energy_kev : float, optional
            Beam energy [keV] at which a pixel size in 1/nm becomes an angle if neither options nor file know it.

        Raises
        ------
        PatternError
            The file states a pixel size that cannot be used, and the options give none.
        """
        convergence, energy, pixel = self.convergence_mrad, self.energy_kev, self.pixel_mrad
        energy = stated.energy_kev if energy is None else energy
        if pixel is None:
            if stated.trouble:
                raise PatternError(
                    f"pixel_mrad: got none, and the file states {stated.trouble}, accepted: a number above 0 [mrad]"
                )
            pixel = stated.pixel_at(energy_kev if energy is None else energy)
        return replace(
            self,
            convergence_mrad=stated.convergence_mrad if convergence is None else convergence,
            energy_kev=energy,
            pixel_mrad=pixel,
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
    mask : str or None
        Name of the mask.
    """

    convergence_mrad: float
    energy_kev: float | None = None
    pixel_mrad: float | None = None
    mirrored: bool = False
    mask: str | None = None
