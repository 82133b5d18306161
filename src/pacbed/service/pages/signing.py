"""Signing in: the token of the start by its URL, once, or any token in a form; then a cookie of this session."""

from __future__ import annotations

from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from pacbed.service.http.callers import COOKIE, Owner, Shown, TheService, the_owner
from pacbed.service.http.operator import operators_own
from pacbed.service.pages.show import show
from pacbed.service.problems import ServiceError
from pacbed.service.state import Service

router = APIRouter(include_in_schema=False)
SIGN_IN = "/sign-in"
SEE_OTHER = 303
LONGEST = 2000  # of a path to go on to


class Elsewhere(Exception):  # noqa: N818 - no error: the browser is sent on
    """The request is answered by another address.

    Parameters
    ----------
    path : str
        On this service.
    secret : str
        The token that is kept by the browser from now on.
    """

    def __init__(self, path: str, secret: str) -> None:
        super().__init__(path)
        self.path, self.secret = path, secret


async def the_visitor(request: Request, shown: Shown) -> str:
    """The owner of a page; a token in its address moves into a cookie first.

    Raises
    ------
    Elsewhere
        The same address without the token.
    ServiceError
        As for `the_owner`.
    """
    owner = await the_owner(request, shown)
    secret = request.query_params.get("token")
    if secret is not None and shown is None:
        raise Elsewhere(_without_token(request), secret)
    return owner


async def the_operator(owner: Annotated[str, Depends(the_visitor)]) -> str:
    """The operator, who started the service.

    Raises
    ------
    ServiceError
        403: somebody else.
    """
    return operators_own(owner)


Visitor = Annotated[str, Depends(the_visitor)]
Operator = Annotated[str, Depends(the_operator)]


@router.get(SIGN_IN)
async def sign_in_page(request: Request, to: str = "/") -> Response:
    """The form for a token."""
    return show(request, "sign_in.html", None, to=local_path(to), trouble="")


@router.post(SIGN_IN)
async def sign_in(
    request: Request,
    service: TheService,
    token: Annotated[str, Form(max_length=500)],
    to: Annotated[str, Form(max_length=LONGEST)] = "/",
) -> Response:
    """Keep a token that holds."""
    secret = token.strip().rpartition("token=")[2]  # who pastes the whole address means its token
    try:
        owner = await anyio.to_thread.run_sync(_holder, service, secret)
    except ServiceError as error:
        return show(request, "sign_in.html", None, status=error.status, to=local_path(to), trouble=str(error))
    request.state.owner = owner
    return send_on(request, local_path(to), secret)


@router.post("/sign-out")
async def sign_out(owner: Owner) -> Response:
    """Forget the token."""
    answer = RedirectResponse(SIGN_IN, SEE_OTHER)
    answer.delete_cookie(COOKIE)
    return answer


def _holder(service: Service, secret: str) -> str:
    owner = service.owner_of(secret)
    if service.settings.denies(owner, None):
        raise ServiceError(403, "this token is turned away; ask the operator of the service")
    return owner


def send_on(request: Request, path: str, secret: str) -> Response:
    """To another address of this service, with the token in a cookie that scripts and other sites cannot use."""
    answer = RedirectResponse(path, SEE_OTHER)
    answer.set_cookie(COOKIE, secret, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return answer


def local_path(path: str) -> str:
    """A path of this service, or its first page: nobody is led elsewhere."""
    plain = path.isascii() and path.isprintable() and "\\" not in path and len(path) <= LONGEST
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"


def _without_token(request: Request) -> str:
    return local_path(str(request.url.remove_query_params("token").replace(scheme="", netloc="")))
