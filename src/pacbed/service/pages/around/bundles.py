"""What can be measured: the bundles that are served, and each one's patterns, errors and thickness budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fastapi import APIRouter, Request, Response

from pacbed.bundle.meta import BundleMeta
from pacbed.service.catalogue.evidence import Measured, Worth, measured, worth
from pacbed.service.catalogue.served import Served
from pacbed.service.http.bundles import Sha256, served_bundle
from pacbed.service.http.callers import TheService
from pacbed.service.pages.around.charts import Chart, Curve, draw
from pacbed.service.pages.show import show
from pacbed.service.pages.signing import Visitor
from pacbed.service.workers.strips import strip_angle_mrad, strip_thicknesses

router = APIRouter(prefix="/bundles", include_in_schema=False)
DRAWN_EFFECTS = 3  # beside the whole budget: more lines cannot be told apart
WORDS = {
    "debye_waller": "displacement of the atoms",
    "absorption": "absorption",
    "no_absorption": "no absorption at all",
    "parametrization": "form factors",
    "high_tension": "acceleration voltage",
    "lattice": "lattice parameters",
    "bonding": "bonding",
    "inelastic": "inelastic scattering",
}


class Told(NamedTuple):
    """A bundle as a page tells of it.

    Attributes
    ----------
    served : Served
    meta : BundleMeta or None
        None where nothing is known of it yet, or it is refused.
    strip_nm : list of float
        Thicknesses of its strip [nm].
    strip_mrad : float
        Semi-convergence angle of its strip [mrad].
    errors : list of Measured
    noisiest : Measured or None
        Of them, at the highest noise.
    """

    served: Served
    meta: BundleMeta | None
    strip_nm: Sequence[float] = ()
    strip_mrad: float = 0.0
    errors: Sequence[Measured] = ()
    noisiest: Measured | None = None


@router.get("")
async def bundles_page(request: Request, owner: Visitor, service: TheService) -> Response:
    """All bundles, those that answer first."""
    told = [_told(one) for one in service.registry.bundles]
    told.sort(key=lambda one: one.served.state != "ready")
    return show(request, "bundles.html", owner, bundles=told)


@router.get("/{sha256}")
async def bundle_page(request: Request, sha256: Sha256, owner: Visitor, service: TheService) -> Response:
    """One bundle."""
    told = _told(await served_bundle(service, sha256))
    assert told.meta is not None  # it has a hash
    effects = worth(told.meta)
    return show(
        request,
        "bundle.html",
        owner,
        here="/bundles",
        told=told,
        effects=effects,
        words=WORDS,
        errors_chart=draw(_errors_chart(told.errors)),
        budget_chart=draw(_budget_chart(told.meta, effects)),
    )


def _told(one: Served) -> Told:
    if one.meta is None or one.state == "refused":
        return Told(one, None)
    errors = measured(one.meta)
    noisiest = next((error for error in reversed(errors) if error.noise is not None), None)
    trained = one.meta.trained
    return Told(one, one.meta, strip_thicknesses(trained), strip_angle_mrad(trained), errors, noisiest)


def _errors_chart(errors: Sequence[Measured]) -> Chart:
    """Error against noise; electrons are another axis, and stand in the table alone."""
    noisy = [one for one in errors if one.noise is not None]
    kinds = {
        "fit, whose answer counts": [(one.noise, one.fit_nm) for one in noisy],
        "networks alone": [(one.noise, one.networks_nm) for one in noisy],
        "smallest possible error": [(one.noise, one.smallest_nm) for one in noisy],
    }
    curves = [
        Curve(name, [(100 * noise, error) for noise, error in points if noise is not None and error is not None])
        for name, points in kinds.items()
    ]
    title = "Median thickness error against noise; the table has the numbers"
    return Chart(title, "noise [% of the maximum]", "median error [nm]", [one for one in curves if one.points])


def _budget_chart(meta: BundleMeta, effects: Sequence[Worth]) -> Chart:
    budget = meta.model_error
    counted = [one for one in effects if one.effect.counted][:DRAWN_EFFECTS]
    curves = [
        Curve("all together", [(0.0, 0.0), *zip(budget.thickness_nm, budget.std_nm, strict=True)]),
        *(
            Curve(WORDS.get(one.name, one.name), list(zip(budget.thickness_nm, one.effect.bias_nm, strict=True)))
            for one in counted
        ),
    ]
    title = "What the simulation does not know, in nanometres of thickness; the table has the numbers"
    return Chart(title, "thickness [nm]", "standard deviation [nm]", curves)
