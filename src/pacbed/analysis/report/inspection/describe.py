"""Says in a few lines what a bundle, a stack, a pattern or a scan holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pacbed.analysis.report.inspection.recorded import look_at, recorded_lines
from pacbed.analysis.report.inspection.recorded_picture import check_picture, draw_recorded
from pacbed.analysis.report.inspection.simulated import bundle_lines, stack_lines
from pacbed.bundle.pretrained.names import find_bundle, shipped_bundles
from pacbed.config.values import BUNDLE_SUFFIX
from pacbed.errors import bad_value

SCAN_FOLDERS = (".zarr", ".zspy")


NOTHING_CHOSEN: Mapping[str, Any] = {}


def describe(
    path: str | Path, *, verify: bool = False, chosen: Mapping[str, Any] = NOTHING_CHOSEN, out: Path | None = None
) -> list[str]:
    """Describe a bundle, a stack, a pattern or a scan.

    Parameters
    ----------
    path : path
    verify : bool
        Check every byte against the stored checksums; a recording has none.
    chosen : mapping
        Of a recording that holds several: `dataset`, `frame`, `scan_shape`, as for `read_pattern`; None says nothing.
    out : path, optional
        Picture of a recording to write: .png, .pdf or .svg; it must not exist.

    Raises
    ------
    FormatError, PatternError, ParameterError
        The path is none of these, or is damaged; or an option belongs to another kind of file.
    """
    path = Path(path)
    if not path.exists() and str(path) in shipped_bundles():
        path = find_bundle(path)
    if not path.exists():
        raise bad_value("path", str(path), "a bundle, a stack, a pattern or a CIF file that exists")
    kind = _kind(path)
    if kind == "recording":
        if out is not None:
            check_picture(out)
        look = look_at(path, **chosen)
        if out is None:
            return recorded_lines(look)
        draw_recorded(look, out)
        return [*recorded_lines(look), f"picture: {out}"]
    for name, value in (*chosen.items(), ("out", out)):
        if value is not None:
            raise bad_value(name, str(value), "this option with a recording or, for a picture, a CIF file")
    return (bundle_lines if kind == "bundle" else stack_lines)(path, verify=verify)


def _kind(path: Path) -> str:
    if path.suffix == BUNDLE_SUFFIX or (path / "bundle.json").is_file():
        return "bundle"
    if (path / "stack.zarr").is_dir() or (path / "pattern" / "zarr.json").is_file():
        return "stack"
    if path.is_dir() and not (path.suffix.lower() in SCAN_FOLDERS or _is_zarr(path)):
        raise bad_value("path", str(path), "a folder with bundle.json or stack.zarr, a Zarr folder, or a file")
    return "recording"


def _is_zarr(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("zarr.json", ".zarray", ".zgroup"))
