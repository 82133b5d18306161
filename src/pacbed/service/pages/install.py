"""Puts the pages beside the API."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from pacbed.service.http.guard import FILES
from pacbed.service.pages import ask, candidates, faults, files, result, signing
from pacbed.service.pages.around import bundles, history, limits, operator
from pacbed.service.pages.signing import Elsewhere, send_on

STATIC = Path(__file__).parent / "static"
LOOKING_UP = (signing.router, ask.router, result.router, candidates.router, files.router)
AROUND = (bundles.router, history.router, limits.router, operator.router)


class Revalidated(StaticFiles):
    """Style sheet and scripts, which browsers keep but ask for again: another version may have come."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file."""
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "no-cache"
        return answer


def install_pages(app: FastAPI) -> None:
    """Add the pages to an application.

    Parameters
    ----------
    app : FastAPI
        From `create_app`.
    """
    app.mount(FILES, Revalidated(directory=STATIC))
    for router in (*LOOKING_UP, *AROUND):
        app.include_router(router)
    faults.install(app)
    app.add_exception_handler(Elsewhere, _elsewhere)


async def _elsewhere(request: Request, error: Exception) -> Response:
    assert isinstance(error, Elsewhere)
    return send_on(request, error.path, error.secret)
