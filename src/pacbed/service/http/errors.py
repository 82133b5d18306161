"""Errors as `application/problem+json` with the package's own sentence, never a trace."""

from __future__ import annotations

import errno
import logging
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from pacbed.errors import PacbedError, bad_value
from pacbed.service.http.answers import Problem
from pacbed.service.problems import UNUSABLE, ServiceError

LOGGER = logging.getLogger("pacbed.service.http")
MEDIA = "application/problem+json"
TITLES = {
    400: "Bad request",
    401: "No token",
    403: "Turned away",
    404: "Not found",
    405: "No such method",
    408: "Upload stalled",
    410: "Withdrawn",
    413: "Too large",
    422: "Cannot be used",
    429: "Too many look-ups",
    500: "Fault of the service",
    503: "Not now",
    504: "Took too long",
    507: "No space",
}
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
RETRY_S = 10
METHOD_UNKNOWN = 405


def problem(status: int, detail: str, *, request_id: str = "", retry_s: float | None = None) -> JSONResponse:
    """The answer of an error."""
    headers = {} if retry_s is None else {"Retry-After": str(int(retry_s))}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    content = Problem(title=TITLES.get(status, "Error"), status=status, detail=detail, request_id=request_id)
    return JSONResponse(content.model_dump(), status, headers, media_type=MEDIA)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Errors of a route for its description; those that every route can have are added."""
    every = {400, 401, 403, 408, 413, 422, 429, 503, 507, *statuses}
    content = {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": TITLES[status], "content": content} for status in sorted(every)}


def install(app: FastAPI) -> None:
    """Let every error of an application become a problem."""
    app.add_exception_handler(PacbedError, _of_ours)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(OSError, _of_disk)
    app.add_exception_handler(SQLAlchemyError, _of_disk)
    app.add_exception_handler(DataError, _of_data)
    app.add_exception_handler(Exception, _of_fault)


def _id(request: Request) -> str:
    return str(getattr(request.state, "request_id", ""))


class Told(NamedTuple):
    """What is told of an error: HTTP status, a sentence, and when to ask again [s]."""

    status: int
    text: str
    retry_s: float | None = None


def problem_of(error: Exception) -> Told | None:
    """What is told of an error of the package, or of the disk; None of a fault of the service."""
    if isinstance(error, ServiceError):
        return Told(error.status, str(error), error.retry_s)
    if isinstance(error, UNUSABLE):
        return Told(422, str(error))
    if isinstance(error, OSError | SQLAlchemyError):
        cause = getattr(error, "orig", error)
        if getattr(cause, "errno", None) in FULL or "is full" in str(cause):
            return Told(507, "the service has no space left; ask its operator")
        return Told(503, "the store of the service does not answer; ask again", RETRY_S)
    return None


async def _of_ours(request: Request, error: Exception) -> JSONResponse:
    told = problem_of(error)
    if told is None:
        return await _of_fault(request, error)
    return problem(told.status, told.text, request_id=_id(request), retry_s=told.retry_s)


async def _of_validation(request: Request, error: Exception) -> JSONResponse:
    """The first wrong field, in the words of `bad_value`."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = [str(part) for part in first["loc"] if part not in ("body", "query", "path", "header")]
    got = first.get("input")
    shown = got if isinstance(got, str | int | float | bool | None) else type(got).__name__
    return problem(422, str(bad_value(".".join(where) or "request", shown, first["msg"])), request_id=_id(request))


async def _of_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, OSError):  # a large upload goes to the disk while it is read
        return await _of_disk(request, error.__cause__)
    answer = problem(error.status_code, str(error.detail), request_id=_id(request))
    answer.headers.update(dict(error.headers or {}))
    methods = _methods(request) if error.status_code == METHOD_UNKNOWN else []
    if methods:
        answer.headers["Allow"] = ", ".join(methods)
    return answer


def _methods(request: Request) -> list[str]:
    """Methods of a path: several routes may share it, and the router names those of the first alone."""
    found: set[str] = set()
    for path, operations in request.app.openapi()["paths"].items():
        if compile_path(path)[0].fullmatch(request.url.path):
            found |= {name.upper() for name in operations}
    return sorted(found)


async def _of_disk(request: Request, error: Exception) -> JSONResponse:
    """A disk or a database that does not take what it is given."""
    LOGGER.error("request %s: %r", _id(request), getattr(error, "orig", error))
    return await _of_ours(request, error)


async def _of_data(request: Request, error: Exception) -> JSONResponse:
    """A text or a number that the database cannot hold, which SQLite takes and PostgreSQL does not."""
    LOGGER.warning("request %s: %r", _id(request), getattr(error, "orig", error))
    return problem(422, "request: got a value that cannot be stored, such as a null character", request_id=_id(request))


async def _of_fault(request: Request, error: Exception) -> JSONResponse:
    LOGGER.error("request %s: %r", _id(request), error, exc_info=error)
    text = f"the service is at fault; its log has more under {_id(request)}"
    return problem(500, text, request_id=_id(request))
