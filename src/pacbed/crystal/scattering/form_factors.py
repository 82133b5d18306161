"""Electron scattering of single atoms: form factors and their absorptive (thermal diffuse) counterpart."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from abtem.parametrizations import KirklandParametrization, LobatoParametrization
from scipy.interpolate import CubicSpline
from scipy.special import j0

from pacbed.crystal.electron import interaction_per_ev_a
from pacbed.errors import StructureError

PARAMETRIZATIONS = {"lobato": LobatoParametrization, "kirkland": KirklandParametrization}
FORM_TO_POTENTIAL = 47.87801  # h^2 / (2 pi m0 e) [V Å^2]: form factor [Å] to Fourier coefficient [eV Å^3]


@lru_cache(maxsize=256)
def _functions(symbol: str, parametrization: str):
    try:
        table = PARAMETRIZATIONS[parametrization]()
        return table.scattering_factor(symbol), table.projected_potential(symbol)
    except KeyError as error:
        raise StructureError(f"element: got {symbol!r}, accepted: one the {parametrization} table knows") from error


def projected_coefficient(symbol: str, g: np.ndarray, parametrization: str) -> np.ndarray:
    """Fourier transform of the projected potential of one atom at rest.

    Parameters
    ----------
    symbol : str
        Chemical symbol.
    g : ndarray
        Spatial frequency [1/Å].
    parametrization : {"lobato", "kirkland"}
        Table of form factors.

    Returns
    -------
    ndarray
        Coefficients [eV Å^3], same shape as `g`.
    """
    form_factor, _ = _functions(symbol, parametrization)
    flat = np.maximum(np.asarray(g, dtype=float).ravel(), 1e-6) ** 2  # abTEM's functions take k^2
    return FORM_TO_POTENTIAL * np.asarray(form_factor(flat), dtype=float).reshape(np.shape(g))


def absorptive_coefficient(
    symbol: str, g: np.ndarray, u_a2: float, energy_ev: float, parametrization: str
) -> np.ndarray:
    """Fourier transform of the thermal diffuse absorption of one vibrating atom (Debye-Waller factor included).

    An Einstein atom with the mean-square displacement u removes sigma^2 / 2 (<v^2> - <v>^2) of the elastic amplitude,
    v its projected potential and <> the thermal mean: the second cumulant of the transmission function, equal to
    the integral of Hall & Hirsch that Bird & King, Acta Cryst. A46 (1990) 202, tabulate.

    Parameters
    ----------
    symbol : str
        Chemical symbol.
    g : ndarray
        Spatial frequency [1/Å].
    u_a2 : float
        Mean-square displacement along one axis of the image plane [Å^2].
    energy_ev : float
        Kinetic energy of the electrons [eV].
    parametrization : {"lobato", "kirkland"}
        Table of form factors.

    Returns
    -------
    ndarray
        Coefficients [Å^2] of the dimensionless absorption mu, transmission = exp(i sigma V - mu).
    """
    # ASSUME: atoms vibrate independently (Einstein) and isotropically in the plane;
    # Hall & Hirsch, Proc. R. Soc. A286 (1965) 158.
    if u_a2 <= 0:
        return np.zeros(np.shape(g))
    spline, g_max = _absorption_spline(symbol, round(float(u_a2), 7), parametrization)
    inside = np.where(np.asarray(g) <= g_max, spline(np.minimum(g, g_max)), 0.0)
    return 0.5 * interaction_per_ev_a(energy_ev) ** 2 * inside


@lru_cache(maxsize=256)
def _absorption_spline(symbol: str, u_a2: float, parametrization: str) -> tuple[CubicSpline, float]:
    """Fourier transform of <v^2> - <v>^2 [eV^2 Å^4] against g [1/Å], and the largest g it covers."""
    _, potential = _functions(symbol, parametrization)
    nodes, weights = np.polynomial.legendre.leggauss(1200)
    low, high = np.log(1e-5), np.log(10.0)
    r = np.exp(0.5 * (high - low) * nodes + 0.5 * (high + low))
    measure = 2 * np.pi * r * r * weights * 0.5 * (high - low)
    at_rest = np.asarray(potential(r), dtype=float)
    q_max = np.sqrt(18.0 / (2 * np.pi**2 * u_a2))  # the Debye-Waller factor is 1.5e-8 there
    q = (np.arange(3000) + 0.5) * q_max / 3000
    smeared_coefficient = projected_coefficient(symbol, q, parametrization) * np.exp(-2 * np.pi**2 * u_a2 * q**2)
    smeared = j0(2 * np.pi * np.outer(r, q)) @ (2 * np.pi * q * smeared_coefficient * q_max / 3000)
    g = np.linspace(0.0, min(q_max, 12.0), 360)
    bessel = j0(2 * np.pi * np.outer(g, r))
    mean_of_square = (bessel @ (measure * at_rest**2)) * np.exp(-2 * np.pi**2 * u_a2 * g**2)
    return CubicSpline(g, mean_of_square - bessel @ (measure * smeared**2)), float(g[-1])
