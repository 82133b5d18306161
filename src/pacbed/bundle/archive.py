"""A bundle as a file: members, their hashes, and the Zip around them."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path

FIXED_DATE = (1980, 1, 1, 0, 0, 0)  # the same content gives the same file
META = "bundle.json"


def members_of(folder: str | Path) -> dict[str, str]:
    """SHA-256 of every file of a bundle's folder but ``bundle.json``, by name."""
    files = {path.relative_to(folder).as_posix(): path for path in Path(folder).rglob("*") if path.is_file()}
    return {name: hashlib.sha256(files[name].read_bytes()).hexdigest() for name in sorted(files) if name != META}


def zip_folder(folder: str | Path, out: str | Path) -> None:
    """Store a bundle's folder as one Zip file: members sorted and uncompressed, dates fixed."""
    folder, out = Path(folder), Path(out)
    aside = out.with_name(out.name + ".part")
    with zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()):
            archive.writestr(zipfile.ZipInfo(name, FIXED_DATE), (folder / name).read_bytes())
    os.replace(aside, out)
