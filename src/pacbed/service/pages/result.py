"""The result page: what was found, whether to believe it, and what else it could be."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from pacbed.analysis.report.comparison.kept import Kept
from pacbed.analysis.report.comparison.place import Place
from pacbed.analysis.report.panels.numbers import numbers
from pacbed.analysis.result import Result
from pacbed.service.http.callers import TheService
from pacbed.service.http.lookups import KEY_BYTES
from pacbed.service.pages.advice import advice_for
from pacbed.service.pages.candidates import WantedQuery, WantedView, drawn_candidate, kept_of
from pacbed.service.pages.curve import draw_curve, rivals_of
from pacbed.service.pages.seen import Seen, SeenLookup
from pacbed.service.pages.show import show
from pacbed.service.pages.signing import SEE_OTHER
from pacbed.service.problems import ServiceError
from pacbed.service.state import Service
from pacbed.service.store.tokens import secret_hash

router = APIRouter(include_in_schema=False)
LINKED = 403  # what a link does not allow
MEANING = {
    "ok": "Pattern and best match agree; thickness and error bar can be used.",
    "doubtful": "The thickness may be wrong by more than its error bar. Read why, and look at the comparison.",
    "refused": "The pattern does not fit this crystal and these settings. The number is not an answer.",
}


@router.get("/lookups/{identity}")
async def result_page(
    request: Request, seen: Seen, service: TheService, query: WantedView, thanks: bool = False
) -> Response:
    """A look-up, with the best match or another candidate beside the pattern."""
    return await _page(request, seen, service, query, thanks=thanks)


async def _page(request: Request, seen: SeenLookup, service: Service, query: WantedQuery, **further: Any) -> Response:
    result = await anyio.to_thread.run_sync(lambda: Result.model_validate(seen.lookup.result()))
    compared = await _compared(service, seen, result, query)
    suffix = "" if seen.key is None else f"?key={seen.key}"
    crystal = next((one for one in service.registry.bundles if one.sha256 == seen.lookup.bundle_sha256), None)
    values = {
        "lookup": seen.lookup,
        "result": result,
        "meaning": MEANING[result.verdict],
        "reasons": [(reason, advice_for(reason)) for reason in result.reasons],
        "numbers": [line for line in numbers(result) if line.text],
        "crystal": "" if crystal is None else crystal.line().partition(": ")[2],
        "base": seen.base,
        "suffix": suffix,
        "key": seen.key,
        "own": seen.owner is not None,
        "thanks": False,
        "link": "",
        **compared,
        **further,
    }
    return show(request, "result.html", seen.owner, **values)


async def _compared(service: Service, seen: SeenLookup, result: Result, query: WantedQuery) -> dict[str, Any]:
    """Curve, rivals and the candidate that is asked for; with a trouble instead where it cannot be shown now."""
    try:
        kept = await kept_of(service, seen)
    except ServiceError as error:
        return {"kept": None, "trouble": str(error)}
    shown, trouble = Place.of(kept.best, 1.0, mirrored=kept.mirrored), ""
    picture = ""
    if query.given():
        try:
            drawn = await drawn_candidate(service, seen, query.wanted())
            assert drawn.place is not None
            shown = drawn.place
            given = query.model_dump(exclude_none=True)
            picture = "&".join(f"{name}={value}" for name, value in given.items())
        except ServiceError as error:
            trouble = str(error)
    return {
        "kept": kept,
        "curve": draw_curve(kept, result),
        "rivals": rivals_of(kept, result),
        "shown": shown,
        "best": Place.of(kept.best, 1.0, mirrored=kept.mirrored),
        "picture": picture,
        "sliders": _sliders(service, seen, kept),
        "trouble": trouble,
    }


def _sliders(service: Service, seen: SeenLookup, kept: Kept) -> dict[str, tuple[float, float]]:
    """Ranges of the sliders: those of the bundle, and of the answer where it lies beyond."""
    best = Place.of(kept.best, 1.0, mirrored=kept.mirrored)
    deepest = max(one.thickness_nm for one in kept.curve)
    ranges = {
        "thickness_nm": (0.0, deepest),
        "convergence_mrad": (0.9 * best.convergence_mrad, 1.1 * best.convergence_mrad),
        "mistilt_mrad": (0.0, max(3.0, best.mistilt_mrad)),
        "azimuth_deg": (0.0, 360.0),
    }
    for one in service.registry.bundles:
        if one.sha256 == seen.lookup.bundle_sha256 and one.meta is not None:
            trained = one.meta.trained
            ranges["thickness_nm"] = (0.0, max(deepest, trained.thickness_nm[1]))
            ranges["mistilt_mrad"] = (0.0, max(trained.mistilt_mrad[1], best.mistilt_mrad))
    return {name: (round(low, 2), round(high, 2)) for name, (low, high) in ranges.items()}


@router.post("/lookups/{identity}/share")
async def share(request: Request, seen: Seen, service: TheService, shared: Annotated[bool, Form()] = True) -> Response:
    """A link that shows the look-up without a token, told once; or all links taken back."""
    _own(seen)
    key = secrets.token_urlsafe(KEY_BYTES)
    await anyio.to_thread.run_sync(service.lookups.share, seen.lookup, secret_hash(key) if shared else None)
    if not shared:
        return RedirectResponse(f"{seen.base}#share", SEE_OTHER)
    link = f"{request.url.scheme}://{request.url.netloc}{seen.base}?key={key}"
    return await _page(request, seen, service, WantedQuery(), link=link)


@router.post("/lookups/{identity}/feedback")
async def feedback(
    seen: Seen,
    service: TheService,
    answer: Annotated[Literal["right", "wrong", "unsure"], Form()],
    thickness_nm: Annotated[float | None, Form(gt=0, le=1e6, allow_inf_nan=False)] = None,
    comment: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    """Keep what somebody says of the answer."""
    _own(seen)
    await anyio.to_thread.run_sync(service.lookups.say, seen.lookup, answer, thickness_nm, comment)
    return RedirectResponse(f"{seen.base}?thanks=true#feedback", SEE_OTHER)


@router.post("/lookups/{identity}/delete")
async def delete(seen: Seen, service: TheService) -> Response:
    """Forget the look-up, its pattern included."""
    _own(seen)
    await anyio.to_thread.run_sync(service.lookups.delete, seen.lookup)
    return RedirectResponse("/", SEE_OTHER)


def _own(seen: SeenLookup) -> None:
    if seen.owner is None:
        raise ServiceError(LINKED, "this link shows a look-up and no more; its owner's token is needed for that")
