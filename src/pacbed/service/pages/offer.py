"""What the look-up page offers: the bundles that answer, which of them a file asks for, what was chosen last."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from pacbed.service.catalogue.served import ENERGY_RELATIVE, Served

LAST = "pacbed_last"  # cookie of what was chosen last
LAST_S = 365 * 86_400
REMEMBERED = ("bundle", "convergence_mrad", "mirrored")  # a pixel size belongs to a camera length: to a file, that is


@dataclass(frozen=True)
class Offer:
    """A bundle to choose.

    Attributes
    ----------
    name : str
    crystal, axis : str
        Formula, and indices of the zone axis.
    energy_kev : float
        Beam energy [keV].
    thickness_nm, convergence_mrad, mistilt_mrad : tuple of float
        Ranges [nm, mrad, mrad].
    ready : bool
        It answers; else its table is being made.
    """

    name: str
    crystal: str
    axis: str
    energy_kev: float
    thickness_nm: tuple[float, float]
    convergence_mrad: tuple[float, float]
    mistilt_mrad: tuple[float, float]
    ready: bool

    @property
    def label(self) -> str:
        """Crystal, axis and voltage."""
        return f"{self.crystal} [{self.axis}], {self.energy_kev:g} kV"

    @property
    def ranges(self) -> str:
        """What it can measure."""
        (thin, thick), (narrow, wide) = self.thickness_nm, self.convergence_mrad
        return f"{thin:g} to {thick:g} nm, {narrow:g} to {wide:g} mrad, mistilt up to {self.mistilt_mrad[1]:g} mrad"


def offers(bundles: Sequence[Served]) -> list[Offer]:
    """Bundles that answer now or soon, by crystal and voltage."""
    found = []
    for one in bundles:
        if one.meta is None or one.state not in ("ready", "preparing"):
            continue
        trained, crystal = one.meta.trained, one.meta.crystal
        found.append(
            Offer(
                one.name,
                str(crystal.get("formula", one.meta.system)),
                " ".join(map(str, one.axis)),
                one.energy_kev,
                trained.thickness_nm,
                trained.convergence_mrad,
                trained.mistilt_mrad,
                one.state == "ready",
            )
        )
    return sorted(found, key=lambda one: (one.crystal, one.axis, one.energy_kev, one.name))


def fitting(choice: Sequence[Offer], energy_kev: float | None, convergence_mrad: float | None) -> list[str]:
    """Names of the bundles for what a file states; all of them where it states nothing.

    Parameters
    ----------
    choice : sequence of Offer
    energy_kev, convergence_mrad : float or None
        Beam energy [keV] and semi-convergence angle [mrad].
    """
    return [
        one.name
        for one in choice
        if one.ready
        and (energy_kev is None or abs(one.energy_kev - energy_kev) <= ENERGY_RELATIVE * one.energy_kev)
        and (convergence_mrad is None or one.convergence_mrad[0] <= convergence_mrad <= one.convergence_mrad[1])
    ]


def chosen_last(cookie: str | None, choice: Sequence[Offer]) -> dict[str, str]:
    """What was chosen last, as fields of the form; nothing of what makes no sense any more.

    Parameters
    ----------
    cookie : str or None
        See `as_cookie`.
    choice : sequence of Offer
    """
    try:
        content = json.loads(base64.urlsafe_b64decode(cookie or ""))
        kept = {name: str(content[name])[:100] for name in REMEMBERED if content.get(name)}
    except (ValueError, TypeError, AttributeError):  # written by somebody else
        kept = {}
    if kept.get("bundle") not in {one.name for one in choice}:
        kept.pop("bundle", None)
    if kept.get("mirrored") not in ("true", "false"):
        kept.pop("mirrored", None)
    try:
        if not (isfinite(float(kept["convergence_mrad"])) and float(kept["convergence_mrad"]) > 0):
            del kept["convergence_mrad"]
    except (KeyError, ValueError):
        kept.pop("convergence_mrad", None)
    if "bundle" not in kept and len(choice) == 1:
        kept["bundle"] = choice[0].name
    return kept


def as_cookie(fields: Mapping[str, Any]) -> str:
    """What is remembered of a form, as plain letters."""
    kept = {name: fields[name] for name in REMEMBERED if fields.get(name)}
    return base64.urlsafe_b64encode(json.dumps(kept).encode()).decode()
