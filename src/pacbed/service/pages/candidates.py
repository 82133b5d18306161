"""Candidates beside a recorded pattern: what is kept for it, and the picture of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pacbed.analysis.report.comparison.candidate import Wanted
from pacbed.analysis.report.comparison.kept import Kept, read_kept
from pacbed.errors import FormatError
from pacbed.outputs import file_aside
from pacbed.service.http.asking import aside
from pacbed.service.http.callers import TheService
from pacbed.service.pages.seen import Seen, SeenLookup, bundle_of, job_of
from pacbed.service.problems import ServiceError, unusable
from pacbed.service.state import Service
from pacbed.service.store.lookup import Lookup
from pacbed.service.workers import views
from pacbed.service.workers.tasks import COMPARISON
from pacbed.service.workers.views import Drawn

router = APIRouter(include_in_schema=False)
LARGEST = 1e6  # of any number: what can be rendered is asked later


def _or_none(value: object) -> object:
    """A field of a form that was left empty."""
    return None if value == "" else value


Bounded = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Number = Annotated[Bounded | None, BeforeValidator(_or_none)]
Index = Annotated[int, Field(ge=0, le=10_000)]


class WantedQuery(BaseModel):
    """A candidate in the address of a page; what is not given stays as in the best match."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    thickness_nm: Number = None
    convergence_mrad: Number = None
    mistilt_mrad: Number = None
    azimuth_deg: Number = None
    point: Annotated[Index | None, BeforeValidator(_or_none)] = None

    def wanted(self) -> Wanted:
        """The same as a worker takes it."""
        return Wanted(**self.model_dump())

    def given(self) -> bool:
        """Whether anything but the best match is asked for."""
        return self.wanted() != Wanted()


WantedView = Annotated[WantedQuery, Query()]


@router.get("/lookups/{identity}/candidate.png")
async def candidate(seen: Seen, service: TheService, query: WantedView) -> Response:
    """Recorded pattern, candidate and difference, three squares side by side; the misfit is in the headers."""
    drawn = await drawn_candidate(service, seen, query.wanted())
    assert drawn.place is not None
    place = {
        "Thickness": f"{drawn.place.thickness_nm:.3f}",
        "Convergence": f"{drawn.place.convergence_mrad:.3f}",
        "Mistilt": f"{drawn.place.mistilt_mrad:.3f}",
        "Azimuth": f"{drawn.place.azimuth_deg:.2f}",
        "Ratio": f"{drawn.place.ratio:.4f}",
    }
    headers = {f"X-Pacbed-{name}": value for name, value in place.items()}
    # The same place has the same picture, which one page shows in three parts.
    return Response(drawn.content, media_type="image/png", headers={**headers, "Cache-Control": "private, max-age=300"})


async def drawn_candidate(service: Service, seen: SeenLookup, wanted: Wanted) -> Drawn:
    """Let a worker draw a candidate.

    Raises
    ------
    ServiceError
        410, 422, 429, 503, 504.
    """
    bundle, file = bundle_of(service, seen.lookup), seen.lookup.folder / COMPARISON
    if not await anyio.Path(file).is_file():
        await _keep(service, seen)
    await anyio.to_thread.run_sync(service.count_view, seen.asked_by)
    drawn = await service.pool.call(seen.asked_by, views.candidate, bundle.path, file, wanted)
    return _or_trouble(drawn)


async def kept_of(service: Service, seen: SeenLookup) -> Kept:
    """What is kept of a look-up for comparisons; made first where it was answered without.

    Raises
    ------
    ServiceError
        As for `drawn_candidate`.
    """
    file = seen.lookup.folder / COMPARISON
    if not await anyio.Path(file).is_file():
        await _keep(service, seen)
    try:
        return await anyio.to_thread.run_sync(read_kept, file)
    except FormatError as error:
        raise ServiceError(410, f"comparison: {error}") from None


async def _keep(service: Service, seen: SeenLookup) -> None:
    drawn = await drawn_again(service, seen, views.comparison)
    await anyio.to_thread.run_sync(_write, seen.lookup, drawn.content)


def _write(lookup: Lookup, content: bytes) -> None:
    if lookup.folder.is_dir():  # not deleted by now
        with file_aside(lookup.folder / COMPARISON) as aside:
            aside.write_bytes(content)


async def drawn_again(service: Service, seen: SeenLookup, task: Callable[..., Drawn], *arguments: object) -> Drawn:
    """Let a worker analyse the pattern again and draw something of it.

    Parameters
    ----------
    service : Service
    seen : SeenLookup
    task : callable
        Of `pacbed.service.workers.views`; called with the job, the answered thickness and the arguments.
    *arguments
        Further ones.

    Raises
    ------
    ServiceError
        As for `drawn_candidate`.
    """
    lookup = seen.lookup
    bundle = bundle_of(service, lookup)
    async with aside(service.allowance(seen.asked_by), service.scratch()) as (_, folder):
        job = job_of(service, lookup, bundle, folder)
        drawn = await service.pool.call(
            seen.asked_by,
            task,
            job,
            lookup.thickness_nm,
            *arguments,
            folder=folder,
        )
    return _or_trouble(drawn)


def _or_trouble(drawn: Drawn) -> Drawn:
    if drawn.trouble:
        raise unusable(drawn.trouble)
    return drawn
