"""How much may be asked for, and what is left."""

from __future__ import annotations

from typing import NamedTuple

import anyio.to_thread
from fastapi import APIRouter, Request, Response

from pacbed.service.http.callers import TheService
from pacbed.service.pages.show import show, size
from pacbed.service.pages.signing import Visitor
from pacbed.service.settings import GIGA, Limits, Settings
from pacbed.service.state import is_named

router = APIRouter(prefix="/limits", include_in_schema=False)


class Left(NamedTuple):
    """What is left of a limit.

    Attributes
    ----------
    name : str
    left, most : float
    words : str
        Both, as people read them.
    advice : str
        What to do when nothing is left.
    """

    name: str
    left: float
    most: float
    words: str
    advice: str


class Bound(NamedTuple):
    """A limit of every request.

    Attributes
    ----------
    name, value, advice : str
        The last says what to do about it.
    """

    name: str
    value: str
    advice: str


@router.get("")
async def limits_page(request: Request, owner: Visitor, service: TheService) -> Response:
    """What is left to this token, and what holds for everybody."""
    left = await anyio.to_thread.run_sync(service.left, owner)
    most = service.settings.limits
    return show(
        request,
        "limits.html",
        owner,
        named=is_named(owner),
        left=_left(left, most) if is_named(owner) else [],
        bounds=_bounds(service.settings),
        keep_days=service.settings.keep_days,
    )


def _left(left: dict[str, float | None], most: Limits) -> list[Left]:
    minute, at_once, kept = (left[name] or 0.0 for name in ("per_minute", "at_once", "kept_bytes"))
    return [
        Left("Look-ups this minute", minute, most.per_minute, f"{minute:g} of {most.per_minute}", "Wait for a minute."),
        Left("Look-ups at once", at_once, most.at_once, f"{at_once:g} of {most.at_once}", "Wait for one to end."),
        Left(
            "Kept look-ups",
            kept,
            most.kept_gb * GIGA,
            f"{size(kept)} of {size(most.kept_gb * GIGA)}",
            "Delete some of the history.",
        ),
    ]


def _bounds(settings: Settings) -> list[Bound]:
    most = settings.limits
    return [
        Bound("File", f"{most.body_mib:g} MiB", "Bin the pattern to 512 or 1024 pixels along each edge."),
        Bound("Pause of an upload", f"{most.stall_s:g} s", "Look at the connection."),
        Bound("Time of a look-up", f"{most.seconds:g} s", "Bin the pattern."),
        Bound("Memory of a look-up", f"{most.memory_gb:g} GB", "Bin the pattern."),
        Bound("Pictures a minute, of a named token", f"{most.views}", "Wait for a minute."),
        Bound("Look-ups that wait", f"{most.queue}", "Ask again a little later."),
    ]
