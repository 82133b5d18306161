"""The operator's page: tokens, queue and workers, feedback, the audit's last lines."""

from __future__ import annotations

import time
from typing import Annotated, Any, NamedTuple

import anyio.to_thread
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from pacbed.errors import ParameterError
from pacbed.service.http.callers import TheService
from pacbed.service.http.operator import state_of
from pacbed.service.pages.show import CALLED, show
from pacbed.service.pages.signing import SEE_OTHER, Operator
from pacbed.service.state import Service
from pacbed.service.store.feedback import Said
from pacbed.service.store.overview import Usage
from pacbed.service.store.tokens import Token

router = APIRouter(prefix="/operator", include_in_schema=False)
SAID, AUDITED = 50, 30  # lines that are shown
UNPROCESSABLE = 422


class Holder(NamedTuple):
    """Somebody who asks.

    Attributes
    ----------
    name : str
        Of the token.
    token : Token or None
        None for the token of the start.
    state : str
        "ok", "revoked" or "expired".
    usage : Usage or None
        None for somebody without look-ups.
    """

    name: str
    token: Token | None
    state: str
    usage: Usage | None


class Kept(NamedTuple):
    """What the page shows of the store.

    Attributes
    ----------
    holders : list of Holder
        The one of the start first.
    said : list of Said
    audited : list of dict
    """

    holders: list[Holder]
    said: list[Said]
    audited: list[dict[str, Any]]


@router.get("")
async def operator_page(request: Request, operator: Operator, service: TheService) -> Response:
    """Everything."""
    return await _page(request, operator, service)


@router.post("/tokens")
async def add_token(
    request: Request,
    operator: Operator,
    service: TheService,
    name: Annotated[str, Form(max_length=200)],
    days: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Make a token and show it, once."""
    try:
        holds = _days(days)
        secret = await anyio.to_thread.run_sync(lambda: service.tokens.add(name.strip(), days=holds))
    except ParameterError as error:
        return await _page(request, operator, service, trouble=str(error), status=UNPROCESSABLE)
    return await _page(request, operator, service, made=name.strip(), secret=secret)


@router.post("/tokens/{name}/revoke")
async def revoke_token(name: str, operator: Operator, service: TheService) -> Response:
    """Let a token open nothing any more."""
    await anyio.to_thread.run_sync(service.tokens.revoke, name)
    return RedirectResponse("/operator#tokens", SEE_OTHER)


async def _page(
    request: Request,
    operator: str,
    service: Service,
    *,
    trouble: str = "",
    made: str = "",
    secret: str = "",
    status: int = 200,
) -> Response:
    kept = await anyio.to_thread.run_sync(_kept, service)
    return show(
        request,
        "operator.html",
        operator,
        status=status,
        here="/operator",
        kept=kept,
        state=await state_of(service),
        bundles=service.registry.bundles,
        memory_gb=service.settings.limits.memory_gb,
        queue=service.settings.limits.queue,
        called=CALLED,
        operator_name=operator,
        trouble=trouble,
        made=made,
        secret=secret,
    )


def _kept(service: Service) -> Kept:
    usage, now = service.overview.usage(), time.time()
    named = [Holder(one.name, one, _state(one, now), usage.get(one.name)) for one in service.tokens.all()]
    others = [Holder(CALLED[owner], None, "ok", usage.get(owner)) for owner in CALLED if owner in usage]
    return Kept([*others, *named], service.overview.said(limit=SAID), service.audit.last(AUDITED))


def _state(token: Token, now: float) -> str:
    if token.revoked is not None:
        return "revoked"
    return "ok" if token.holds(now) else "expired"


def _days(text: str) -> float | None:
    """How long a token holds [d]; None for ever."""
    try:
        return float(text) if text.strip() else None
    except ValueError:
        raise ParameterError(f"days: got {text!r}, accepted: a number above 0 [d], or nothing") from None
