"""Are the numerics of the rocking table good enough? Each choice is refined alone, all others unchanged."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.crystal.cell import Crystal
from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import orient
from pacbed.crystal.potentials import SlicePotentials, whole_periods
from pacbed.crystal.slicing import slice_potentials
from pacbed.outputs import write_json
from pacbed.simulation.checks.evidence import draw_checks
from pacbed.simulation.multislice.aperture import mistilt_off_mirrors, sample_aperture
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine, Rocking
from pacbed.simulation.structure.interpolation import Trial, even_directions, every_period, plane_error
from pacbed.simulation.table.directions import direction_grid
from pacbed.simulation.table.numerics import pitch_of, spacing_of

log = logging.getLogger(__name__)
SCHEMA_VERSION = 1
MEAN_LOSS, WORST_LOSS = 0.02, 0.05  # what a grid chosen by hand may lose to the band limit
MIDDLE_NM = 50.0
PATCHES = 12  # places of the aperture at which interpolation is tried
PLANE_CURVES = 8


def check_convergence(
    structure_dir: str | Path, settings: Mapping[str, Any], out_json: str | Path, out_png: str | Path
) -> None:
    """Refine each numerical choice alone and write down how much a pattern changes.

    Computed at about 50 nm and at the largest thickness, with the largest convergence angle and mistilt of the grid.
    Cone and field of view need no check: the table refuses what they do not hold, and what they hold does not depend on
    them.

    Parameters
    ----------
    structure_dir : path
        Folder with slice potentials; the CIF file they came from must still be there.
    settings : mapping
        ``thickness_max_nm``, ``alpha_max_mrad``, ``tau_max_mrad``, ``max_angle_mrad`` (half width of the field of
        view), ``direction_pitch_mrad`` and ``plane_spacing_nm`` (numbers or "auto"), ``propagator``, ``tolerance``.
    out_json, out_png : path
        Figures, with lines to paste into the configuration where a tolerance is exceeded, and their picture.
    """
    slices = SlicePotentials.load(structure_dir)
    work = _Workbench(structure_dir, slices, settings)
    checks = [work.slice_depth(), work.grid(), *work.losses(), *work.interpolation()]
    for check in checks:
        log.info("%s", check)
    figures = {
        "schema_version": SCHEMA_VERSION,
        "accepted": all(check["worst"] <= check["tolerance"] for check in checks),
        "thicknesses_nm": [round(float(t), 3) for t in work.thicknesses_nm],
        "grid_px": list(slices.grid),
        "slice_depth_nm": slices.slice_depth_a / 10,
        "checks": checks,
        "picture": str(out_png),
    }
    draw_checks(figures, out_png)
    write_json(figures, out_json)


class _Workbench:
    """One aperture at one mistilt, computed again and again with one choice changed."""

    def __init__(self, structure_dir: str | Path, slices: SlicePotentials, settings: Mapping[str, Any]) -> None:
        self.structure_dir, self.slices, self.settings = structure_dir, slices, settings
        self.tolerance = float(settings["tolerance"])
        deepest = whole_periods(slices.period_a, settings["thickness_max_nm"])
        self.planes = max(1, round(deepest * slices.period_a / (10 * MIDDLE_NM)))
        self.periods = max(1, deepest // self.planes)
        self.kept = sorted({1, self.planes})
        self.thicknesses_nm = np.array(self.kept) * self.periods * slices.period_a / 10
        alpha, tau = float(settings["alpha_max_mrad"]), float(settings["tau_max_mrad"])
        self.alpha_mrad = alpha
        self.aperture = sample_aperture(
            slices,
            alpha_mrad=alpha,
            mistilt_mrad=mistilt_off_mirrors(tau),
            field_mrad=float(settings["max_angle_mrad"]),
        )
        rocking = self._run(slices, self.aperture.q)
        self.reference_planes = self.aperture.patterns(rocking.intensity)
        self.reference = self.reference_planes[self.kept]
        self.lost = rocking.lost[self.kept]
        self._crystal: Crystal | None = None

    def _run(self, slices: SlicePotentials, q: np.ndarray) -> Rocking:
        engine = PlaneWaveEngine(slices, propagator=self.settings["propagator"])
        beams, planes = self.aperture.beams, self.planes
        return engine.run(q, beams=beams, planes=planes, periods_per_plane=self.periods)

    def _patterns(self, intensity: np.ndarray) -> np.ndarray:
        return self.aperture.patterns(intensity[self.kept])

    def _rebuilt(self, *, grid: tuple[int, int], count: int) -> SlicePotentials:
        old = self.slices
        if self._crystal is None:
            self._crystal = orient(read_cif(old.source), old.zone_axis)
        return slice_potentials(
            self._crystal,
            zone_axis=old.zone_axis,
            energy_ev=old.energy_ev,
            grid=grid,
            slices=count,
            thermal_model=old.thermal_model,
            parametrization=old.parametrization,
        )

    def _refined(self, slices: SlicePotentials) -> list[float]:
        refined = self._patterns(self._run(slices, self.aperture.q).intensity)
        return _relative(self.reference, refined)

    def slice_depth(self) -> dict[str, Any]:
        finer = self._rebuilt(grid=self.slices.grid, count=2 * len(self.slices.potential))
        line = f"slice_depth_nm: {finer.slice_depth_a / 10:.4f}"
        return _finding("slice_depth", "relative L2 against half the depth", self._refined(finer), self.tolerance, line)

    def grid(self) -> dict[str, Any]:
        x, y = (2 * int(np.ceil(0.75 * points)) for points in self.slices.grid)
        values = self._refined(self._rebuilt(grid=(x, y), count=len(self.slices.potential)))
        what = "relative L2 against a 1.5 times finer grid"
        return _finding("grid", what, values, self.tolerance, f"grid_px: [{x}, {y}]")

    def losses(self) -> list[dict[str, Any]]:
        x, y = (2 * int(np.ceil(0.75 * points)) for points in self.slices.grid)
        line = f"grid_px: [{x}, {y}]"
        mean, most = self.lost.mean(axis=1).tolist(), self.lost.max(axis=1).tolist()
        return [
            _finding("mean_loss", "fraction of the beam lost to the band limit, mean", mean, MEAN_LOSS, line),
            _finding("worst_loss", "fraction of the beam lost to the band limit, worst", most, WORST_LOSS, line),
        ]

    def interpolation(self) -> list[dict[str, Any]]:
        pitch = pitch_of(self.structure_dir, self.settings["direction_pitch_mrad"])
        steps = direction_grid(self.slices, cone_mrad=self.alpha_mrad, pitch_mrad=pitch).pitch_mrad
        engine = PlaneWaveEngine(self.slices, propagator=self.settings["propagator"])
        field, deepest = float(self.settings["max_angle_mrad"]), float(self.settings["thickness_max_nm"])
        points = even_directions(PATCHES, self.alpha_mrad)
        trial = Trial(engine, self.aperture, field, self.planes, self.periods)
        values = trial.pattern_error(steps, points, self.reference_planes)[self.kept]
        q = points[:PLANE_CURVES] + self.aperture.mistilt_mrad
        every = every_period(engine, q, aperture=self.aperture, field_mrad=field, thickness_max_nm=deepest)
        spacing, period = spacing_of(self.structure_dir, self.settings["plane_spacing_nm"]), self.slices.period_a
        between = plane_error(every, period, spacing, deepest)
        # The error of a cubic spline grows with the fourth power of the pitch, the one taken, not the limit asked.
        taken = float(np.linalg.norm(steps, axis=1).max())
        finer = 0.9 * taken * min(1.0, (self.tolerance / max(values.max(), 1e-12)) ** 0.25)
        what = "relative L2 of a pattern interpolated between"
        line = f"direction_pitch_mrad: {finer:.3f}"
        closer = max(period / 10, 0.9 * spacing * min(1.0, (self.tolerance / max(between, 1e-12)) ** 0.25))
        spacing_line = f"plane_spacing_nm: {closer:.3f}"
        return [
            _finding("direction_pitch", f"{what} directions", values.tolist(), self.tolerance, line),
            _finding("thickness_planes", f"{what} thickness planes", [between], self.tolerance, spacing_line),
        ]


def _finding(name: str, what: str, values: Sequence[float], tolerance: float, line: str) -> dict[str, Any]:
    worst = float(max(values))
    return {
        "name": name,
        "what": what,
        "values": [float(value) for value in values],
        "worst": worst,
        "tolerance": float(tolerance),
        "proposal": [] if worst <= tolerance or not line else [line],
    }


def _relative(patterns: np.ndarray, refined: np.ndarray) -> list[float]:
    """Relative L2 difference, plane by plane."""
    return list(np.linalg.norm(patterns - refined, axis=1) / np.linalg.norm(refined, axis=1))
