"""What stands before every request: whose host it names, how long its body may stall, and a line when it is done."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Mapping
from typing import Any

import anyio
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pacbed.service.http.callers import COOKIE
from pacbed.service.http.errors import MEDIA, problem
from pacbed.service.state import Service

LOGGER = logging.getLogger("pacbed.service.requests")
SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
FILES = "/static"  # style sheets, scripts and icons of pages
# Asked every few seconds by machines, or with every page: counted, and told of only where it fails.
STRIP, CANDIDATE = "/api/v1/bundles/{sha256}/strip/{number}.png", "/lookups/{identity}/candidate.png"
UNTOLD = (FILES, STRIP, CANDIDATE, "/healthz", "/readyz", "/metrics", "/queue", "/api/v1/state")
WORKED, NOT_NOW = 400, 503  # statuses below, and that of something not ready or busy
HARMLESS = ("GET", "HEAD", "OPTIONS")  # nothing is changed by them


class Guard:
    """Middleware around the whole application.

    Parameters
    ----------
    app : ASGI application
    service : Service
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = secrets.token_hex(8)
        watched = _Watched(scope, receive, send, self._service.settings.limits.stall_s)
        refusal = self._refusal(scope)
        started = time.monotonic()
        try:
            if refusal is None:
                await self._app(scope, watched.receive, watched.send)
            else:
                status, text = refusal
                answer = problem(status, text, request_id=state["request_id"])
                await answer(scope, watched.receive, watched.send)
        finally:
            self._tell(scope, watched, time.monotonic() - started)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        settings, headers = self._service.settings, dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        if not settings.accepts_host(host):
            return 400, f"host: got {host[:80]!r}, accepted: a name of this service, such as {settings.host}"
        address = scope["client"][0] if scope.get("client") else None
        if settings.denies("", address):
            return 403, "this address is turned away; ask the operator of the service"
        if scope["method"] not in HARMLESS and not _from_here(headers):
            return (
                403,
                "this request was sent by a page of another site; open the page of this service and send it there",
            )
        return None

    def _tell(self, scope: Scope, watched: _Watched, seconds: float) -> None:
        """Route, status and owner: neither query nor headers, which may hold secrets."""
        state = scope["state"]
        files = scope["path"].startswith(f"{FILES}/")
        route = FILES if files else getattr(scope.get("route"), "path", "none")
        self._service.metrics.request(route, watched.status, seconds)
        if route in UNTOLD and (watched.status < WORKED or watched.status == NOT_NOW):
            return
        entry = {
            "time": round(time.time(), 3),
            "request": state["request_id"],
            "address": scope["client"][0] if scope.get("client") else None,
            "owner": state.get("owner"),
            "method": scope["method"],
            "route": route,
            "status": watched.status,
            "seconds": round(seconds, 4),
            "bytes": watched.received,
            "lookup": state.get("lookup"),
        }
        self._service.audit.add(entry)
        LOGGER.info("%s %s %s", scope["method"], route, watched.status, extra={"entry": entry})


def _from_here(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request that changes something comes from a page of this service, or from a program.

    Browsers name the site that a request comes from, programs with a token do not. A request with the cookie alone
    must say where it comes from.
    """
    site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
    if site is not None:
        return site in (b"same-origin", b"none")
    if origin is not None:
        return origin.partition(b"://")[2].lower() == headers.get(b"host", b"").lower()
    return f"{COOKIE}=".encode() not in headers.get(b"cookie", b"") or b"authorization" in headers


class _Watched:
    """Receive and send of one request, watched.

    Attributes
    ----------
    status : int
        Of the answer; 499 until there is one.
    received : int
        Bytes of the body.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, stall_s: float) -> None:
        self._id, self._receive, self._send, self._stall_s = scope["state"]["request_id"], receive, send, stall_s
        self._complete = self._replaced = False
        self._scope = scope
        self.status, self.received = 499, 0

    async def receive(self) -> Message:
        """The next part of the body, which must come in time."""
        if self._complete:
            return await self._receive()
        try:
            with anyio.fail_after(self._stall_s):
                message = await self._receive()
        except TimeoutError:
            self._complete = True
            raise HTTPException(408, f"the upload stalled for {self._stall_s:g} s", {"Connection": "close"}) from None
        self.received += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Hand the answer on, with headers that keep browsers from guessing."""
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.status == 413 and not _is_problem(message):
                await self._too_large()
                return
            headers: list[Any] = list(message.get("headers", []))
            present = {name.lower() for name, _ in headers}
            headers += [pair for pair in SAFE if pair[0] not in present]
            message = {**message, "headers": [*headers, (b"x-request-id", self._id.encode())]}
        await self._send(message)

    async def _too_large(self) -> None:
        """FastAPI answers a body that announces too many bytes by itself, in plain text."""
        answer = problem(413, "body: got more bytes than this service takes; bin the pattern", request_id=self._id)
        await answer(self._scope, self._receive, self.send)
        self._replaced = True


def _is_problem(message: Message) -> bool:
    return (b"content-type", MEDIA.encode()) in message.get("headers", [])
