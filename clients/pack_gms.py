"""Zips what a microscope PC needs for GMS: dialog, client, instructions and licence, in one folder to copy.

python clients/pack_gms.py dist/pacbed-gms-client.zip
"""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = "pacbed-gms-client"


def members() -> dict[str, Path]:
    """Files of the folder by their names in it."""
    source = HERE / "src"
    found = {path.relative_to(source).as_posix(): path for path in sorted((source / "pacbed_client").rglob("*.py"))}
    pages = {"INSTALL.md": HERE / "gms" / "INSTALL.md", "PACBED.s": HERE / "gms" / "PACBED.s"}
    return {**pages, "LICENSE": HERE.parent / "LICENSE", **found}


def pack(out: Path) -> Path:
    """Write the archive; it is complete or absent.

    Parameters
    ----------
    out : path

    Returns
    -------
    pathlib.Path
        Where it lies.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(out.name + ".part")
    with zipfile.ZipFile(str(aside), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in members().items():
            text = path.read_text(encoding="utf-8")
            if not name.endswith(".py"):
                text = text.replace("\n", "\r\n")  # for the editors of Windows, and GMS
            # A fixed time: the same files make the same archive.
            member = zipfile.ZipInfo(f"{FOLDER}/{name}", (2020, 1, 1, 0, 0, 0))
            archive.writestr(member, text.encode("utf-8"), zipfile.ZIP_DEFLATED)
    os.replace(str(aside), str(out))
    return out


if __name__ == "__main__":
    print(pack(Path(sys.argv[1])))
