"""Errors as pages where the browser asks for HTML; programs get the same as `application/problem+json`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request, Response

from pacbed.service.http.callers import COOKIE
from pacbed.service.http.errors import TITLES
from pacbed.service.pages.show import show
from pacbed.service.pages.signing import local_path

Handler = Callable[[Request, Exception], Awaitable[Response]]
KEPT = ("retry-after", "allow", "www-authenticate")
NO_TOKEN = 401
# What a person can do; what was wrong says the error itself.
ADVICE = {
    403: "Ask the person who runs this service.",
    404: "It may have been deleted, or belong to another token.",
    408: "Look at the connection and send the file again.",
    413: "Bin the pattern to 512 or 1024 pixels along each edge and send it again; the thickness does not suffer.",
    422: "Correct what is named and send it again.",
    429: "Wait for the time given and send it again.",
    503: "Wait for the time given and send it again.",
    504: "Bin the pattern, or ask for less, and send it again.",
    507: "Delete look-ups that you need no more, or ask the person who runs this service.",
}


def install(app: FastAPI) -> None:
    """Let every error be a page where a page was asked for; the handlers of the API are there already."""
    for kind, handler in list(app.exception_handlers.items()):
        app.add_exception_handler(kind, _as_page(handler))


def wants_page(request: Request) -> bool:
    """Whether a browser asks for something to look at."""
    return "text/html" in request.headers.get("accept", "")


def _as_page(handler: Any) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        answer: Response = await handler(request, error)
        return _page(request, answer) if wants_page(request) else answer

    return handle


def _page(request: Request, answer: Response) -> Response:
    problem = json.loads(bytes(answer.body))
    kept = {name: answer.headers[name] for name in KEPT if name in answer.headers}
    if problem["status"] == NO_TOKEN:
        # Somebody without a token has made no mistake yet; one with a token wants to know why it fails.
        trouble = problem["detail"] if COOKIE in request.cookies or "token" in request.query_params else ""
        to = local_path(request.url.path) if request.method == "GET" else "/"
        return show(request, "sign_in.html", None, status=NO_TOKEN, headers=kept, to=to, trouble=trouble)
    return show(
        request,
        "error.html",
        getattr(request.state, "owner", None),
        status=problem["status"],
        headers=kept,
        problem=problem | {"title": TITLES.get(problem["status"], problem["title"])},
        advice=ADVICE.get(problem["status"], ""),
        retry_s=answer.headers.get("retry-after"),
    )
