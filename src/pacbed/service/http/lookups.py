"""Look-ups: `/api/v1/lookups`."""

from __future__ import annotations

import base64
import io
import secrets
from typing import Annotated, Any

import anyio.to_thread
import imageio.v3 as iio
import numpy as np
from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import FileResponse

from pacbed.analysis.result import Result
from pacbed.service.catalogue.choose import by_crystal, by_name
from pacbed.service.catalogue.served import Served
from pacbed.service.http.answers import Feedback, Links, LookupAnswer, LookupSummary, Share
from pacbed.service.http.asking import Asked, answer
from pacbed.service.http.callers import Identity, Owner, SeenLookup, TheService, own_lookup
from pacbed.service.http.errors import documented
from pacbed.service.http.forms import HistoryQuery, LookupForm
from pacbed.service.problems import unknown
from pacbed.service.records.crate import Contents, write_crate
from pacbed.service.state import Service
from pacbed.service.store.lookup import SHEET, Lookup
from pacbed.service.store.tokens import secret_hash
from pacbed.service.times import iso

router = APIRouter(prefix="/api/v1/lookups", tags=["look-ups"])
KEY_BYTES = 24
PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}, "description": "the sheet"}}
NPY: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "uint8 array of shape (y, x, RGB)"}
}
ZIP: dict[int | str, dict[str, Any]] = {200: {"content": {"application/zip": {}}, "description": "RO-Crate 1.1"}}


@router.post("", responses=documented(404, 504))
async def look_up(
    request: Request,
    owner: Owner,
    service: TheService,
    file: Annotated[UploadFile, File(description="the microscope's own file, or NPZ")],
    form: Annotated[LookupForm, Form()],
) -> LookupAnswer:
    """Thickness, error bar and verdict of a recorded pattern."""
    bundle = _chosen(service, form)
    asked = Asked(file, bundle, form.options(), sheet=form.sheet != "none")
    lookup, again = await answer(service, request, owner, asked)
    sheet = lookup.folder / SHEET if form.sheet == "inline" else None
    encoded = None if sheet is None else base64.b64encode(await anyio.Path(sheet).read_bytes()).decode()
    whole = await anyio.to_thread.run_sync(_whole, lookup)
    return whole.model_copy(update={"again": again, "sheet": encoded})


def _chosen(service: Service, form: LookupForm) -> Served:
    bundles = service.registry.bundles
    if form.bundle is not None:
        return by_name(bundles, form.bundle)
    assert form.crystal is not None and form.voltage_kv is not None
    return by_crystal(bundles, form.crystal, form.direction, form.voltage_kv, form.convergence_mrad)


@router.get("", responses=documented())
async def own_lookups(
    owner: Owner, service: TheService, query: Annotated[HistoryQuery, Query()]
) -> list[LookupSummary]:
    """Own look-ups, the latest first."""

    def read() -> list[LookupSummary]:
        return [_summary(one) for one in service.lookups.of_owner(owner, query.wanted(), limit=query.limit)]

    return await anyio.to_thread.run_sync(read)


@router.get("/{identity}", responses=documented(404))
async def one_lookup(identity: Identity, lookup: SeenLookup) -> LookupAnswer:
    """A look-up, with the token or by a link."""
    return await anyio.to_thread.run_sync(_whole, lookup)


@router.get("/{identity}/sheet.png", response_class=FileResponse, responses={**documented(404), **PNG})
async def sheet_png(identity: Identity, lookup: SeenLookup) -> FileResponse:
    """The sheet as a picture."""
    return FileResponse(_sheet(lookup), media_type="image/png")


@router.get("/{identity}/sheet.npy", response_class=Response, responses={**documented(404), **NPY})
async def sheet_npy(identity: Identity, lookup: SeenLookup) -> Response:
    """The sheet as an array, for programs without a reader of PNG."""

    def encode() -> bytes:
        stream = io.BytesIO()
        np.save(stream, np.ascontiguousarray(iio.imread(_sheet(lookup))[..., :3]))
        return stream.getvalue()

    content = await anyio.to_thread.run_sync(encode)
    return Response(content, media_type="application/octet-stream")


@router.get("/{identity}/crate.zip", response_class=Response, responses={**documented(404), **ZIP})
async def crate(identity: Identity, lookup: SeenLookup) -> Response:
    """Pattern, request, result and sheet as an RO-Crate."""

    def pack() -> bytes:
        sheet = lookup.folder / SHEET
        kept = sheet if sheet.is_file() else None
        return write_crate(
            Contents(lookup.identity, lookup.created, lookup.asked, lookup.result(), lookup.pattern, kept)
        )

    content = await anyio.to_thread.run_sync(pack)
    name = f"pacbed-{lookup.identity[:12]}.zip"
    return Response(
        content, media_type="application/zip", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@router.delete("/{identity}", status_code=204, responses=documented(404))
async def delete(identity: Identity, owner: Owner, service: TheService) -> None:
    """Forget a look-up, its pattern included."""
    lookup = await anyio.to_thread.run_sync(own_lookup, service, identity, owner)
    await anyio.to_thread.run_sync(service.lookups.delete, lookup)


@router.post("/{identity}/feedback", status_code=204, responses=documented(404))
async def feedback(identity: Identity, said: Feedback, owner: Owner, service: TheService) -> None:
    """Say whether an answer is right, or what another method gives."""
    lookup = await anyio.to_thread.run_sync(own_lookup, service, identity, owner)
    await anyio.to_thread.run_sync(service.lookups.say, lookup, said.answer, said.thickness_nm, said.comment)


@router.post("/{identity}/share", responses=documented(404))
async def share(identity: Identity, owner: Owner, service: TheService, shared: bool = True) -> Share:
    """Make a link that shows the look-up without a token; `shared=false` takes all links back."""
    lookup = await anyio.to_thread.run_sync(own_lookup, service, identity, owner)
    key = secrets.token_urlsafe(KEY_BYTES)
    await anyio.to_thread.run_sync(service.lookups.share, lookup, secret_hash(key) if shared else None)
    return Share(link=f"{_links(lookup).self}?key={key}" if shared else "")


def _sheet(lookup: Lookup) -> Any:
    path = lookup.folder / SHEET
    if not path.is_file():
        raise unknown("sheet: this look-up has none, accepted: one that was asked with sheet=link or sheet=inline")
    return path


def _links(lookup: Lookup) -> Links:
    base = f"{router.prefix}/{lookup.identity}"
    sheet = f"{base}/sheet.png" if (lookup.folder / SHEET).is_file() else None
    return Links(self=base, sheet=sheet, crate=f"{base}/crate.zip")


def _summary(lookup: Lookup) -> LookupSummary:
    return LookupSummary(
        id=lookup.identity,
        created=iso(lookup.created),
        input=lookup.input_name,
        bundle=lookup.bundle_name,
        verdict=lookup.verdict,
        thickness_nm=lookup.thickness_nm,
        links=_links(lookup),
    )


def _whole(lookup: Lookup) -> LookupAnswer:
    return LookupAnswer(**_summary(lookup).model_dump(), result=Result.model_validate(lookup.result()))
