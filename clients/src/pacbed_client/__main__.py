"""`python -m pacbed_client FILE ...`: thickness of recorded patterns, asked of a look-up service."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pacbed_client.asking import ask, pack
from pacbed_client.errors import ClientError
from pacbed_client.question import Question, question_of
from pacbed_client.result import BAD, LookupResult
from pacbed_client.service import HERE, Service, service_of

TEXTS = {
    "bundle": "name of a bundle, or the beginning of its hash; or else:",
    "crystal": "any name of the crystal, with --voltage-kv",
    "axis": "zone axis, such as 0,0,1",
    "dataset": "which array of a file that holds several",
}
NUMBERS = {
    "voltage_kv": "acceleration voltage [kV] by which a crystal's bundle is chosen",
    "convergence_mrad": "semi-convergence angle [mrad]; needed if the file is silent",
    "energy_kev": "beam energy [keV]",
    "pixel_mrad": "pixel size [mrad]; found from the pattern if unknown",
}
WAITS = {
    "timeout_s": "longest wait for a connection and for an answer [s]; 120",
    "patience_s": "longest wait in all while the service is busy [s]; 120",
}


def main(arguments: list[str] | None = None) -> int:
    """Look up the files of a command line.

    Returns
    -------
    int
        The worst status, as of `pacbed predict`: 0 done (also doubtful), 1 refused, 2 bad input or no answer.
    """
    given = vars(_parser().parse_args(arguments))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # ± and ° are not in every console's letters
    try:
        waits = {name: given[name] for name in (*WAITS, "ca_file") if given[name] is not None}
        service = service_of(given["service"], **waits)
        names = (*TEXTS, *NUMBERS, "mirrored", "refine")
        question = question_of({name: given[name] for name in names if given[name] is not None})
    except ClientError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD
    return max(_look_up(file, service, question, given) for file in given["files"])


def _look_up(file: str, service: Service, question: Question, given: dict[str, Any]) -> int:
    """Answer one file; return its status."""
    out = given["out"]
    try:
        found = ask(service, pack(file, None, service), question, sheet=out is not None)
        for note in found.notes:
            print(f"{found.name}: {note}", file=sys.stderr)
        print(json.dumps(found.result, ensure_ascii=False) if given["json"] else str(found), flush=True)
        if out is not None:
            _save(found, Path(out) / Path(file).stem)
    except ClientError as error:
        print(f"error: {Path(file).name}: {error}", file=sys.stderr)
        return BAD
    except OSError as error:
        print(f"error: {Path(file).name}: cannot be saved ({error})", file=sys.stderr)
        return BAD
    return found.status


def _save(found: LookupResult, path: Path) -> None:
    """Save result, sheet and crate under names that are free."""
    number, base = 1, path
    while any(base.with_name(base.name + end).exists() for end in (".json", ".png", ".zip")):
        number += 1
        base = path.with_name(f"{path.name}-{number}")
    found.save_json(base.with_name(base.name + ".json"))
    found.save_sheet(base.with_name(base.name + ".png"))
    found.save_crate(base.with_name(base.name + ".zip"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pacbed_client", description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE", help="the microscope's own file, or NPY")
    parser.add_argument("--service", default=HERE, help="URL, or the file of pacbed serve --token-file; " + HERE)
    parser.add_argument("--ca-file", help="certificates (PEM) that are trusted instead of the system's")
    for name, text in TEXTS.items():
        parser.add_argument(_option(name), help=text)
    for name, text in {**NUMBERS, **WAITS}.items():
        parser.add_argument(_option(name), type=float, metavar="NUMBER", help=text)
    parser.add_argument("--mirrored", dest="mirrored", action="store_true", default=None, help="the camera mirrors")
    parser.add_argument("--not-mirrored", dest="mirrored", action="store_false", help="it does not; both are tried")
    parser.add_argument("--no-refine", dest="refine", action="store_false", help="the networks alone")
    parser.add_argument("--json", action="store_true", help="print one line of JSON per pattern")
    parser.add_argument("--out", metavar="FOLDER", help="save result, sheet and crate there")
    return parser


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


if __name__ == "__main__":
    sys.exit(main())
