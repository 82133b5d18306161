"""The requests of the authors' clients (Oberaigner et al., Microsc. Microanal. 29 (2023), Fig. 5): `/inference/`."""

from __future__ import annotations

import base64
import io
from typing import Annotated

import anyio.to_thread
import imageio.v3 as iio
from fastapi import APIRouter, File, Form, Request, UploadFile

from pacbed.service.catalogue.choose import by_crystal
from pacbed.service.http.answers import AuthorsAnswer
from pacbed.service.http.asking import RAW, Asked, answer
from pacbed.service.http.callers import Identity, Owner, TheService, own_lookup
from pacbed.service.http.errors import documented
from pacbed.service.http.forms import AuthorsParameters, RawFile
from pacbed.service.problems import unknown
from pacbed.service.store.lookup import SHEET, Lookup

router = APIRouter(prefix="/inference", tags=["the authors' clients"])
KILO, ANGSTROM_PER_NM = 1000.0, 10.0


@router.post("/", responses=documented(404, 504))
async def inference(
    request: Request,
    owner: Owner,
    service: TheService,
    parameters: Annotated[str, Form(max_length=20_000, description="JSON text")],
    file: Annotated[UploadFile, File(description="raw pixels in C order, or a DM4 file")],
) -> AuthorsAnswer:
    """Thickness [angstrom], mistilt [mrad], scale and validation sheet of a pattern."""
    told = AuthorsParameters.of_text(parameters)
    physical, axis = told.physical_params, told.physical_params.zone_axis
    energy_kev, angle = physical.acceleration_voltage / KILO, physical.convergence_angle
    bundles, crystal = service.registry.bundles, physical.crystal_structure
    bundle = by_crystal(bundles, crystal, (axis.u, axis.v, axis.w), energy_kev, angle)
    options = {"convergence_mrad": angle, "energy_kev": energy_kev}
    raw = told.file_params.frame if isinstance(told.file_params, RawFile) else None
    asked = Asked(file, bundle, options, raw, ".dm4" if raw is None else RAW, sheet=True)
    lookup, _ = await answer(service, request, owner, asked)
    return await anyio.to_thread.run_sync(_as_authors, lookup)


@router.get("/delayed/{identity}", responses=documented(404))
async def delayed(identity: Identity, owner: Owner, service: TheService) -> AuthorsAnswer:
    """An answer that was given before."""
    lookup = await anyio.to_thread.run_sync(own_lookup, service, identity, owner)
    if not (lookup.folder / SHEET).is_file():
        raise unknown("lookup: this one has no sheet, accepted: one that was asked at /inference/")
    return await anyio.to_thread.run_sync(_as_authors, lookup)


def _as_authors(lookup: Lookup) -> AuthorsAnswer:
    result = lookup.result()
    thickness, mistilt, scale = (
        None if result[name] is None else float(result[name]["value"])
        for name in ("thickness_nm", "mistilt_mrad", "scale")
    )
    picture = io.BytesIO()
    iio.imwrite(picture, iio.imread(lookup.folder / SHEET)[..., :3], extension=".png")
    return AuthorsAnswer(
        thickness=None if thickness is None else ANGSTROM_PER_NM * thickness,
        mistilt=mistilt,
        scale=scale,
        validation=base64.b64encode(picture.getvalue()).decode(),
        verdict=result["verdict"],
        reasons=result["reasons"],
        lookup=lookup.identity,
    )
