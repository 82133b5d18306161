"""Absolute intensity: how much of the beam a pattern holds, against what the rendered one says.

With the counts B of the whole beam in the exposure of the pattern, known from a vacuum pattern, the circle that is
fitted holds the share S of the beam, and the rendered pattern, as scaled by the fit, the share c. Elastic scattering
leaves E inside the circle. What is absorbed, scattered diffusely or beyond the table, the share A, may or may not fall
into the circle, and may or may not look like the rendered pattern. With z = exp(-t / λ) for a pattern filtered for zero
loss, and 1 otherwise,

    z E ≤ c ≤ z (E + A),  z E ≤ S ≤ z (E + A)

Within these bounds nothing is preferred; beyond them the relative deviation counts in units of its standard deviation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.renderer import Renderer

# ASSUME: the intensity of a pattern in fractions of the beam is known to 5 %: drift of the emission between the two
# exposures, and a detector that counts in proportion (an estimate).
INTENSITY_RELATIVE = 0.05
FIELD_PIXELS = 64  # of the patterns whose sum tells what the table holds
STEP_NM = 2.0


class Shares(NamedTuple):
    """How much of the beam lies in the circle that is fitted.

    Attributes
    ----------
    recorded : float
        S, as recorded.
    fitted : float
        c, of the rendered pattern as scaled by the fit.
    least, most : float
        z E and z (E + A), between which both are expected.
    relative : float
        Standard deviation of a share over its value.
    """

    recorded: float
    fitted: float
    least: float
    most: float
    relative: float

    def deviations(self) -> np.ndarray:
        """How far beyond the bounds the two shares lie, in standard deviations; shape (2,)."""
        found = np.array([self.recorded, self.fitted])
        nearest = np.clip(found, self.least, self.most)
        return np.asarray((found / nearest - 1) / self.relative)


@dataclass(frozen=True)
class AbsoluteIntensity:
    """The beam behind a pattern.

    Attributes
    ----------
    counts : float
        Of the whole beam in the exposure of the pattern.
    thickness_nm, missing : float array, shape (thickness,)
        Ascending thicknesses [nm], and the share of the beam that the table's elastic patterns lack there.
    zero_loss_nm : tuple of float or None
        Mean free path of inelastic scattering and its standard deviation [nm]; None without an energy filter.
    """

    counts: float
    thickness_nm: np.ndarray
    missing: np.ndarray
    zero_loss_nm: tuple[float, float] | None = None

    def shares(self, model: ForwardModel, at: PatternParameters) -> Shares:
        """Shares of the beam at some parameters.

        Parameters
        ----------
        model : ForwardModel
            Of a pattern whose dark level is 0, as that of the vacuum pattern.
        at : PatternParameters
        """
        best, cutout = model.solve(at), model.cutout
        mask, unit = cutout.mask, cutout.bright - cutout.dark
        per_count = cutout.factor**2 / self.counts
        elastic = float(best.sharp[mask].sum())
        missing = float(np.interp(at.thickness_nm, self.thickness_nm, self.missing))
        kept, relative = 1.0, INTENSITY_RELATIVE
        if self.zero_loss_nm is not None:
            path, std = self.zero_loss_nm
            kept = float(np.exp(-at.thickness_nm / path))
            relative = float(np.hypot(relative, at.thickness_nm / path * std / path))
        return Shares(
            recorded=per_count * float((cutout.values[mask] * unit + cutout.dark).sum()),
            fitted=per_count * float(best.coefficients[0] * unit * best.pattern[mask].sum()),
            least=kept * elastic,
            most=kept * (elastic + missing),
            relative=relative,
        )


def missing_shares(renderer: Renderer, convergence_mrad: float) -> tuple[np.ndarray, np.ndarray]:
    """Thicknesses [nm], and the share of the beam that rendered patterns on the axis lack; each of shape (thickness,).

    Parameters
    ----------
    renderer : Renderer
    convergence_mrad : float
        Semi-convergence angle [mrad].
    """
    deepest = renderer.table.thickness_max_nm
    thickness = np.linspace(0, deepest, max(2, int(deepest / STEP_NM) + 1))
    geometry = Geometry.field_of_view(FIELD_PIXELS, renderer.field_mrad)
    series = renderer.render_series(list(thickness), convergence_mrad=convergence_mrad, geometry=geometry)
    return thickness, np.clip(1 - series.sum(axis=(1, 2), dtype=float), 0, 1)
