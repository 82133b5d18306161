"""Files of a look-up to download: result, sheet, best match, crate."""

from __future__ import annotations

import json
import re
from pathlib import Path

import anyio.to_thread
from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from pacbed.service.http.callers import TheService
from pacbed.service.http.lookups import crate
from pacbed.service.pages.candidates import drawn_again
from pacbed.service.pages.seen import Seen, SeenLookup
from pacbed.service.store.lookup import SHEET
from pacbed.service.workers import views

router = APIRouter(include_in_schema=False)


@router.get("/lookups/{identity}/result.json")
async def result_json(seen: Seen) -> Response:
    """The result, as `pacbed predict --json` prints it."""
    content = await anyio.to_thread.run_sync(seen.lookup.result)
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return Response(text, media_type="application/json", headers=_saved_as(seen, ".json"))


@router.get("/lookups/{identity}/sheet.png")
async def sheet_png(seen: Seen, service: TheService) -> Response:
    """The sheet to look at; drawn now where it was not asked for then."""
    kept = seen.lookup.folder / SHEET
    if await anyio.Path(kept).is_file():
        return FileResponse(kept, media_type="image/png")
    drawn = await drawn_again(service, seen, views.sheet, ".png")
    return Response(drawn.content, media_type="image/png")


@router.get("/lookups/{identity}/sheet.pdf")
async def sheet_pdf(seen: Seen, service: TheService) -> Response:
    """The sheet for printing."""
    drawn = await drawn_again(service, seen, views.sheet, ".pdf")
    return Response(drawn.content, media_type="application/pdf", headers=_saved_as(seen, ".pdf"))


@router.get("/lookups/{identity}/match.tif")
async def match_tif(seen: Seen, service: TheService) -> Response:
    """The best match on the pixels of the pattern."""
    drawn = await drawn_again(service, seen, views.best_match)
    return Response(drawn.content, media_type="image/tiff", headers=_saved_as(seen, "_match.tif"))


@router.get("/lookups/{identity}/crate.zip")
async def crate_zip(seen: Seen) -> Response:
    """Everything, as an RO-Crate."""
    return await crate(seen.lookup.identity, seen.lookup)


def _saved_as(seen: SeenLookup, ending: str) -> dict[str, str]:
    """A name of plain letters, as files of the microscope are found by."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", Path(seen.lookup.input_name).stem)[:80] or "pattern"
    return {"Content-Disposition": f'attachment; filename="{stem}{ending}"'}
