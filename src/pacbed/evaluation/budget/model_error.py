"""The thickness budget of a crystal: what its model's uncertainties are worth in a fitted thickness [nm]."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.crystal.cell import Crystal
from pacbed.crystal.cif import read_structure
from pacbed.crystal.orientation import orient
from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import bad_value
from pacbed.evaluation.budget.aperture_table import ApertureNumerics
from pacbed.evaluation.budget.effects import INELASTIC, Effect, Variant, effects_of, varied_slices
from pacbed.evaluation.budget.inelastic import inelastic_pattern
from pacbed.evaluation.budget.plot import plot_budget
from pacbed.evaluation.budget.settings import BudgetSettings
from pacbed.evaluation.budget.thickness_bias import Camera, biases_nm
from pacbed.logs import progress
from pacbed.outputs import write_json
from pacbed.patterns import polar_to_vector
from pacbed.simulation.rendering.renderer import Renderer

log = logging.getLogger(__name__)
SCHEMA_VERSION = 1
THINNEST_NM = 5.0
FIT_MARGIN_MRAD = 1.0  # how far convergence angle and mistilt of a fit may move outwards
# How far a fitted thickness may exceed the largest: so much, and this share of it.
FIT_MARGIN_NM = 2.0
FIT_MARGIN_RELATIVE = 0.05
GENERAL = 0.37  # of the distinct azimuths: a direction on no mirror line
SOURCE = (
    "fits of patterns of varied crystals with the unvaried one: directions of a variation averaged, mistilts and "
    "effects added as squares; nowhere less than the root mean square over neighbouring thicknesses"
)


def model_error(
    structure_dir: str | Path,
    *,
    settings: BudgetSettings,
    state_dir: str | Path,
    out_json: str | Path,
    out_png: str | Path,
) -> None:
    """Vary what the model does not know, fit the varied patterns, and write the bias of their thickness.

    Parameters
    ----------
    structure_dir : path
        Folder with slice potentials; the CIF file they came from must still be there.
    settings : BudgetSettings
    state_dir : path
        Keeps finished variations of a run that was stopped; removed at the end.
    out_json, out_png : path
        The budget as `pacbed.bundle.meta.ModelError` reads it, with every bias; its picture.
    """
    slices = SlicePotentials.load(structure_dir)
    settings = settings.measured(structure_dir)
    state = _opened(Path(state_dir), structure_dir, settings)
    work = _Workbench(slices, settings, state)
    variants = [variant for effect in work.effects for variant in effect.variants()]
    biases: dict[str, np.ndarray] = {}
    for variant in progress(variants, total=len(variants), label="varied crystals"):
        biases[variant.name] = work.biases(variant)
        log.info("%s: bias %s nm", variant.name, np.round(biases[variant.name], 3).tolist())
    figures = work.figures(biases) | {"picture": str(out_png)}
    plot_budget(figures, out_png)
    write_json(figures, out_json)
    shutil.rmtree(state)


def thicknesses_nm(largest: float, step: float) -> list[float]:
    """5 nm, multiples of the step, and the largest thickness itself [nm]."""
    steps = [step * number for number in range(1, int(largest / step + 1e-9) + 1)]
    inner = [value for value in (THINNEST_NM, *steps) if value < largest - 1e-6]
    return sorted({round(value, 6) for value in (*inner, largest)})


def combine(effects: Sequence[Effect], biases: Mapping[str, np.ndarray]) -> dict[str, list[float]]:
    """Size of the bias of each effect against thickness [nm].

    Parameters
    ----------
    effects : sequence of Effect
    biases : mapping of str to float array, shape (tilt, thickness)
        Bias of each variant [nm].

    Returns
    -------
    dict of str to list of float
        Absolute values averaged over the directions of a variation; root mean square over mistilts.
    """
    found = {}
    for effect in effects:
        size = np.mean([np.abs(biases[variant.name]) for variant in effect.variants()], axis=0)
        found[effect.name] = np.sqrt(np.mean(size**2, axis=0)).tolist()
    return found


def bridged(measured: np.ndarray) -> np.ndarray:
    """A budget without the dips where biases pass through zero.

    Where along the thickness a bias changes its sign depends on convergence angle, mistilt and the size of the
    variation. A budget knows one angle and few mistilts, so a value below what is found nearby is luck.

    Parameters
    ----------
    measured : float array, shape (thickness,)
        Sum of the counted effects at ascending thicknesses [nm].

    Returns
    -------
    float array, shape (thickness,)
        Root mean square over each thickness and its neighbours, or what was measured, whichever is larger [nm].
    """
    from_zero = np.array([0.0, *measured])  # at the entrance surface, where `ModelError.std_at` begins
    windows = [from_zero[at : at + 3] for at in range(len(measured))]
    return np.maximum(measured, [np.sqrt(np.mean(np.square(window))) for window in windows])


class _Workbench:
    """One crystal, one aperture, a mistilt or two, and the tables of everything varied.

    Parameters
    ----------
    slices : SlicePotentials
        The crystal as it is.
    settings : BudgetSettings
        With pitch and spacing as they were measured.
    state : Path
        Folder of tables and finished biases.
    """

    def __init__(self, slices: SlicePotentials, settings: BudgetSettings, state: Path) -> None:
        choices = settings.choices
        self.slices, self.state = slices, state
        self.oriented: Crystal = orient(read_structure(slices.source, slices.reading).crystal, slices.zone_axis)
        self.effects = effects_of(self.oriented, slices, choices)
        self.deepest_nm = float(settings.thickness_max_nm)
        self.thickness_nm = thicknesses_nm(self.deepest_nm, float(choices.thickness_step_nm))
        self.camera = Camera(_middle(choices.convergence_mrad, settings.grid_convergence_mrad))
        self.mistilt_mrad = float(choices.mistilt_mrad)
        self.numerics = ApertureNumerics.of(slices, settings, pixel_mrad=self.camera.pixel_mrad)
        deepest_nm = (1 + FIT_MARGIN_RELATIVE) * self.deepest_nm + FIT_MARGIN_NM
        self.reference = self._renderer("reference", slices, FIT_MARGIN_MRAD, deepest_nm)

    def _renderer(self, name: str, slices: SlicePotentials, margin_mrad: float, deepest_nm: float) -> Renderer:
        edge = max(self.numerics.pitch_mrad, self.camera.pixel_mrad)
        cone = self.camera.convergence_mrad + self.mistilt_mrad + 0.51 * edge + margin_mrad
        folder = self.state / name
        return self.numerics.renderer(slices, cone_mrad=cone, thickness_max_nm=deepest_nm, folder=folder)

    @property
    def tilts(self) -> list[tuple[float, float]]:
        """On the zone axis, and off it in a general direction [mrad]."""
        low, high = self.reference.table.azimuth_range_deg
        x, y = polar_to_vector(self.mistilt_mrad, low + GENERAL * (high - low))
        return [(0.0, 0.0), (float(x), float(y))] if self.mistilt_mrad > 0 else [(0.0, 0.0)]

    def biases(self, variant: Variant) -> np.ndarray:
        """Fitted minus true thickness of one varied crystal, shape (tilt, thickness) [nm]."""
        finished = self.state / f"{variant.name}.json"
        if not finished.is_file():
            inelastic = variant.effect.name == INELASTIC
            record = self._record_inelastic if inelastic else self._record_varied(variant)
            truths = [[self.camera.truth(t, tilt) for t in self.thickness_nm] for tilt in self.tilts]
            found = [biases_nm(self.reference, self.camera, record, row) for row in truths]
            write_json({"bias_nm": found}, finished)
            shutil.rmtree(self.state / variant.name, ignore_errors=True)
        return np.array(json.loads(finished.read_text(encoding="utf-8"))["bias_nm"])

    def _record_varied(self, variant: Variant) -> Callable[[PatternParameters], np.ndarray]:
        varied = varied_slices(variant, self.oriented, self.slices)
        return partial(self.camera.record, self._renderer(variant.name, varied, 0.0, self.deepest_nm))

    def _record_inelastic(self, at: PatternParameters) -> np.ndarray:
        return inelastic_pattern(
            self.camera.record(self.reference, at),
            pixel_mrad=at.pixel_mrad,
            thickness_nm=at.thickness_nm,
            oriented=self.oriented,
            energy_kev=self.slices.energy_ev / 1e3,
        )

    def figures(self, biases: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """Content of the file: the budget, and what it is made of."""
        sizes = combine(self.effects, biases)
        counted = [sizes[effect.name] for effect in self.effects if effect.counted]
        return {
            "schema_version": SCHEMA_VERSION,
            "thickness_nm": self.thickness_nm,
            "std_nm": bridged(np.sqrt(np.sum(np.square(counted), axis=0))).tolist(),
            "effects": {effect.name: {**effect.facts(), "bias_nm": sizes[effect.name]} for effect in self.effects},
            "source": SOURCE,
            "convergence_mrad": self.camera.convergence_mrad,
            "mistilt_mrad": [list(tilt) for tilt in self.tilts],
            "pitch_mrad": self.numerics.pitch_mrad,
            "directions": len(self.reference.table.nodes),
            "signed_bias_nm": {name: values.tolist() for name, values in biases.items()},
        }


def _middle(asked: float | str, grid: Sequence[float]) -> float:
    """Convergence angle of the budget [mrad]."""
    low, high = float(min(grid)), float(max(grid))
    if isinstance(asked, str):
        return 0.5 * (low + high)
    if not low <= asked <= high:
        raise bad_value("evaluation.model_error.convergence_mrad", asked, f"auto, or {low:g} to {high:g} [mrad]")
    return float(asked)


def _opened(state: Path, structure_dir: str | Path, settings: BudgetSettings) -> Path:
    """The state of a stopped run of the same crystal and settings, or an empty one."""
    digest = hashlib.sha256(json.dumps(settings.plain(), sort_keys=True).encode())
    for name in ("cell.json", "slices.npz"):
        digest.update((Path(structure_dir) / name).read_bytes())
    made_for = {"sha256": digest.hexdigest()}
    key = state / "made_for.json"
    if not (key.is_file() and json.loads(key.read_text(encoding="utf-8")) == made_for):
        shutil.rmtree(state, ignore_errors=True)
        write_json(made_for, key)
    return state
