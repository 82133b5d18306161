"""Second referee of a rocking table: better physics. Frozen phonons say what its crystal model costs in thickness."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import least_squares

from pacbed.crystal.cif import read_cif
from pacbed.crystal.orientation import orient
from pacbed.crystal.potentials import SlicePotentials, of_structure, whole_periods
from pacbed.crystal.slicing import slice_potentials
from pacbed.figures import Panel, draw_row, save_figure
from pacbed.outputs import write_json
from pacbed.patterns import polar_to_vector, relative_l2
from pacbed.simulation.checks.phonon_patterns import PhononPatterns, phonon_patterns
from pacbed.simulation.multislice.aperture import Aperture, sample_aperture
from pacbed.simulation.rendering.background import BACKGROUND_WIDTHS, solve_linear
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.rocking_table import RockingTable, of_table
from pacbed.systems import check_same_system

log = logging.getLogger(__name__)
SCHEMA_VERSION = 1
SHARES, PLANES = (0.2, 0.5, 1.0), 10  # thicknesses compared, of the largest one; planes of the common run
DIRECTIONS = 200  # at least so many fill the aperture; pixels are as fine as the directions
MISTILT_MRAD, AZIMUTH_DEG = 2.0, 20.0  # small, and on no mirror of any lattice
BIAS_NM, DIFFERENCE = 0.3, 0.01  # above these the report warns
STEPS = np.array([0.05, 0.02, 0.02])  # of the numerical derivative: nm, mrad, mrad
PICTURE_PX = 240


def referee_phonons(
    structure_dir: str | Path,
    table_dir: str | Path,
    settings: Mapping[str, Any],
    out_json: str | Path,
    out_png: str | Path,
) -> None:
    """Compare a rocking table with frozen phonons and write down what is found; nothing is refused.

    Parameters
    ----------
    structure_dir, table_dir : path
        Folders with slice potentials and rocking table; the CIF file of the former must still be there.
    settings : mapping
        ``thickness_max_nm``, ``convergence_mrad`` (values of the grid; the middle one is taken), ``tau_max_mrad``,
        ``max_angle_mrad`` (half width of the field of view), ``cells``, ``configurations``, ``pool``, ``seed``.
    out_json, out_png : path
        Figures, with ``warnings``, and picture.
    """
    check_same_system(structure=of_structure(structure_dir), table=of_table(table_dir))
    renderer = Renderer(RockingTable.load(table_dir).elastic)
    slices = _displaced_slices(SlicePotentials.load(structure_dir))
    tilt = polar_to_vector(min(MISTILT_MRAD, float(settings["tau_max_mrad"])), AZIMUTH_DEG)
    aperture = _aperture(slices, settings, tilt, renderer.field_mrad)
    numerics: dict[str, Any] = {name: int(settings[name]) for name in ("cells", "configurations", "pool", "seed")}
    patterns = phonon_patterns(
        slices,
        aperture,
        **_planes(slices.period_a, float(settings["thickness_max_nm"])),
        propagator=renderer.table.facts["propagator"],
        **numerics,
    )
    comparison = _Comparison(renderer, aperture, tilt)
    results = [comparison.figures(patterns, plane) for plane in range(len(patterns.elastic))]
    warnings = [line for result in results for line in _warnings(result)]
    for line in warnings:
        log.warning("%s", line)
    figures = {
        "schema_version": SCHEMA_VERSION,
        "thermal_model": renderer.table.facts["thermal_model"],
        "convergence_mrad": aperture.alpha_mrad,
        "mistilt_mrad": [round(float(value), 4) for value in tilt],
        "directions": len(aperture.q),
        **numerics,
        "warnings": warnings,
        "patterns": results,
        "picture": str(out_png),
    }
    _draw(comparison, patterns, results, out_png)
    write_json(figures, out_json)


def _planes(period_a: float, thickness_max_nm: float) -> dict[str, Any]:
    """Planes that are compared, and the periods between two planes of the run, as `phonon_patterns` takes them."""
    periods = whole_periods(period_a, thickness_max_nm)
    spacing = max(1, periods // PLANES)
    kept = sorted({max(1, int(share * periods / spacing + 1e-6)) for share in SHARES})
    return {"kept": kept, "periods_per_plane": spacing}


def _aperture(slices: SlicePotentials, settings: Mapping[str, Any], tilt: np.ndarray, field_mrad: float) -> Aperture:
    """The middle convergence angle of the grid, slightly off the zone axis, in the field that the table holds."""
    angles = sorted(float(value) for value in settings["convergence_mrad"])
    aperture = sample_aperture(
        slices,
        alpha_mrad=angles[len(angles) // 2],
        mistilt_mrad=(float(tilt[0]), float(tilt[1])),
        field_mrad=min(float(settings["max_angle_mrad"]), field_mrad - float(np.hypot(*tilt))),
        directions=DIRECTIONS,
        cells=int(settings["cells"]),
    )
    log.info("%d directions, %d pixels, %d beams", len(aperture.q), len(aperture.pixels), len(aperture.beams))
    return aperture


def _displaced_slices(slices: SlicePotentials) -> SlicePotentials:
    """The same cell, grid and slices with the thermal mean to all orders, which displaced atoms have."""
    return slice_potentials(
        orient(read_cif(slices.source), slices.zone_axis),
        zone_axis=slices.zone_axis,
        energy_ev=slices.energy_ev,
        grid=slices.grid,
        slices=len(slices.potential),
        thermal_model="frozen_phonons",
        parametrization=slices.parametrization,
    )


class _Comparison:
    """Fits patterns of one aperture with a table, on the pixels where they were computed."""

    def __init__(self, renderer: Renderer, aperture: Aperture, tilt_mrad: np.ndarray) -> None:
        self.renderer, self.aperture, self.tilt = renderer, aperture, tilt_mrad
        distance = np.linalg.norm(aperture.pixels @ aperture.pitch_mrad, axis=1) / aperture.alpha_mrad
        self.columns = np.ones((len(distance), 2 + len(BACKGROUND_WIDTHS)))
        for column, width in enumerate(BACKGROUND_WIDTHS, start=2):
            self.columns[:, column] = np.exp(-0.5 * (distance / width) ** 2)

    def table(self, thickness_nm: float, tilt_mrad: np.ndarray) -> np.ndarray:
        """The table's pattern, shape (pixel,)."""
        image = self.renderer.render(
            thickness_nm=thickness_nm,
            convergence_mrad=self.aperture.alpha_mrad,
            mistilt_mrad=tilt_mrad,
            geometry=self.aperture.geometry,
            edge_mrad=0.0,
        )
        return self.aperture.pick(image).astype(float)

    def model(self, total: np.ndarray, thickness_nm: float, tilt_mrad: np.ndarray) -> np.ndarray:
        """The table's pattern with the gain and the smooth background that suit a total pattern best."""
        self.columns[:, 0] = self.table(thickness_nm, tilt_mrad)
        # Columns of like size: the constant is one where an intensity is a small part of the beam.
        unit = float(total.max())
        columns = np.column_stack([self.columns[:, 0] / unit, self.columns[:, 1:]])
        return np.asarray(columns @ solve_linear(columns, total / unit) * unit)

    def fitted_thickness_nm(self, total: np.ndarray, thickness_nm: float) -> float:
        """Thickness that fits a total pattern best, mistilt, gain and background being free as well."""

        def residual(at: np.ndarray) -> np.ndarray:
            return (self.model(total, float(at[0]), at[1:]) - total) / np.linalg.norm(total)

        def slopes(at: np.ndarray) -> np.ndarray:
            moves = np.diag(STEPS)
            return np.stack([(residual(at + m) - residual(at - m)) / (2 * m.sum()) for m in moves], axis=1)

        # Inside the table, one step of the derivative included.
        deepest = self.renderer.table.thickness_max_nm - 2 * STEPS[0]
        free = self.renderer.mistilt_max_mrad(self.aperture.alpha_mrad) - float(np.hypot(*self.tilt))
        reach = min(2.0, (free - 2 * STEPS[1]) / np.sqrt(2))
        bounds = ([2 * STEPS[0], *(self.tilt - reach)], [deepest, *(self.tilt + reach)])
        start = np.clip([thickness_nm, *self.tilt], *bounds)
        return float(least_squares(residual, start, slopes, bounds=bounds, x_scale=[1.0, 0.3, 0.3]).x[0])

    def figures(self, patterns: PhononPatterns, plane: int) -> dict[str, Any]:
        """Elastic and total difference, and the thickness bias, of one thickness."""
        depth = float(patterns.thickness_nm[plane])
        table, total = self.table(depth, self.tilt), patterns.total[plane]
        fits = [self.fitted_thickness_nm(one, depth) - depth for one in patterns.totals[:, plane]]
        spread = float(np.std(fits, ddof=1) / np.sqrt(len(fits))) if len(fits) > 1 else None
        scatter = np.linalg.norm(np.std(patterns.totals[:, plane], axis=0, ddof=1)) if len(fits) > 1 else None
        model = self.model(total, depth, self.tilt)
        return {
            "thickness_nm": round(depth, 4),
            "elastic_l2": relative_l2(table, patterns.elastic[plane]),
            "total_l2": relative_l2(model, total),
            "noise_l2": None if scatter is None else float(scatter / np.sqrt(len(fits)) / np.linalg.norm(total)),
            "bias_nm": round(self.fitted_thickness_nm(total, depth) - depth, 4),
            "bias_std_nm": None if spread is None else round(spread, 4),
            "fraction_in_field": {
                "elastic": float(patterns.elastic[plane].sum()),
                "total": float(total.sum()),
                "table": float(table.sum()),
            },
        }


