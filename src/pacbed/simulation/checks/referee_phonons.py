"""Second referee of a rocking table: better physics. Frozen phonons say what its crystal model costs in thickness."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.crystal.potentials import SlicePotentials, of_structure, whole_periods
from pacbed.outputs import write_json
from pacbed.patterns import polar_to_vector, relative_l2
from pacbed.simulation.checks.evidence import ComparedPatterns, draw_comparisons
from pacbed.simulation.checks.phonon_patterns import PhononNumerics, PhononPatterns, phonon_patterns
from pacbed.simulation.checks.table_fit import TableFit
from pacbed.simulation.multislice.aperture import Aperture, sample_aperture
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.structure.slicing import Slicing
from pacbed.simulation.table.rocking_table import RockingTable, of_table
from pacbed.systems import check_same_system

log = logging.getLogger(__name__)
SCHEMA_VERSION = 1
SHARES, PLANES = (0.2, 0.5, 1.0), 10  # thicknesses compared, of the largest one; planes of the common run
DIRECTIONS = 200  # at least so many fill the aperture; pixels are as fine as the directions
MISTILT_MRAD, AZIMUTH_DEG = 2.0, 20.0  # small, and on no mirror of any lattice
BIAS_NM, DIFFERENCE = 0.3, 0.01  # above these the report warns
PICTURE_PX = 240


@dataclass(frozen=True)
class PhononRefereeSettings:
    """A system's configuration as far as the referee with frozen phonons needs it.

    Attributes
    ----------
    cells, configurations, pool, seed : int
        How displaced atoms are drawn: edge of the supercell in cells, configurations for each direction, displaced
        slices per level, source of the displacements.
    convergence_mrad : sequence of float
        Semi-convergence angles of the parameter grid, of which the middle one is taken [mrad].
    thickness_max_nm : float
        Largest thickness [nm].
    tau_max_mrad : float
        Largest mistilt of the parameter grid [mrad].
    max_angle_mrad : float
        Half width of the field of view [mrad].
    """

    cells: int
    configurations: int
    pool: int
    seed: int
    convergence_mrad: Sequence[float]
    thickness_max_nm: float
    tau_max_mrad: float
    max_angle_mrad: float

    @property
    def numerics(self) -> PhononNumerics:
        """How displaced atoms are drawn."""
        return PhononNumerics(int(self.cells), int(self.configurations), int(self.pool), int(self.seed))

    @property
    def mistilt_mrad(self) -> np.ndarray:
        """Mistilt (x, y) of the comparison, slightly off the zone axis [mrad]."""
        return polar_to_vector(min(MISTILT_MRAD, self.tau_max_mrad), AZIMUTH_DEG)


def referee_phonons(
    structure_dir: str | Path,
    table_dir: str | Path,
    settings: PhononRefereeSettings,
    out_json: str | Path,
    out_png: str | Path,
) -> None:
    """Compare a rocking table with frozen phonons and write down what is found; nothing is refused.

    Parameters
    ----------
    structure_dir, table_dir : path
        Folders with slice potentials and rocking table; the CIF file of the former must still be there.
    settings : PhononRefereeSettings
        Displaced atoms, and the parameter grid.
    out_json, out_png : path
        Figures, with ``warnings``, and picture.
    """
    check_same_system(structure=of_structure(structure_dir), table=of_table(table_dir))
    renderer = Renderer(RockingTable.load(table_dir).elastic)
    slices = displaced_slices(SlicePotentials.load(structure_dir))
    aperture = _aperture(slices, settings, renderer.field_mrad)
    patterns = phonon_patterns(
        slices,
        aperture,
        settings.numerics,
        **_planes(slices.period_a, settings.thickness_max_nm),
        propagator=renderer.table.facts["propagator"],
    )
    fit = TableFit(renderer, aperture, settings.mistilt_mrad)
    results = [_compare(fit, patterns, plane) for plane in range(len(patterns.elastic))]
    warnings = [line for result in results for line in find_warnings(result)]
    for line in warnings:
        log.warning("%s", line)
    draw_comparisons([_picture(fit, patterns, *found) for found in enumerate(results)], out_png)
    figures = {
        "schema_version": SCHEMA_VERSION,
        "thermal_model": renderer.table.facts["thermal_model"],
        "convergence_mrad": aperture.alpha_mrad,
        "mistilt_mrad": [round(float(value), 4) for value in fit.mistilt_mrad],
        "directions": len(aperture.q),
        **settings.numerics._asdict(),
        "warnings": warnings,
        "patterns": results,
        "picture": str(out_png),
    }
    write_json(figures, out_json)


def _planes(period_a: float, thickness_max_nm: float) -> dict[str, Any]:
    """Planes that are compared, and the periods between two planes of the run, as `phonon_patterns` takes them."""
    periods = whole_periods(period_a, thickness_max_nm)
    spacing = max(1, periods // PLANES)
    planes = sorted({max(1, int(share * periods / spacing + 1e-6)) for share in SHARES})
    return {"planes": planes, "periods_per_plane": spacing}


def _aperture(slices: SlicePotentials, settings: PhononRefereeSettings, field_mrad: float) -> Aperture:
    """The middle convergence angle of the grid, in the field that the table holds at this mistilt."""
    angles, tilt = sorted(float(value) for value in settings.convergence_mrad), settings.mistilt_mrad
    aperture = sample_aperture(
        slices,
        alpha_mrad=angles[len(angles) // 2],
        mistilt_mrad=(float(tilt[0]), float(tilt[1])),
        field_mrad=min(settings.max_angle_mrad, field_mrad - float(np.hypot(*tilt))),
        directions=DIRECTIONS,
        cells=settings.numerics.cells,
    )
    log.info("%d directions, %d pixels, %d beams", len(aperture.q), len(aperture.pixels), len(aperture.beams))
    return aperture


def displaced_slices(slices: SlicePotentials) -> SlicePotentials:
    """The same cell, grid and slices with the thermal mean to all orders, which displaced atoms have."""
    return replace(Slicing.behind(slices), thermal_model="frozen_phonons").on_grid(slices.grid)


def _compare(fit: TableFit, patterns: PhononPatterns, plane: int) -> dict[str, Any]:
    """Elastic and total difference, and the thickness bias, of one thickness."""
    depth = float(patterns.thickness_nm[plane])
    table, total, totals = fit.table(depth, fit.mistilt_mrad), patterns.total[plane], patterns.totals[:, plane]
    biases = [fit.thickness_nm(one, depth) - depth for one in totals]
    spread = noise = None
    if len(totals) > 1:
        root = np.sqrt(len(totals))
        spread = round(float(np.std(biases, ddof=1) / root), 4)
        noise = float(np.linalg.norm(np.std(totals, axis=0, ddof=1)) / root / np.linalg.norm(total))
    return {
        "thickness_nm": round(depth, 4),
        "elastic_l2": relative_l2(table, patterns.elastic[plane]),
        "total_l2": relative_l2(fit.model(total, depth, fit.mistilt_mrad), total),
        "noise_l2": noise,
        "bias_nm": round(fit.thickness_nm(total, depth) - depth, 4),
        "bias_std_nm": spread,
        "fraction_in_field": {
            "elastic": float(patterns.elastic[plane].sum()),
            "total": float(total.sum()),
            "table": float(table.sum()),
        },
    }


def find_warnings(result: Mapping[str, Any]) -> list[str]:
    """A line for each figure of one thickness that a reader must know of."""
    lines = []
    if abs(result["bias_nm"]) > BIAS_NM:
        lines.append(f"{result['thickness_nm']} nm: thickness bias {result['bias_nm']} nm, above {BIAS_NM} nm")
    if result["elastic_l2"] > DIFFERENCE:
        share = f"{100 * result['elastic_l2']:.1f} %"
        lines.append(f"{result['thickness_nm']} nm: elastic parts differ by {share}, above {100 * DIFFERENCE:g} %")
    return lines


def _picture(fit: TableFit, patterns: PhononPatterns, plane: int, result: Mapping[str, Any]) -> ComparedPatterns:
    """Frozen phonons, and the table with its fitted background, at one thickness."""
    total = patterns.total[plane]
    model = fit.model(total, float(patterns.thickness_nm[plane]), fit.mistilt_mrad)
    direct, table = (fit.aperture.image(values, PICTURE_PX) for values in (total, model))
    titles = (
        f"frozen phonons, {result['thickness_nm']:.2f} nm",
        f"table + background, bias {result['bias_nm']:+.2f} nm",
        f"difference, L2 {result['total_l2']:.1e}",
    )
    return ComparedPatterns(direct, table, fit.aperture.reach_mrad, titles)
