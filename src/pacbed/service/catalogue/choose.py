"""Which bundle a request means: by name or hash, or by crystal, zone axis and voltage."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from pacbed.service.catalogue.served import ENERGY_RELATIVE, Served, lowest_terms, plain_name
from pacbed.service.problems import ServiceError, unknown

NEAREST = 3
RETRY_S = 20.0  # while a table is made
SHORTEST_HASH = 8


def by_name(bundles: Sequence[Served], name: str) -> Served:
    """The bundle of a name, or of the beginning of its hash.

    Raises
    ------
    ServiceError
        404 with the nearest; 503 while its table is made; 410 never: see the store.
    """
    fit = [one for one in bundles if one.name == name or (len(name) >= SHORTEST_HASH and one.sha256.startswith(name))]
    return _ready(fit, bundles, f"bundle: got {name[:80]!r}", key=name)


def by_crystal(
    bundles: Sequence[Served],
    crystal: str,
    axis: Sequence[int],
    energy_kev: float,
    convergence_mrad: float | None = None,
) -> Served:
    """The bundle of a crystal, a zone axis up to sign and common factor, and a voltage.

    Parameters
    ----------
    bundles : sequence of Served
    crystal : str
        Any name of it, any case.
    axis : sequence of int
    energy_kev : float
        Beam energy [keV].
    convergence_mrad : float, optional
        Semi-convergence angle [mrad], which decides between several.

    Raises
    ------
    ServiceError
        404 with the nearest; 503 while its table is made.
    """
    direction, wanted = lowest_terms(list(axis)), plain_name(crystal)
    fit = [
        one
        for one in bundles
        if wanted in one.names
        and direction
        and one.axis == direction
        and abs(one.energy_kev - energy_kev) <= ENERGY_RELATIVE * one.energy_kev
    ]
    fit.sort(key=lambda one: (not _trained(one, convergence_mrad), one.name))
    asked = f"{crystal[:40]!r} [{' '.join(str(one)[:6] for one in axis)}] at {energy_kev:g} kV"
    return _ready(fit, bundles, f"model: got {asked}", key=crystal)


def _trained(one: Served, convergence_mrad: float | None) -> bool:
    if convergence_mrad is None or one.meta is None:
        return True
    low, high = one.meta.trained.convergence_mrad
    return low <= convergence_mrad <= high


def _ready(fit: Sequence[Served], bundles: Sequence[Served], asked: str, *, key: str) -> Served:
    for one in fit:
        if one.state == "ready":
            return one
    if any(one.state == "preparing" for one in fit):
        text = f"{fit[0].name}: its table is being made, which takes minutes once; ask again"
        raise ServiceError(503, text, retry_s=RETRY_S)
    near = sorted((one for one in bundles if one.meta is not None), key=lambda one: -_likeness(one, key))
    listed = "; ".join(one.line() for one in near[:NEAREST]) or "no bundle is served"
    raise unknown(f"{asked}, accepted: a bundle that is served, the nearest being {listed}")


def _likeness(one: Served, key: str) -> float:
    wanted = plain_name(key)[:80]
    return max((SequenceMatcher(None, wanted, name).ratio() for name in one.names), default=0.0)
