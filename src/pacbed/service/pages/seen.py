"""Whose look-up a page shows: one's own, or one that the key of a link opens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import anyio.to_thread
from fastapi import Depends, Request

from pacbed.service.catalogue.choose import by_name
from pacbed.service.catalogue.served import Served
from pacbed.service.http.callers import Identity, Key, Shown, own_lookup, seen_lookup, the_service
from pacbed.service.pages.signing import the_visitor
from pacbed.service.problems import ServiceError
from pacbed.service.state import Service
from pacbed.service.store.lookup import Lookup
from pacbed.service.workers.job import Job, RawFrame


@dataclass(frozen=True)
class SeenLookup:
    """A look-up, and who looks at it.

    Attributes
    ----------
    lookup : Lookup
    owner : str or None
        None for somebody who came by a link.
    key : str or None
        Of that link.
    """

    lookup: Lookup
    owner: str | None
    key: str | None

    @property
    def base(self) -> str:
        """Path of the page."""
        return f"/lookups/{self.lookup.identity}"

    @property
    def asked_by(self) -> str:
        """In whose name something is computed: a link is counted to the one who gave it away."""
        return self.owner or self.lookup.owner


async def the_seen(request: Request, identity: Identity, shown: Shown, key: Key = None) -> SeenLookup:
    """The look-up of a page.

    Raises
    ------
    Elsewhere, ServiceError
        As for `the_visitor`; 404.
    """
    if key is not None:
        return SeenLookup(await seen_lookup(request, identity, shown, key), None, key)
    owner = await the_visitor(request, shown)
    lookup = await anyio.to_thread.run_sync(own_lookup, the_service(request), identity, owner)
    return SeenLookup(lookup, owner, None)


Seen = Annotated[SeenLookup, Depends(the_seen)]


def bundle_of(service: Service, lookup: Lookup) -> Served:
    """The bundle that answered.

    Raises
    ------
    ServiceError
        410: it is served no more; 503: not yet again.
    """
    try:
        return by_name(service.registry.bundles, lookup.bundle_sha256)
    except ServiceError as error:
        if error.retry_s is not None:
            raise
        raise ServiceError(410, f"bundle: {lookup.bundle_name} as it answered then is served no more") from None


def job_of(service: Service, lookup: Lookup, bundle: Served, folder: Path) -> Job:
    """A look-up as a worker computes it again."""
    asked = lookup.asked
    raw = None if asked.get("raw") is None else RawFrame(**asked["raw"])
    kept = service.lookups.folder
    return Job(
        folder, lookup.pattern, lookup.input_name, bundle.path, kept, asked["options"], raw, True,
        bundle.sha256,
    )  # fmt: skip
