"""What a bundle or a stack holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from pacbed.analysis.repetition import Examples, repeat_examples
from pacbed.bundle.reader import Bundle, load_bundle
from pacbed.config.values import TASKS
from pacbed.errors import FormatError
from pacbed.networks.model_card import ModelCard

STACK_DIMENSIONS = ("convergence_mrad", "tilt", "thickness_nm", "ky_mrad", "kx_mrad")


def bundle_lines(path: Path, *, verify: bool = False) -> list[str]:
    """What a bundle is for, and what is in it.

    Parameters
    ----------
    path : Path
    verify : bool
        Check every member against its checksum.

    Raises
    ------
    FormatError
        It is no bundle, or damaged.
    """
    bundle = load_bundle(path)
    if verify:
        bundle.verify()
    meta, table = bundle.meta, bundle.table
    ranges = [
        f"{name.rsplit('_', 1)[0]} {low:g} to {high:g} {name.rsplit('_', 1)[1]}"
        for name, (low, high) in meta.trained.model_dump().items()
    ]
    zone = " ".join(str(index) for index in meta.crystal.get("zone_axis", []))
    networks = ", ".join(f"{task} {len(values)} classes" for task, values in sorted(meta.class_values.items()))
    alpha = meta.trained.convergence_mrad[1]
    tilt = bundle.renderer.mistilt_max_mrad(alpha)
    return [
        f"bundle {path.name}: {meta.system}, {meta.crystal.get('formula', '?')} [{zone}], {meta.energy_kev:g} kV",
        f"trained: {', '.join(ranges)}",
        f"table: up to {table.thickness_max_nm:.1f} nm, mistilt up to {tilt:.1f} mrad at {alpha:g} mrad convergence, "
        f"scattering up to {table.field_mrad:.1f} mrad",
        *_levels(bundle),
        f"field of view: {meta.max_angle_mrad:g} mrad half width, rotations modulo {table.rotation_period_deg:g}°",
        f"networks: {networks or 'none'}",
        *_cards(bundle),
        f"schema_version {meta.schema_version}, pacbed {meta.versions.get('pacbed', '?')}, "
        f"{len(meta.members)} members, sha256 {bundle.sha256[:16]}" + (", all verified" if verify else ""),
        *_repeated(bundle, verify),
    ]


def _repeated(bundle: Bundle, verify: bool) -> list[str]:
    """What comes out when patterns of its evaluation are answered again; bundles made earlier have none."""
    examples = Examples.of(bundle) if verify else None
    return [] if examples is None else [repeat_examples(bundle, examples).line()]


def _cards(bundle: Bundle) -> list[str]:
    """A line for each network that has a model card; those of earlier bundles have none."""
    described = {task: json.loads(bundle.read(f"{task}.json")) for task in TASKS if task in bundle.meta.class_values}
    return [
        f"{task}: {ModelCard.from_json(content['card']).line(task)}"
        for task, content in described.items()
        if "card" in content
    ]


def _levels(bundle: Bundle) -> list[str]:
    """Size of the table, its levels, and what they cost against the table in full precision."""
    compact, size = bundle.compact, sum(len(bundle.read(n)) for n in bundle.names() if n.startswith("rocking.zarr/"))
    ends = ", ".join(f"{level.thickness_max_nm:.1f}" for level in compact.levels)
    pitch = ", ".join(f"{level.widest_pitch_mrad:.2f}" for level in compact.levels)
    worst = max(np.hypot(compact.interpolation_l2, compact.packing_l2))
    held = f"{size / 1e6:.1f} MB" if size else "made when the bundle is first used, and kept in the cache"
    return [
        f"levels: to {ends} nm, directions every {pitch} mrad; {held}; patterns agree with the table in full precision "
        f"to {worst:.1e}"
    ]


def stack_lines(path: Path, *, verify: bool = False) -> list[str]:
    """What a stack holds.

    Parameters
    ----------
    path : Path
        Its folder, or the Zarr folder in it.
    verify : bool
        Read every chunk.

    Raises
    ------
    FormatError
        It is no stack, or damaged.
    """
    folder = path / "stack.zarr" if (path / "stack.zarr").is_dir() else path
    try:
        # Consolidated metadata tells of arrays that are no longer there.
        group = zarr.open_group(str(folder), mode="r", use_consolidated=False)
        pattern: Any = group["pattern"]
        facts: dict[str, Any] = dict(group.attrs)
        axes = {name: np.asarray(group[name][...]) for name in STACK_DIMENSIONS}  # type: ignore[index]
        split = np.asarray(group["split"][...])  # type: ignore[index]
        _check_axes(axes, pattern.shape)
        if verify:
            for index in np.ndindex(pattern.shape[:2]):
                pattern[index]
    except (KeyError, ValueError, OSError, RuntimeError, TypeError) as error:
        raise FormatError(f"stack {path}: damaged, or no stack ({type(error).__name__}: {error})") from error
    crystal, beam = facts.get("crystal", {}), facts.get("beam", {})
    zone = " ".join(str(index) for index in crystal.get("zone_axis", []))
    ranges = [
        f"{name} {axes[name].min():g} to {axes[name].max():g} ({len(axes[name])})" for name in STACK_DIMENSIONS[:3]
    ]
    return [
        f"stack {path.name}: {crystal.get('formula', '?')} [{zone}], {beam.get('energy_kev', float('nan')):g} kV",
        f"{np.prod(pattern.shape[:3])} patterns of {pattern.shape[3]} x {pattern.shape[4]} pixels: {', '.join(ranges)}",
        f"{int((split == 1).sum())} of {split.size} series held out",
        f"schema_version {facts.get('schema_version', '?')}" + (", all chunks verified" if verify else ""),
    ]


def _check_axes(axes: dict[str, np.ndarray], shape: tuple[int, ...]) -> None:
    """Refuse axes that do not fit the patterns, or whose values are lost: those of a missing chunk read as equal."""
    for (name, values), length in zip(axes.items(), shape, strict=True):
        if values.shape != (length,) or not np.all(np.diff(values) > 0):
            raise ValueError(f"{name} does not rise over the {length} patterns along it")
