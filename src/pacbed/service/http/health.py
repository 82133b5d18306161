"""How the service is: `/healthz`, `/readyz`, `/metrics`, and its limits."""

from __future__ import annotations

import anyio.to_thread
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from pacbed.service.http.answers import LimitsAnswer
from pacbed.service.http.callers import Owner, TheService
from pacbed.service.http.errors import documented, problem

router = APIRouter()
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
async def metrics(service: TheService) -> Response:
    """Counters for Prometheus."""
    turns, bundles = service.pool.turns, service.registry.bundles
    text = service.metrics.text(
        waiting=turns.waiting,
        running=turns.running,
        workers_replaced=service.pool.replaced,
        bundles_ready=sum(one.state == "ready" for one in bundles),
    )
    return Response(text, media_type=METRICS_MEDIA)


@router.get("/api/v1/limits", responses=documented(), tags=["limits"])
async def limits(owner: Owner, service: TheService) -> LimitsAnswer:
    """Every limit, and what is left."""
    left = await anyio.to_thread.run_sync(service.left, owner)
    settings = service.settings
    return LimitsAnswer(limits=settings.limits.model_dump(), left=left, keep_days=settings.keep_days)
