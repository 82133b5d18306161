"""The bundle: everything a prediction needs for one crystal and voltage, in one file or one folder of data only."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.storage import LocalStore, ZipStore

from pacbed.bundle_file import members_of, zip_folder
from pacbed.bundle_meta import BundleMeta, ModelError, Ranges, read_meta
from pacbed.errors import FormatError
from pacbed.logs import installed_versions
from pacbed.outputs import leaves_nothing_half_written
from pacbed.simulation.compact import CompactTable, write_compact
from pacbed.simulation.compact_renderer import CompactRenderer
from pacbed.simulation.recipe import Recipe
from pacbed.simulation.renderer import Renderer
from pacbed.simulation.rocking_table import RockingTable
from pacbed.simulation.same_system import check_same_system, of_stack, of_structure, of_table
from pacbed.trained import TASKS, TrainedNetwork, load_networks

SERIES_DIMENSIONS = ("series", "thickness_nm", "ky_mrad", "kx_mrad")
VALIDATION_SERIES = 3


class Bundle:
    """An open bundle; table, renderer and networks load when they are first used.

    Parameters
    ----------
    path : path
        A ``.pacbed`` file, or a folder of the same content.

    Raises
    ------
    FormatError
        The path holds no bundle, or one of a newer version.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise FormatError(f"bundle: got {str(path)!r}, accepted: a .pacbed file or folder that exists")
        content = self.read("bundle.json")
        try:
            self.meta = read_meta(json.loads(content))
        except FormatError as error:
            raise FormatError(f"bundle {path}: {error}") from None
        except ValueError as error:
            raise FormatError(f"bundle {path}: bundle.json is damaged ({error})") from None
        self.cache: dict[Any, Any] = {}  # what several predictions share, such as libraries

    def names(self) -> list[str]:
        """All members, sorted."""
        if self.path.is_dir():
            return sorted(p.relative_to(self.path).as_posix() for p in self.path.rglob("*") if p.is_file())
        with zipfile.ZipFile(self.path) as archive:
            return sorted(archive.namelist())

    def read(self, name: str) -> bytes:
        """Content of one member."""
        try:
            if self.path.is_dir():
                return (self.path / name).read_bytes()
            with zipfile.ZipFile(self.path) as archive:
                return archive.read(name)
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise FormatError(f"bundle {self.path}: {name} is missing or damaged ({type(error).__name__})") from None

    @cached_property
    def compact(self) -> CompactTable:
        """The rocking table, in levels of thickness."""
        if not any(name.startswith("rocking.zarr/") for name in self.names()):
            raise FormatError(
                f"bundle {self.path}: got no rocking table, accepted: a bundle with one; "
                f"make it with: pacbed build-table {self.path} --out NEW.pacbed"
            )
        return self._from_zarr("rocking.zarr", CompactTable.read)

    @property
    def table(self) -> RockingTable:
        """The finest and deepest level of the rocking table, which stands for all."""
        return self.compact.levels[-1]

    @cached_property
    def renderer(self) -> Renderer:
        """Renders any pattern of the table."""
        return CompactRenderer(self.compact.levels)

    @cached_property
    def networks(self) -> dict[str, TrainedNetwork]:
        """The three networks, by task."""
        return load_networks(self.read)

    def validation(self) -> dict[str, np.ndarray]:
        """Held-out sample of the stack: arrays by name, `pattern` (series, thickness, y, x) [fraction of the beam]."""

        def read(group: zarr.Group) -> dict[str, np.ndarray]:
            arrays = {name: np.asarray(array[...]) for name, array in group.arrays()}
            scale = float(group["pattern"].attrs["scale_factor"])  # type: ignore[arg-type]
            return {**arrays, "pattern": arrays["pattern"] * np.float32(scale)}

        return self._from_zarr("validation.zarr", read)

    @cached_property
    def sha256(self) -> str:
        """Hash of ``bundle.json``, which holds the hash of every other member."""
        return hashlib.sha256(self.read("bundle.json")).hexdigest()

    def verify(self) -> None:
        """Check every member against its hash.

        Raises
        ------
        FormatError
            Naming the members that are missing, damaged or foreign.
        """
        names = set(self.names()) - {"bundle.json"}
        wrong = sorted(names ^ self.meta.members.keys())
        for name in sorted(names & self.meta.members.keys()):
            if hashlib.sha256(self.read(name)).hexdigest() != self.meta.members[name]:
                wrong.append(name)
        if wrong:
            raise FormatError(f"bundle {self.path}: damaged, missing or foreign: {', '.join(wrong[:10])}")

    def _from_zarr(self, name: str, read: Callable[[zarr.Group], Any]) -> Any:
        store: ZipStore | LocalStore = (
            LocalStore(self.path, read_only=True) if self.path.is_dir() else ZipStore(self.path, mode="r")
        )
        try:
            return read(zarr.open_group(store, path=name, mode="r"))
        except FormatError as error:
            raise FormatError(f"bundle {self.path}: {error}") from error
        except Exception as error:  # zarr, its codecs and zipfile raise what they like on damaged data
            raise FormatError(f"bundle {self.path}: {name} is damaged ({type(error).__name__}: {error})") from error
        finally:
            store.close()


