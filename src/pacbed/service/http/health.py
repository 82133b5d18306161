"""How the service is: `/healthz`, `/readyz`, `/metrics`, and its limits."""

from __future__ import annotations

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from pacbed.service.http.answers import LimitsAnswer
from pacbed.service.http.callers import Owner, Shown, TheService, the_owner
from pacbed.service.http.errors import documented, problem
from pacbed.service.http.operator import operators_own
from pacbed.service.settings import is_loopback

router = APIRouter()
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
METRICS_MEDIA = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/healthz", include_in_schema=False)
async def alive() -> JSONResponse:
    """The process answers."""
    return JSONResponse({"status": "alive"})


@router.get("/readyz", include_in_schema=False)
async def ready(service: TheService) -> Response:
    """Every worker has answered a pattern."""
    if service.pool.ready:
        return JSONResponse({"status": "ready"})
    return problem(503, "the workers are warming up, or no bundle is ready yet", retry_s=2)


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request, shown: Shown, service: TheService) -> Response:
    """Counters for Prometheus, on this machine or with the token of the start; they name bundles and routes."""
    if not _from_here(request):
        operators_own(await the_owner(request, shown))
    turns, bundles = service.pool.turns, service.registry.bundles
    text = service.metrics.text(
        waiting=turns.waiting,
        running=turns.running,
        workers_replaced=service.pool.replaced,
        bundles_ready=sum(one.state == "ready" for one in bundles),
    )
    return Response(text, media_type=METRICS_MEDIA)


def _from_here(request: Request) -> bool:
    """Whether a program of this machine asks, and no proxy of this machine for somebody else."""
    handed_on = any(name in request.headers for name in FORWARDED)
    return request.client is not None and is_loopback(request.client.host) and not handed_on


@router.get("/api/v1/limits", responses=documented(), tags=["limits"])
async def limits(owner: Owner, service: TheService) -> LimitsAnswer:
    """Every limit, and what is left."""
    left = await anyio.to_thread.run_sync(service.left, owner)
    settings = service.settings
    return LimitsAnswer(limits=settings.limits.model_dump(), left=left, keep_days=settings.keep_days)
