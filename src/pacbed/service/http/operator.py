"""What the operator alone asks: feedback of everybody, and how the service is; `/api/v1/feedback`, `/api/v1/state`."""

from __future__ import annotations

import os
import shutil
from typing import Annotated, Any, Literal

import anyio.to_thread
from fastapi import APIRouter, Depends, Query, Response

from pacbed.service.http.answers import SaidAnswer, StateAnswer, WorkerAnswer
from pacbed.service.http.callers import Owner, TheService
from pacbed.service.http.errors import documented
from pacbed.service.problems import ServiceError
from pacbed.service.settings import GIGA
from pacbed.service.state import Service, is_operator
from pacbed.service.store.feedback import as_csv
from pacbed.service.workers.states import worker_states

router = APIRouter(prefix="/api/v1", tags=["operator"])
CSV_MEDIA = "text/csv; charset=utf-8"
LISTED: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}, "description": "JSON, or a table"}}


def operators_own(owner: str) -> str:
    """The same owner, who has the token of the start.

    Raises
    ------
    ServiceError
        403: somebody else.
    """
    if not is_operator(owner):
        raise ServiceError(
            403, "only the operator sees this, accepted: the token that the service printed at its start"
        )
    return owner


async def the_operator(owner: Owner) -> str:
    """Whoever has the token of the start; errors as for `operators_own`."""
    return operators_own(owner)


Operator = Annotated[str, Depends(the_operator)]


@router.get("/feedback", response_model=list[SaidAnswer], responses={**documented(), **LISTED})
async def feedback(
    operator: Operator,
    service: TheService,
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
    limit: Annotated[int | None, Query(ge=1, le=10**6, description="how many at most; default: all")] = None,
) -> Any:
    """What everybody said of answers, the latest first."""
    said = await anyio.to_thread.run_sync(lambda: service.overview.said(limit=limit))
    if form == "json":
        return [SaidAnswer(**one._asdict()) for one in said]
    headers = {"Content-Disposition": 'attachment; filename="pacbed-feedback.csv"'}
    return Response(as_csv(said), media_type=CSV_MEDIA, headers=headers)


@router.get("/state", responses=documented())
async def state(operator: Operator, service: TheService) -> StateAnswer:
    """Queue and workers of the process that answers."""
    return await state_of(service)


async def state_of(service: Service) -> StateAnswer:
    """How a service is, now."""
    turns = service.pool.turns
    workers = await anyio.to_thread.run_sync(worker_states)
    disk = await anyio.to_thread.run_sync(shutil.disk_usage, service.settings.home)
    return StateAnswer(
        server=os.getpid(),
        ready=service.pool.ready,
        running=turns.running,
        waiting=turns.waiting,
        waiting_by_token=turns.waiting_by_owner,
        workers=[WorkerAnswer(**one._asdict()) for one in workers],
        workers_replaced=service.pool.replaced,
        free_gb=disk.free / GIGA,
    )