def load_bundle(path: str | Path) -> Bundle:
    """Open a bundle, a ``.pacbed`` file or a folder of the same content."""
    return Bundle(path)


@leaves_nothing_half_written("out_bundle")
def pack_bundle(
    *,
    system: str,
    structure_dir: str | Path,
    table_dir: str | Path,
    stack_dir: str | Path,
    models_dir: str | Path,
    accepted_json: str | Path,
    evaluation_json: str | Path,
    model_error_json: str | Path,
    thickness_nm: Sequence[float],
    convergence_mrad: Sequence[float],
    mistilt_mrad: Sequence[float],
    max_angle_mrad: float,
    out_bundle: str | Path,
) -> None:
    """Put everything a prediction needs into one file that appears complete or not at all.

    Parameters
    ----------
    system : str
        Name of the material system.
    structure_dir, table_dir, stack_dir, models_dir : path
        Folders of the stages before.
    accepted_json, evaluation_json : path
        What the acceptance gate and the evaluation measured; kept as metrics.
    model_error_json : path
        The thickness budget.
    thickness_nm, convergence_mrad, mistilt_mrad : sequence of float
        The grid the networks were trained on.
    max_angle_mrad : float
        Half width of the field of view at scale 1 [mrad].
    out_bundle : path
        The ``.pacbed`` file.
    """
    check_same_system(structure=of_structure(structure_dir), table=of_table(table_dir), stack=of_stack(stack_dir))
    out = Path(out_bundle)
    folder = out.with_name(out.name + ".folder.part")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copytree(structure_dir, folder / "structure", ignore=shutil.ignore_patterns("*.png", ".*"))
    for task in TASKS:
        for suffix in ("onnx", "json"):
            shutil.copyfile(Path(models_dir) / f"{task}.{suffix}", folder / f"{task}.{suffix}")
    pixels = _sample_stack(Path(stack_dir), folder / "validation.zarr")
    table = RockingTable.load(table_dir)
    budget = json.loads(Path(model_error_json).read_text(encoding="utf-8"))
    recipe = Recipe.of(table, max(thickness_nm), max(convergence_mrad), max(mistilt_mrad), max_angle_mrad)
    recipe.save(folder / "structure")
    write_compact(table, recipe, folder / "rocking.zarr")
    meta = BundleMeta(
        system=system,
        crystal={name: table.facts[name] for name in ("formula", "zone_axis", "thermal_model")},
        energy_kev=table.energy_ev / 1e3,
        trained=Ranges(
            thickness_nm=(min(thickness_nm), max(thickness_nm)),
            convergence_mrad=(min(convergence_mrad), max(convergence_mrad)),
            mistilt_mrad=(min(mistilt_mrad), max(mistilt_mrad)),
        ),
        max_angle_mrad=max_angle_mrad,
        stack_pixels=pixels,
        class_values={task: json.loads((folder / f"{task}.json").read_text())["class_values"] for task in TASKS},
        model_error=ModelError.model_validate({name: budget[name] for name in ModelError.model_fields}),
        metrics={
            "accepted": json.loads(Path(accepted_json).read_text()),
            "evaluation": json.loads(Path(evaluation_json).read_text()),
            "parity": json.loads((Path(models_dir) / "parity.json").read_text()),
        },
        versions=installed_versions(),
        members=members_of(folder),
    )
    (folder / "bundle.json").write_text(meta.model_dump_json(indent=2) + "\n", encoding="utf-8")
    zip_folder(folder, out)
    shutil.rmtree(folder)


def _sample_stack(stack_dir: Path, target: Path) -> int:
    """Copy a few held-out series, evenly spread; returns the stack's pixels."""
    stack = zarr.open_group(str(stack_dir / "stack.zarr"), mode="r")
    held_out = np.argwhere(np.asarray(stack["split"][...]) == 1)  # type: ignore[index]
    chosen = held_out[np.unique(np.linspace(0, len(held_out) - 1, min(VALIDATION_SERIES, len(held_out))).astype(int))]
    pattern: Any = stack["pattern"]
    group = zarr.open_group(str(target), mode="w", zarr_format=3)
    values = np.stack([np.asarray(pattern[i, j]) for i, j in chosen])
    scale = {"scale_factor": pattern.attrs["scale_factor"], "units": pattern.attrs["units"]}
    group.create_array(
        "pattern", data=values, chunks=(1, *values.shape[1:]), attributes=scale, dimension_names=SERIES_DIMENSIONS
    )
    for name, column in (("convergence_mrad", 0), ("mistilt_mrad", 1), ("azimuth_deg", 1)):
        along: Any = stack[name]
        group.create_array(name, data=np.asarray(along[...])[chosen[:, column]], dimension_names=("series",))
    for name in ("thickness_nm", "ky_mrad", "kx_mrad"):
        axis: Any = stack[name]
        group.create_array(name, data=np.asarray(axis[...]), dimension_names=(name,))
    return int(values.shape[-1])
