"""Who asks: the owner behind a token, checked before anything else of a request is looked at."""

from __future__ import annotations

from typing import Annotated

import anyio.to_thread
from fastapi import Depends, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from pacbed.service.http.answers import SHA256
from pacbed.service.problems import ServiceError, unknown
from pacbed.service.state import Service
from pacbed.service.store.lookup import Lookup
from pacbed.service.store.tokens import secret_hash

BEARER = HTTPBearer(auto_error=False, description="the token of this start, or a named one")
Shown = Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]
Identity = Annotated[str, Path(pattern=SHA256, description="id of a look-up")]
COOKIE = "pacbed_token"  # of a browser that has signed in
Key = Annotated[str | None, Query(max_length=100, description="of a shared link, instead of a token")]


def the_service(request: Request) -> Service:
    """The service that answers."""
    service: Service = request.app.state.service
    return service


async def the_owner(request: Request, shown: Shown) -> str:
    """Whose request it is.

    Raises
    ------
    ServiceError
        401, or 403 for one on the deny list.
    """
    service = the_service(request)
    secret = shown.credentials if shown is not None else request.query_params.get("token")
    owner = await anyio.to_thread.run_sync(token_owner, service, secret, request.cookies.get(COOKIE))
    if service.settings.denies(owner, None):
        raise ServiceError(403, "this token is turned away; ask the operator of the service")
    request.state.owner = owner
    return owner


def token_owner(service: Service, secret: str | None, kept: str | None) -> str:
    """Of the token that is shown, else of the one that a browser keeps, which an open service may not know any more."""
    if secret is None and kept is not None:
        try:
            return service.owner_of(kept)
        except ServiceError:
            if not service.settings.open:
                raise
    return service.owner_of(secret)


TheService = Annotated[Service, Depends(the_service)]
Owner = Annotated[str, Depends(the_owner)]


def own_lookup(service: Service, identity: str, owner: str) -> Lookup:
    """A look-up of the owner.

    Raises
    ------
    ServiceError
        404, also where it is somebody else's.
    """
    found = service.lookups.find(identity, owner)
    if found is None:
        raise unknown(f"lookup: got {identity}, accepted: the id of a look-up of this token")
    return found


async def seen_lookup(request: Request, identity: Identity, shown: Shown, key: Key = None) -> Lookup:
    """A look-up of the owner, or one that the key of a link shows.

    Raises
    ------
    ServiceError
        401 without token and key; 404.
    """
    service = the_service(request)
    if key is not None:
        found = await anyio.to_thread.run_sync(service.lookups.shared, identity, secret_hash(key))
        if found is None:
            raise unknown("lookup: this link shows none; it may have been taken back")
        return found
    owner = await the_owner(request, shown)
    return await anyio.to_thread.run_sync(own_lookup, service, identity, owner)


SeenLookup = Annotated[Lookup, Depends(seen_lookup)]
