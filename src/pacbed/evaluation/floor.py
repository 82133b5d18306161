"""The smallest error physics allows: Cramér-Rao bound of the parameters of a noisy pattern.

With the pattern μ(p; θ) [fraction of the beam] on pixels p and independent noise of variance v(p), the Fisher
information of the free parameters θ is

    F_ij = Σ over p of ∂μ/∂θi ∂μ/∂θj / v(p)  +  δ_ij / s_i²

with s_i the standard deviation of what is known of θi from elsewhere. No unbiased method, neural or not, has a
covariance below F⁻¹ for exactly the parameters it leaves free (Cramér, Mathematical Methods of Statistics, 1946; Rao,
Bull. Calcutta Math. Soc. 37 (1945) 81; for electron counts den Dekker et al., Ultramicroscopy 104 (2005) 83). With
counting noise of N electrons v = μ / N, so that standard deviations fall as 1 / √N; what the noise of the readout tells
of θ through its variance is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pacbed.analysis.fit.parameters import NAMES, PatternParameters, render_pattern
from pacbed.analysis.fit.sensitivity import STEPS
from pacbed.errors import ParameterError, bad_value
from pacbed.simulation.rendering.renderer import Renderer

LINEAR = ("gain", "background")
FREE = (*NAMES, *LINEAR)
# ASSUME: noise of a counting detector's pixel (an estimate); keeps empty pixels from telling everything.
READOUT_ELECTRONS = 0.5
BLIND = 1e-13  # eigenvalue of the scaled Fisher matrix below which a combination of parameters is undetermined


class Counting(NamedTuple):
    """A counting detector.

    Attributes
    ----------
    electrons : float
        In the beam.
    readout : float
        Standard deviation of each pixel's readout [electrons].
    """

    electrons: float
    readout: float = READOUT_ELECTRONS


@dataclass(frozen=True)
class Floor:
    """Cramér-Rao bound.

    Attributes
    ----------
    names : tuple of str
        Free parameters, as in `Displacement`; gain is relative, the background is in units of the pattern's maximum.
    covariance : float array, shape (parameter, parameter)
        Smallest covariance; infinite on the diagonal where the pattern does not determine a parameter.
    """

    names: tuple[str, ...]
    covariance: np.ndarray

    @property
    def std(self) -> dict[str, float]:
        """Smallest standard deviation of each free parameter."""
        return dict(zip(self.names, np.sqrt(np.diag(self.covariance)).tolist(), strict=True))

    @property
    def mistilt_mrad(self) -> float:
        """Smallest root-mean-square length of the error of the mistilt vector [mrad]."""
        return float(np.hypot(self.std["mistilt_x_mrad"], self.std["mistilt_y_mrad"]))


def cramer_rao_floor(
    renderer: Renderer,
    at: PatternParameters,
    shape: tuple[int, int],
    *,
    noise: float | None = None,
    electrons: float | Counting | None = None,
    free: Sequence[str] = FREE,
    prior_std: Mapping[str, float] | None = None,
    mirrored: bool = False,
) -> Floor:
    """Bound for one pattern recorded with Gaussian or counting noise.

    Parameters
    ----------
    renderer : Renderer
        Renders the crystal's patterns.
    at : PatternParameters
        True parameters.
    shape : tuple of int
        Rows and columns (ny, nx) of the pattern.
    noise : float, optional
        Standard deviation of Gaussian noise over the pattern's maximum. Give this or `electrons`.
    electrons : float or Counting, optional
        Electrons in the beam; each pixel then has counting noise.
    free : sequence of str
        Parameters that are not known beforehand, a subset of `FREE`.
    prior_std : mapping of str to float, optional
        Standard deviation of what is known of free parameters from elsewhere.
    mirrored : bool
        The camera shows the pattern mirrored.

    Returns
    -------
    Floor

    Raises
    ------
    ParameterError
        A name is unknown, the noise is not stated once, or the parameters lie outside the table.
    """
    unknown = [name for name in (*free, *(prior_std or {})) if name not in FREE]
    if unknown or not free:
        raise bad_value("free, prior_std", unknown, f"names among {', '.join(FREE)}")
    if (noise is None) == (electrons is None):
        raise bad_value("noise, electrons", (noise, electrons), "one of the two")
    found = _derivatives(renderer, at, shape, free, mirrored=mirrored)
    information = found.slopes.T @ (found.slopes / _variance(found.pattern, noise, electrons)[:, None])
    for name, spread in (prior_std or {}).items():
        if name in free:
            information[free.index(name), free.index(name)] += spread**-2
    return Floor(tuple(free), smallest_covariance(information))


def _variance(pattern: np.ndarray, noise: float | None, electrons: float | Counting | None) -> np.ndarray:
    """Variance of each pixel, shape (pixel,), in units of the squared maximum of the pattern."""
    if noise is not None:
        if not noise > 0:
            raise bad_value("noise", noise, "a number above 0; without noise the bound is 0")
        return np.full(len(pattern), noise**2)
    detector = electrons if isinstance(electrons, Counting) else Counting(electrons or 0.0)
    if not detector.electrons > 0:
        raise bad_value("electrons", detector.electrons, "a number above 0")
    counts, brightest = np.maximum(pattern, 0) * detector.electrons, float(pattern.max()) * detector.electrons
    return np.asarray((counts + detector.readout**2) / brightest**2)


class _Derivatives(NamedTuple):
    """A pattern, shape (pixel,), and its derivatives over its maximum, shape (pixel, parameter)."""

    pattern: np.ndarray
    slopes: np.ndarray


class _End(NamedTuple):
    """One end of a difference: how far away it is, and the pattern there, shape (pixel,)."""

    step: float
    pattern: np.ndarray


def _derivatives(
    renderer: Renderer, at: PatternParameters, shape: tuple[int, int], free: Sequence[str], *, mirrored: bool
) -> _Derivatives:
    edge = max(at.pixel_mrad, renderer.table.widest_pitch_mrad)

    def render(point: PatternParameters) -> np.ndarray:
        image = render_pattern(renderer, point, point.geometry(shape, mirrored=mirrored), edge_mrad=edge)
        return image.reshape(-1).astype(float)

    pattern = render(at)
    brightest = float(pattern.max())
    columns = []
    for name in free:
        if name in LINEAR:
            columns.append(pattern / brightest if name == "gain" else np.ones_like(pattern))
            continue
        ahead, behind = (_end(render, at, name, sign, pattern) for sign in (1, -1))
        if ahead.step == behind.step:
            raise bad_value(name, at, "parameters inside the table, with room for a derivative")
        columns.append((ahead.pattern - behind.pattern) / ((ahead.step - behind.step) * brightest))
    return _Derivatives(pattern, np.stack(columns, axis=1))


def _end(
    render: Callable[[PatternParameters], np.ndarray], at: PatternParameters, name: str, sign: int, pattern: np.ndarray
) -> _End:
    """One end of a difference; the middle, whose pattern is given, where the end lies outside the table."""
    step = sign * getattr(STEPS, name)
    try:
        return _End(step, render(at.moved(np.where(np.array(NAMES) == name, step, 0.0))))
    except ParameterError:
        return _End(0.0, pattern)


def smallest_covariance(information: np.ndarray) -> np.ndarray:
    """Inverse of a Fisher matrix, where it has one.

    Parameters
    ----------
    information : float array, shape (parameter, parameter)
        Symmetric, not negative.

    Returns
    -------
    float array, shape (parameter, parameter)
        Covariance; infinite on the diagonal for what is not determined.
    """
    scale = np.sqrt(np.diag(information))
    blind = scale <= 0
    safe = np.where(blind, 1.0, scale)
    scaled = information / np.outer(safe, safe)
    value, vector = np.linalg.eigh(scaled)
    seen = value > BLIND
    covariance = (vector[:, seen] / value[seen]) @ vector[:, seen].T / np.outer(safe, safe)
    lost = blind | (np.abs(vector[:, ~seen]) > 1e-6).any(axis=1)
    covariance[lost, lost] = np.inf
    return np.asarray(covariance)
