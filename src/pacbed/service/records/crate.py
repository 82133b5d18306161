"""A look-up as an RO-Crate 1.1 (Soiland-Reyes et al., Data Science 5, 97 (2022)): all that a paper has to cite."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pacbed.service.times import iso

METADATA = "ro-crate-metadata.json"
CONTEXT, PROFILE = "https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/crate/1.1"
LICENCE = "https://spdx.org/licenses/CC-BY-4.0"
REQUEST, RESULT, SHEET, PATTERN = "request.json", "result.json", "sheet.png", "pattern"
TYPES = {".json": "application/json", ".png": "image/png"}
FIXED_DATE = (1980, 1, 1, 0, 0, 0)  # the same look-up gives the same crate


@dataclass(frozen=True)
class Contents:
    """What goes into a crate.

    Attributes
    ----------
    identity : str
        Of the look-up.
    created : float
        Seconds since 1970.
    request, result : dict
        JSON.
    pattern : path
        The upload.
    sheet : path or None
    """

    identity: str
    created: float
    request: Mapping[str, Any]
    result: Mapping[str, Any]
    pattern: Path
    sheet: Path | None


def write_crate(contents: Contents) -> bytes:
    """The crate as a Zip file.

    Parameters
    ----------
    contents : Contents
    """
    pattern = PATTERN + contents.pattern.suffix
    files = {
        pattern: contents.pattern.read_bytes(),
        REQUEST: _json(contents.request),
        RESULT: _json(contents.result),
        **({SHEET: contents.sheet.read_bytes()} if contents.sheet is not None else {}),
    }
    files[METADATA] = _json({"@context": CONTEXT, "@graph": list(_graph(contents, pattern, list(files)))})
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, FIXED_DATE), files[name])
    return stream.getvalue()


def _graph(contents: Contents, pattern: str, files: list[str]) -> list[dict[str, Any]]:
    """Entities of the crate: the look-up is an action of software on a pattern."""
    when = iso(contents.created)
    provenance = contents.result["provenance"]
    bundle = f"#bundle-{provenance['bundle_sha256']}"
    action = {
        "@id": "#lookup",
        "@type": "CreateAction",
        "name": "pacbed predict",
        "endTime": when,
        "instrument": [{"@id": "#pacbed"}],
        "object": [{"@id": pattern}, {"@id": REQUEST}, {"@id": bundle}],
        "result": [{"@id": name} for name in (RESULT, SHEET) if name in files],
    }
    software = {
        "@id": "#pacbed",
        "@type": "SoftwareApplication",
        "name": "pacbed",
        "softwareVersion": provenance["versions"].get("pacbed", "unknown"),
        "softwareRequirements": [f"{name} {version}" for name, version in provenance["versions"].items()],
    }
    data = {
        "@id": bundle,
        "@type": "CreativeWork",
        "name": provenance["bundle"],
        "identifier": f"sha256:{provenance['bundle_sha256']}",
    }
    return [*_root(contents, when, files), action, software, data, *(_file(name, contents) for name in files)]


def _root(contents: Contents, when: str, files: list[str]) -> list[dict[str, Any]]:
    """What every crate begins with: its own description, and the folder as a data set."""
    about = {
        "@id": METADATA,
        "@type": "CreativeWork",
        "conformsTo": {"@id": PROFILE},
        "about": {"@id": "./"},
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"PACBED look-up {contents.identity[:12]}",
        "description": "Specimen thickness from a position-averaged convergent beam electron diffraction pattern",
        "datePublished": when,
        "license": {"@id": LICENCE},
        "identifier": contents.identity,
        "hasPart": [{"@id": name} for name in files],
        "mentions": [{"@id": "#lookup"}],
    }
    return [about, root]


def _file(name: str, contents: Contents) -> dict[str, Any]:
    kind = TYPES.get(Path(name).suffix, "application/octet-stream") if name != PATTERN else "application/octet-stream"
    original = {"alternateName": contents.request["input"]} if name.startswith(PATTERN) else {}
    return {"@id": name, "@type": "File", "name": name, "encodingFormat": kind, **original}


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
