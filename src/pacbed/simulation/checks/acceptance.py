"""The gate behind the checks of a simulation: a failing one stops the workflow here, with its evidence kept."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pacbed.errors import FormatError, SimulationError
from pacbed.outputs import check_version, write_json

log = logging.getLogger(__name__)
SCHEMA_VERSION = 1


def accept_simulation(referee_json: str | Path, convergence_json: str | Path, out_json: str | Path) -> None:
    """Let a system's simulation pass, or say what is wrong with it.

    A crystal that has no direct simulation passes on its convergence alone; a warning and the file say so.

    Parameters
    ----------
    referee_json, convergence_json : path
        What `referee_simulation` and `check_convergence` wrote.
    out_json : path
        Written only if both pass.

    Raises
    ------
    SimulationError
        A figure exceeds its tolerance; the message has the figures, the pictures' paths and what to change.
    FormatError
        A file is missing or damaged.
    """
    referee, convergence = _read(referee_json), _read(convergence_json)
    try:
        problems = _numerics_problems(convergence)
        worst, facts = {}, {}
        if referee["applicable"]:
            problems = _table_problems(referee) + problems
            worst["referee"] = referee["worst_relative_l2"]
        else:
            facts = {"referee_applicable": False, "reason": referee["reason"]}
        worst |= {check["name"]: check["worst"] for check in convergence["checks"]}
    except (KeyError, TypeError) as error:
        raise FormatError(f"{referee_json}, {convergence_json}: damaged or incomplete ({error!r})") from error
    if problems:
        raise SimulationError("the simulation is not accurate enough:\n" + "\n".join(problems))
    if facts:
        log.warning("accepted without a referee, on the convergence of its numerics alone: %s", referee["reason"])
    write_json({"schema_version": SCHEMA_VERSION, "worst": worst, **facts}, out_json)


def _table_problems(referee: Mapping[str, Any]) -> list[str]:
    return [
        f"rocking table against probe scan at {result['thickness_nm']} nm, {result['convergence_mrad']} mrad, mistilt "
        f"{result['mistilt_mrad']} mrad: relative L2 {result['relative_l2']:.2e}, accepted: {referee['tolerance']:.2e} "
        f"(picture: {referee['picture']})"
        for result in referee["patterns"]
        if not result["relative_l2"] <= referee["tolerance"]
    ]


def _numerics_problems(convergence: Mapping[str, Any]) -> list[str]:
    return [
        f"{check['name']}: {check['what']} {check['worst']:.2e}, accepted: {check['tolerance']:.2e} (picture: "
        f"{convergence['picture']}; lines to paste: {'; '.join(check['proposal']) or 'none'})"
        for check in convergence["checks"]
        if not check["worst"] <= check["tolerance"]
    ]


def _read(path: str | Path) -> dict[str, Any]:
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FormatError(f"{path}: damaged or incomplete ({error})") from error
    if not isinstance(content, dict):
        raise FormatError(f"{path}: damaged or incomplete (got {type(content).__name__}, accepted: an object)")
    check_version(str(path), content.get("schema_version"), current=SCHEMA_VERSION, oldest=SCHEMA_VERSION)
    return content
