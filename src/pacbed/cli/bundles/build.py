"""`pacbed build`: from a CIF file to a bundle."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Annotated, Any

import typer

from pacbed.cli.arguments import DONE, direction, number, whole_number


def _number(text: str) -> Any:
    return typer.Option(parser=number, metavar="NUMBER", help=text, show_default=False)


ZoneAxis = Annotated[
    str, typer.Option(metavar="U,V,W", help="direct-lattice direction that points to the source", show_default=False)
]
Angles = Annotated[
    str, typer.Option(metavar="A|A-B", help="semi-convergence angle, or a range [mrad]", show_default=False)
]
Displacements = Annotated[
    str | None,
    typer.Option(metavar="Sr=0.00008,...", help="u_iso [nm^2] where the CIF has none; none: atoms at rest"),
]
Block = Annotated[str | None, typer.Option(help="data block of a CIF that holds several structures")]
Accepted = Annotated[
    list[str] | None,
    typer.Option(metavar="KIND", help="what the CIF says of itself and need not be true, such as volume; repeatable"),
]
Cores = Annotated[
    int | None, typer.Option(parser=whole_number, metavar="NUMBER", help="jobs at once; default: all cores")
]


def build(
    cif: Annotated[Path, typer.Argument(metavar="CIF", show_default=False)],
    zone_axis: ZoneAxis,
    energy_kev: Annotated[float, _number("beam energy [keV]")],
    convergence_mrad: Angles,
    out: Annotated[Path, typer.Option(help="the .pacbed file to write", show_default=False)],
    thickness_max_nm: Annotated[float, _number("largest thickness [nm]; default: 100")] = 100.0,
    mistilt_max_mrad: Annotated[float, _number("largest mistilt [mrad]; default: 5")] = 5.0,
    networks: Annotated[str, typer.Option(metavar="none|compact", help="networks to train")] = "none",
    u_iso_nm2: Displacements = None,
    block: Block = None,
    accept_contradictions: Accepted = None,
    cores: Cores = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace a bundle that is there")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="keep the work folder FILE.pacbed.building")] = False,
) -> int:
    """Make a bundle of a crystal; its configuration is written beside it, as FILE.yaml."""
    from pacbed.logs import tell_user
    from pacbed.workflow.build import build_bundle
    from pacbed.workflow.request import BuildRequest

    request = BuildRequest(
        cif=cif,
        zone_axis=direction("zone_axis", zone_axis),
        energy_kev=energy_kev,
        convergence_mrad=_angles(convergence_mrad),
        thickness_max_nm=thickness_max_nm,
        mistilt_max_mrad=mistilt_max_mrad,
        networks=networks,
        u_iso_nm2=_displacements(u_iso_nm2),
        block=block,
        accept_contradictions=tuple(accept_contradictions or ()),
    )
    _check_crystal(request)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the workflow ends as well
    jobs = os.cpu_count() or 1 if cores is None else cores
    build_bundle(request, out, cores=jobs, overwrite=overwrite, keep=keep, tell=tell_user)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB; configuration: {out.with_suffix('.yaml')}")
    return DONE


def _check_crystal(request: Any) -> None:
    """Refuse a CIF file that cannot be simulated before anything starts."""
    from pacbed.crystal.cif import read_structure
    from pacbed.crystal.reading import ReadingChoices
    from pacbed.errors import StructureError

    given = request.u_iso_nm2
    choices = ReadingChoices(
        request.block, request.accept_contradictions, displacements={} if isinstance(given, str) else given
    )
    sites = read_structure(request.cif, choices).sites
    still = sorted({site.element for site in sites if site.u_iso_nm2 == 0})
    if still and not isinstance(given, str):
        example = ",".join(f"{element}=0.00006" for element in still)
        raise StructureError(
            f"{request.cif}: got no displacement parameters of {', '.join(still)}, accepted: "
            f"--u-iso-nm2 {example} with the crystal's own values [nm^2], or none for atoms at rest"
        )


def _angles(text: str) -> tuple[float, float]:
    try:
        low, _, high = text.partition("-")
        return float(low), float(high or low)
    except ValueError:
        accepted = "an angle such as 20, or two such as 18-22 [mrad]"
        raise typer.BadParameter(f"--convergence-mrad: got {text!r}, accepted: {accepted}") from None


def _displacements(text: str | None) -> dict[str, float] | str:
    if text is None or text == "none":
        return text or {}
    try:
        return {key.strip(): float(value) for key, value in (part.split("=") for part in text.split(","))}
    except ValueError:
        raise typer.BadParameter(f"--u-iso-nm2: got {text!r}, accepted: values such as Sr=0.00008,O=0.0001") from None
