"""The first page: a pattern is sent."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from pacbed.service.pages.show import show
from pacbed.service.pages.signing import Visitor

router = APIRouter(include_in_schema=False)


@router.get("/")
async def ask_page(request: Request, owner: Visitor) -> Response:
    """The form for a pattern."""
    return show(request, "ask.html", owner)
