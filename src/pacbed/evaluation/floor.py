"""The smallest error physics allows: Cramér-Rao bound of the parameters of a noisy pattern.

No unbiased method, neural or not, can do better on average than this bound for exactly the parameters it leaves free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pacbed.analysis.fit.forward import Parameters, moved
from pacbed.analysis.fit.sensitivity import STEPS
from pacbed.errors import ParameterError, bad_value
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.renderer import Renderer

# The displacements of `moved` and the steps of their finite differences, with their units.
NAMES = (
    *("thickness_nm", "mistilt_x_mrad", "mistilt_y_mrad", "center_x_mrad", "center_y_mrad"),
    *("pixel_percent", "rotation_deg", "convergence_mrad", "blur_mrad"),
)
LINEAR = ("gain", "background")
FREE = (*NAMES, *LINEAR)
READOUT_ELECTRONS = 0.5  # ASSUME: noise of a counting detector's pixel; keeps empty pixels from telling everything
BLIND = 1e-13  # eigenvalue of the scaled Fisher matrix below which a combination of parameters is undetermined


@dataclass(frozen=True)
class Floor:
    """Cramér-Rao bound.

    Attributes
    ----------
    names : tuple of str
        Free parameters, units in their names; gain is relative, the background is in units of the pattern's maximum.
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
    at: Parameters,
    shape: tuple[int, int],
    *,
    noise: float | None = None,
    electrons: float | None = None,
    free: Sequence[str] = FREE,
    prior_std: Mapping[str, float] | None = None,
    mirrored: bool = False,
) -> Floor:
    """Bound for one pattern recorded with Gaussian or counting noise.

    Parameters
    ----------
    renderer : Renderer
        Renders the crystal's patterns.
    at : Parameters
        True parameters.
    shape : tuple of int
        Rows and columns (ny, nx) of the pattern.
    noise : float, optional
        Standard deviation of Gaussian noise over the pattern's maximum. Give this or `electrons`.
    electrons : float, optional
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
    pattern, columns = _derivatives(renderer, at, shape, free, mirrored=mirrored)
    information = columns.T @ (columns / _variance(pattern, noise, electrons)[:, None])
    for name, spread in (prior_std or {}).items():
        if name in free:
            information[free.index(name), free.index(name)] += spread**-2
    return Floor(tuple(free), _inverse(information))


def _variance(pattern: np.ndarray, noise: float | None, electrons: float | None) -> np.ndarray:
    """Variance of each pixel, shape (pixel,), in units of the squared maximum of the pattern."""
    if noise is not None:
        if not noise > 0:
            raise bad_value("noise", noise, "a number above 0; without noise the bound is 0")
        return np.full(len(pattern), noise**2)
    if electrons is None or not electrons > 0:
        raise bad_value("electrons", electrons, "a number above 0")
    brightest = float(pattern.max())
    return np.asarray((np.maximum(pattern, 0) * electrons + READOUT_ELECTRONS**2) / (brightest * electrons) ** 2)


def _derivatives(
    renderer: Renderer, at: Parameters, shape: tuple[int, int], free: Sequence[str], *, mirrored: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The pattern, shape (pixel,), and its derivatives over its maximum, shape (pixel, parameter)."""
    edge = max(at.pixel_mrad, renderer.table.widest_pitch_mrad)

    def render(point: Parameters) -> np.ndarray:
        image = renderer.render(
            thickness_nm=point.thickness_nm, convergence_mrad=point.convergence_mrad, mistilt_mrad=point.mistilt_mrad,
            geometry=Geometry(shape, point.pixel_mrad, point.center_px, point.rotation_deg, mirrored),
            blur_mrad=point.blur_mrad, edge_mrad=edge,
        )  # fmt: skip
        return image.reshape(-1).astype(float)

    pattern = render(at)
    brightest = float(pattern.max())
    columns = []
    for name in free:
        if name in LINEAR:
            columns.append(pattern / brightest if name == "gain" else np.ones_like(pattern))
            continue
        (high, upper), (low, lower) = (_end(render, at, name, sign, pattern) for sign in (1, -1))
        if high == low:
            raise bad_value(name, at, "parameters inside the table, with room for a derivative")
        columns.append((upper - lower) / ((high - low) * brightest))
    return pattern, np.stack(columns, axis=1)


def _end(render, at: Parameters, name: str, sign: int, pattern: np.ndarray) -> tuple[float, np.ndarray]:
    """Displacement and pattern at one end of a difference; the middle where the end lies outside the table."""
    vector = sign * np.where(np.array(NAMES) == name, STEPS, 0.0)
    step = sign * float(STEPS[NAMES.index(name)])
    try:
        return step, render(moved(at, vector))
    except ParameterError:
        return 0.0, pattern


def _inverse(information: np.ndarray) -> np.ndarray:
    """Covariance of a Fisher matrix; undetermined parameters get an infinite variance."""
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