def _warnings(result: Mapping[str, Any]) -> list[str]:
    lines = []
    if abs(result["bias_nm"]) > BIAS_NM:
        lines.append(f"{result['thickness_nm']} nm: thickness bias {result['bias_nm']} nm, above {BIAS_NM} nm")
    if result["elastic_l2"] > DIFFERENCE:
        share = f"{100 * result['elastic_l2']:.1f} %"
        lines.append(f"{result['thickness_nm']} nm: elastic parts differ by {share}, above {100 * DIFFERENCE:g} %")
    return lines


def _draw(comparison: _Comparison, patterns: PhononPatterns, results: list[dict], path: str | Path) -> None:
    """Frozen phonons, the table with its fitted background, and their difference; one row per thickness."""
    figure = Figure(figsize=(9, 2.9 * len(results)), layout="constrained")
    for plane, (row, result) in enumerate(zip(figure.subplots(len(results), 3, squeeze=False), results, strict=True)):
        total = patterns.total[plane]
        model = comparison.model(total, float(patterns.thickness_nm[plane]), comparison.tilt)
        top, bound = total.max(), max(np.abs(model - total).max(), 1e-12 * total.max())
        shown = (
            (total, f"frozen phonons, {result['thickness_nm']:.2f} nm", "gray", (0, top)),
            (model, f"table + background, bias {result['bias_nm']:+.2f} nm", "gray", (0, top)),
            (model - total, f"difference, L2 {result['total_l2']:.1e}", "RdBu_r", (-bound, bound)),
        )
        pictures = [Panel(comparison.aperture.image(values, PICTURE_PX), *how) for values, *how in shown]
        draw_row(figure, row, pictures, half_mrad=comparison.aperture.reach_mrad)
    save_figure(figure, path)
