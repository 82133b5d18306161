"""The first page: a pattern is sent, and what its file says is filled in."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request, Response, UploadFile
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import ValidationError
from starlette.datastructures import UploadFile as SentFile

from pacbed.errors import PacbedError, bad_value
from pacbed.service.catalogue.choose import by_name
from pacbed.service.http.asking import SUFFIXES, Asked, accepted_suffix, answer, aside, plain_file_name, save_upload
from pacbed.service.http.callers import TheService
from pacbed.service.http.errors import problem_of
from pacbed.service.http.forms import LookupForm
from pacbed.service.pages.faults import ADVICE, wants_page
from pacbed.service.pages.offer import LAST, LAST_S, as_cookie, chosen_last, fitting, offers
from pacbed.service.pages.show import show
from pacbed.service.pages.signing import SEE_OTHER, Visitor
from pacbed.service.problems import unusable
from pacbed.service.state import Service
from pacbed.service.workers import views
from pacbed.service.workers.job import Job

router = APIRouter(include_in_schema=False)
MOST_FIELDS = 30
SHOWN = ("bundle", "convergence_mrad", "pixel_mrad", "energy_kev", "mirrored", "dataset")


@router.get("/")
async def ask_page(request: Request, owner: Visitor, service: TheService) -> Response:
    """The form for a pattern, with what was chosen last."""
    last = chosen_last(request.cookies.get(LAST), offers(service.registry.bundles))
    asked_for = {name: request.query_params[name][:100] for name in ("bundle",) if name in request.query_params}
    return _page(request, owner, service, {**last, **asked_for})


def _page(
    request: Request, owner: str, service: Service, fields: Mapping[str, str], *, status: int = 200, **told: Any
) -> Response:
    values = {"trouble": "", "advice": "", "retry_s": None, **told}
    choice = offers(service.registry.bundles)
    return show(
        request,
        "ask.html",
        owner,
        status=status,
        offers=choice,
        fields={name: fields.get(name, "") for name in SHOWN},
        suffixes=",".join(sorted(SUFFIXES)),
        most_mib=service.settings.limits.body_mib,
        **values,
    )


@router.post("/")
async def ask(request: Request, owner: Visitor, service: TheService) -> Response:
    """Answer a pattern, and lead to its page; what is wrong is told above the form as it was filled in."""
    fields: dict[str, str] = {}
    try:
        upload, fields = await _sent(request)
        form = _form(fields)
        asked = Asked(_needed(upload), by_name(service.registry.bundles, str(form.bundle)), form.options(), sheet=True)
        lookup, _ = await answer(service, request, owner, asked)
    except (PacbedError, OSError) as error:
        if not wants_page(request):
            raise
        told = problem_of(error)
        if told is None:
            raise
        return _page(
            request, owner, service, fields, status=told.status, trouble=told.text,
            advice=ADVICE.get(told.status, ""), retry_s=told.retry_s,
        )  # fmt: skip
    there = f"/lookups/{lookup.identity}"
    done: Response = (
        RedirectResponse(there, SEE_OTHER) if wants_page(request) else JSONResponse({"location": there}, 201)
    )
    done.set_cookie(
        LAST, as_cookie({**fields, "bundle": asked.bundle.name}), max_age=LAST_S, httponly=True, samesite="strict"
    )
    return done


async def _sent(request: Request) -> tuple[UploadFile | None, dict[str, str]]:
    """The file of a form, if there is one, and its fields that were filled in."""
    form = await request.form(max_files=1, max_fields=MOST_FIELDS)
    file = form.get("file")
    fields = {name: value for name, value in form.items() if isinstance(value, str) and value != ""}
    if not isinstance(file, SentFile) or not file.filename:
        return None, fields
    return UploadFile(file.file, size=file.size, filename=file.filename, headers=file.headers), fields


def _needed(upload: UploadFile | None) -> UploadFile:
    if upload is None:
        raise unusable("file: got none, accepted: the file of a pattern")
    return upload


def _form(fields: Mapping[str, str]) -> LookupForm:
    try:
        form = LookupForm.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "bundle"
        shown = first["input"] if isinstance(first["input"], str) else None
        raise unusable(str(bad_value(where, shown, first["msg"]))) from None
    if form.bundle is None:
        raise unusable("bundle: got none, accepted: one of the list")
    return form


@router.post("/preview")
async def preview(request: Request, owner: Visitor, service: TheService) -> Response:
    """A picture of a pattern before it is asked for, and what its file says."""
    sent, fields = await _sent(request)
    upload = _needed(sent)
    await anyio.to_thread.run_sync(service.count_view, owner)
    name = plain_file_name(upload.filename)
    suffix = accepted_suffix(name)
    options = {"dataset": fields["dataset"]} if "dataset" in fields else {}
    async with aside(service.scratch()) as (folder,):
        file = folder / "upload" / f"pattern{suffix}"
        await save_upload(upload, file)
        job = Job(folder, file, name, file, service.lookups.folder, options)
        drawn = await service.pool.call(owner, views.glance, job, folder=folder)
    if drawn.seen is None:
        raise unusable(drawn.trouble)
    seen = drawn.seen
    return JSONResponse(
        {
            "picture": f"data:image/png;base64,{base64.b64encode(seen.png).decode()}",
            "lines": [line.partition(f"{file.name}: ")[2] or line for line in seen.lines],
            "pixel_mrad": seen.pixel_mrad,
            "energy_kev": seen.energy_kev,
            "convergence_mrad": seen.convergence_mrad,
            "fits": fitting(offers(service.registry.bundles), seen.energy_kev, seen.convergence_mrad),
        }
    )


@router.get("/queue")
async def queue(owner: Visitor, service: TheService) -> Response:
    """How many look-ups wait and run now."""
    return JSONResponse({"waiting": service.pool.turns.waiting, "running": service.pool.turns.running})
