"""Bundles: `/api/v1/bundles`."""

from __future__ import annotations

from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import FileResponse

from pacbed.service.catalogue.evidence import measured
from pacbed.service.catalogue.served import Served
from pacbed.service.http.answers import SHA256, BundleAnswer, ErrorAnswer
from pacbed.service.http.asking import aside
from pacbed.service.http.callers import Owner, TheService
from pacbed.service.http.errors import documented
from pacbed.service.http.forms import ViewQuery
from pacbed.service.problems import ServiceError, unknown
from pacbed.service.state import Service
from pacbed.service.workers.job import View
from pacbed.service.workers.strips import COUNT, strip_thicknesses

router = APIRouter(prefix="/api/v1/bundles", tags=["bundles"])
Sha256 = Annotated[str, Path(pattern=SHA256, description="hash of a bundle")]
Number = Annotated[int, Path(ge=0, lt=COUNT, description="of the pattern, from the thinnest on")]
MEDIA = {"npy": "application/octet-stream", "png": "image/png"}
IMAGE: dict[int | str, dict[str, Any]] = {
    200: {"content": {media: {} for media in MEDIA.values()}, "description": "fractions of the beam, or 16-bit levels"}
}
PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}, "description": "8-bit levels"}}
FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {}}, "description": "the .pacbed file"},
    206: {"content": {"application/zip": {}}, "description": "a part of it"},
    304: {"description": "unchanged"},
}


@router.get("", responses=documented())
async def bundles(owner: Owner, service: TheService) -> list[BundleAnswer]:
    """All bundles, also those that are refused, with the reason."""
    return [_answer(one) for one in service.registry.bundles]


@router.get("/{sha256}", responses=documented(404, 410))
async def bundle(sha256: Sha256, owner: Owner, service: TheService) -> BundleAnswer:
    """One bundle."""
    return _answer(await served_bundle(service, sha256))


@router.get("/{sha256}/render", response_class=Response, responses={**documented(404, 410, 504), **IMAGE})
async def rendered(
    sha256: Sha256,
    owner: Owner,
    service: TheService,
    view: Annotated[ViewQuery, Query()],
) -> Response:
    """A simulated pattern at any thickness, angle and tilt."""
    found = await served_bundle(service, sha256)
    _check_ready(found)
    asked = View(**{name: getattr(view, name) for name in View._fields})
    async with aside(service.allowance(owner)):
        content = await service.pool.render(found.path, asked, view.format, owner)
    return Response(content, media_type=MEDIA[view.format])


@router.get("/{sha256}/strip/{number}.png", response_class=FileResponse, responses={**documented(404, 410, 504), **PNG})
async def strip(sha256: Sha256, number: Number, owner: Owner, service: TheService) -> Response:
    """One pattern of the bundle's strip: of some thicknesses, without mistilt; `strip_nm` tells which."""
    found = await served_bundle(service, sha256)
    _check_ready(found)
    return FileResponse(await service.strips.picture(found.path, sha256, number, owner), media_type="image/png")


@router.get("/{sha256}/file", response_class=FileResponse, responses={**documented(404, 410), **FILE})
async def file(request: Request, sha256: Sha256, owner: Owner, service: TheService) -> Response:
    """The bundle itself, whole or in parts."""
    found = await served_bundle(service, sha256)
    etag = f'"{sha256}"'
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": etag})
    return FileResponse(found.path, media_type="application/zip", filename=found.path.name, headers={"ETag": etag})


async def served_bundle(service: Service, sha256: str) -> Served:
    """The bundle of a hash.

    Raises
    ------
    ServiceError
        404; 410 for one that was served once.
    """
    for one in service.registry.bundles:
        if one.sha256 == sha256:
            return one
    name = await anyio.to_thread.run_sync(service.served.name_of, sha256)
    if name is not None:
        raise ServiceError(410, f"bundle: {name} with this hash was withdrawn")
    raise unknown(f"bundle: got {sha256}, accepted: the hash of a bundle that is served")


def _check_ready(found: Served) -> None:
    if found.state != "ready":
        raise ServiceError(503, f"{found.name}: its table is being made; ask again", retry_s=20)


def _answer(one: Served) -> BundleAnswer:
    known: dict[str, Any] = {"name": one.name, "state": one.state, "reason": one.reason, "size": one.stamp[0]}
    if one.meta is not None:
        base, trained = f"{router.prefix}/{one.sha256}", one.meta.trained
        known |= {
            "sha256": one.sha256,
            "system": one.meta.system,
            "crystal": dict(one.meta.crystal),
            "zone_axis": list(one.axis),
            "energy_kev": one.energy_kev,
            "thickness_nm": trained.thickness_nm,
            "convergence_mrad": trained.convergence_mrad,
            "mistilt_mrad": trained.mistilt_mrad,
            "networks": sorted(one.meta.class_values),
            "errors": [ErrorAnswer(**error._asdict()) for error in measured(one.meta)],
            "model_error": one.meta.model_error,
            "strip_nm": strip_thicknesses(trained),
            "links": {"self": base, "render": f"{base}/render", "strip": f"{base}/strip", "file": f"{base}/file"},
        }
    return BundleAnswer(**known)
