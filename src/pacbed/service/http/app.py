"""The application: routes, errors, limits of bodies, and what runs beside the requests."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import anyio
import anyio.to_thread
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from pacbed.service.http import authors, bundles, errors, health, lookups, operator
from pacbed.service.http.answers import Problem
from pacbed.service.places import RENEW_S
from pacbed.service.settings import MEBI
from pacbed.service.state import Service

LOGGER = logging.getLogger("pacbed.service")
CLEAN_S = 3600.0
LOOK_S = 0.5


def create_app(service: Service) -> FastAPI:
    """Routes and errors of a service; `Guard` has to stand before it.

    Parameters
    ----------
    service : Service
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with anyio.create_task_group() as group:
            await service.pool.start(group)
            group.start_soon(service.registry.keep_in_step)
            group.start_soon(_warm_up, service)
            group.start_soon(_clean, service)
            group.start_soon(_renew, service)
            yield
            group.cancel_scope.cancel()

    app = FastAPI(
        title="pacbed",
        version=version("pacbed"),
        summary="Specimen thickness from PACBED patterns",
        lifespan=lifespan,
        docs_url=None,  # pages that fetch scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        max_body_size=int(service.settings.limits.body_mib * MEBI),
    )
    app.state.service = service
    for router in (lookups.router, bundles.router, health.router, operator.router, authors.router):
        app.include_router(router)
    errors.install(app)
    _describe_problems(app)
    return app


def _describe_problems(app: FastAPI) -> None:
    """Put the schema of errors into the description, which only answers would bring in."""
    usual = app.openapi

    def described() -> dict[str, object]:
        description = usual()
        schemas = description["components"]["schemas"]
        if "Problem" not in schemas:
            schemas["Problem"] = Problem.model_json_schema()
            _plain_pairs(description)
        return description

    app.openapi = described  # type: ignore[method-assign]


def _plain_pairs(part: Any) -> None:
    """Write pairs of one type as arrays of that type: many tools for OpenAPI do not know `prefixItems`."""
    if isinstance(part, dict):
        items = part.get("prefixItems")
        if isinstance(items, list) and all(item == items[0] for item in items):
            part["items"] = part.pop("prefixItems")[0]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            _plain_pairs(one)


async def _warm_up(service: Service) -> None:
    """Once a bundle is ready, let every worker answer a pattern of it; remember what is served."""
    while True:
        ready = {one.sha256: one.name for one in service.registry.bundles if one.state == "ready"}
        try:
            await anyio.to_thread.run_sync(service.served.note, ready)
        except SQLAlchemyError as error:
            LOGGER.warning("store: %s", error)
        first = service.registry.ready()
        if first is not None and not service.pool.ready:
            await service.pool.warm_up(first.path)
            LOGGER.info("ready")
        await anyio.sleep(LOOK_S)


async def _clean(service: Service) -> None:
    """Forget what is older than is kept."""
    while True:
        try:
            gone = await anyio.to_thread.run_sync(service.lookups.delete_older, service.settings.keep_days)
            LOGGER.info("%d old look-ups deleted", gone)
        except (SQLAlchemyError, OSError) as error:
            LOGGER.warning("store: %s", error)
        await anyio.sleep(CLEAN_S)


async def _renew(service: Service) -> None:
    """Tell the counters that the look-ups of this server still run."""
    while True:
        await anyio.sleep(RENEW_S)
        await anyio.to_thread.run_sync(service.counters.renew)
