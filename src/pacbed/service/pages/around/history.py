"""The look-ups of a token: searched, opened, deleted."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, NamedTuple
from urllib.parse import urlencode

import anyio.to_thread
from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field, field_validator

from pacbed.service.http.answers import SHA256
from pacbed.service.http.callers import TheService, own_lookup
from pacbed.service.pages.show import show
from pacbed.service.pages.signing import SEE_OTHER, Visitor
from pacbed.service.state import Service
from pacbed.service.store.lookup import Lookup
from pacbed.service.store.wanted import Wanted

LOGGER = logging.getLogger("pacbed.service.pages")
router = APIRouter(prefix="/history", include_in_schema=False)
ON_A_PAGE = 25
MOST = 500  # that are deleted at once
Day = Annotated[date | None, Field(None, ge=date(1970, 1, 1), le=date(9000, 1, 1))]


class Search(BaseModel):
    """The form above the list; what is left empty is not asked for."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    search: Annotated[str, Field(max_length=200)] = ""
    bundle: Annotated[str, Field(max_length=200)] = ""
    verdict: Annotated[str, Field(pattern="^(ok|doubtful|refused|)$")] = ""
    since: Day = None
    until: Day = None
    before: Annotated[float | None, Field(ge=0, le=1e12)] = None

    @field_validator("since", "until", "before", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @property
    def wanted(self) -> Wanted:
        """The same as the store takes it; days are those of UTC, and the last one counts."""
        ends = [_seconds(self.until + timedelta(days=1))] if self.until is not None else []
        ends += [self.before] if self.before is not None else []
        since = None if self.since is None else _seconds(self.since)
        return Wanted(self.search, self.bundle, self.verdict, since, min(ends, default=None))

    def query(self, **changed: float) -> str:
        """The same as the query of an address, without what is not asked for."""
        fields: Mapping[str, object] = self.model_dump() | changed
        return urlencode({name: value for name, value in fields.items() if value not in ("", None)})


class Line(NamedTuple):
    """A look-up of the list.

    Attributes
    ----------
    lookup : Lookup
    std_nm : float or None
        Standard deviation of its thickness [nm].
    """

    lookup: Lookup
    std_nm: float | None


@router.get("")
async def history_page(
    request: Request, owner: Visitor, service: TheService, search: Annotated[Search, Query()]
) -> Response:
    """Look-ups that were searched for, the latest first."""

    def read() -> tuple[list[Line], list[str]]:
        found = service.lookups.of_owner(owner, search.wanted, limit=ON_A_PAGE + 1)
        return [_line(one) for one in found], service.overview.bundles_of(owner)

    lines, bundles = await anyio.to_thread.run_sync(read)
    shown = lines[:ON_A_PAGE]
    older = search.query(before=shown[-1].lookup.created) if len(lines) > ON_A_PAGE else ""
    first = search.model_copy(update={"before": None})
    return show(
        request,
        "history.html",
        owner,
        lines=shown,
        bundles=bundles,
        search=search,
        asked=bool(first.query()),
        older=older,
        newest=first.query() if search.before is not None else None,
        keep_days=service.settings.keep_days,
    )


@router.post("/delete")
async def delete(
    request: Request,
    owner: Visitor,
    service: TheService,
    identity: Annotated[list[Annotated[str, Field(pattern=SHA256)]], Form(max_length=MOST)] = [],  # noqa: B006
    sure: Annotated[bool, Form()] = False,
) -> Response:
    """Forget look-ups, after they were shown once more."""
    found = await anyio.to_thread.run_sync(lambda: [own_lookup(service, one, owner) for one in identity])
    if not found:
        return RedirectResponse("/history", SEE_OTHER)
    if not sure:
        return show(request, "delete.html", owner, here="/history", lookups=found)
    await anyio.to_thread.run_sync(_forget, service, found)
    return RedirectResponse("/history", SEE_OTHER)


def _forget(service: Service, lookups: list[Lookup]) -> None:
    for lookup in lookups:
        service.lookups.delete(lookup)


def _line(lookup: Lookup) -> Line:
    try:
        estimate = lookup.result()["thickness_nm"] or {}
        std = estimate.get("std")
    except (OSError, ValueError, KeyError) as error:  # a list is shown without the files of one of its lines
        LOGGER.warning("look-up %s: %r", lookup.identity, error)
        std = None
    return Line(lookup, std)


def _seconds(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
