"""Are the numerics of the rocking table good enough? Each choice is refined alone, all others unchanged."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pacbed.crystal.potentials import SlicePotentials
from pacbed.outputs import write_json
from pacbed.simulation.checks.evidence import draw_checks
from pacbed.simulation.structure import refinement
from pacbed.simulation.structure.finding import Finding, measured_findings
from pacbed.simulation.structure.refinement import DIRECTION_PITCH, THICKNESS_PLANES
from pacbed.simulation.structure.settings import PatternLimits
from pacbed.simulation.structure.slicing import Slicing
from pacbed.simulation.structure.trial_aperture import Reference, compared_nm
from pacbed.simulation.table.settings import pitch_of, spacing_of

log = logging.getLogger(__name__)
SCHEMA_VERSION = 1
SLICE_DEPTH, GRID, MEAN_LOSS, WORST_LOSS = "slice_depth", "grid", "mean_loss", "worst_loss"
CHECKS = (SLICE_DEPTH, GRID, MEAN_LOSS, WORST_LOSS, DIRECTION_PITCH, THICKNESS_PLANES)


@dataclass(frozen=True)
class ConvergenceSettings:
    """A system's configuration as far as the check of its numerics needs it.

    Attributes
    ----------
    thickness_max_nm : float
        Largest thickness [nm].
    alpha_max_mrad, tau_max_mrad : float
        Largest semi-convergence angle and largest mistilt of the parameter grid [mrad].
    max_angle_mrad : float
        Half width of the field of view [mrad].
    direction_pitch_mrad : float or "auto"
        Upper limit of the distance between directions [mrad]; "auto" takes what was measured with the structure.
    plane_spacing_nm : float or "auto"
        Upper limit of the distance between thickness planes [nm]; "auto" takes what was measured with the structure.
    propagator : {"exact", "fresnel"}
        Free-space propagation between slices.
    tolerance : float
        Accepted relative L2 change of a pattern.
    """

    thickness_max_nm: float
    alpha_max_mrad: float
    tau_max_mrad: float
    max_angle_mrad: float
    direction_pitch_mrad: float | str
    plane_spacing_nm: float | str
    propagator: str
    tolerance: float


def check_convergence(
    structure_dir: str | Path, settings: ConvergenceSettings, out_json: str | Path, out_png: str | Path
) -> None:
    """Refine each numerical choice alone and write down how much a pattern changes.

    Computed at about 50 nm and at the largest thickness, with the largest convergence angle and mistilt of the grid.
    A choice that `orient_structure` was left to make was found by the same check, and is not checked a second time.
    Cone and field of view need no check: the table refuses what they do not hold, and what they hold does not depend on
    them.

    Parameters
    ----------
    structure_dir : path
        Folder with slice potentials; the CIF file they came from must still be there.
    settings : ConvergenceSettings
        Largest thickness and angles, the choices that are checked, and the tolerance.
    out_json, out_png : path
        Figures, with lines to paste into the configuration where a tolerance is exceeded, and their picture.
    """
    slices, limits = SlicePotentials.load(structure_dir), PatternLimits.among(settings)
    known = measured_findings(structure_dir, limits)
    for name, choice in (
        (DIRECTION_PITCH, settings.direction_pitch_mrad),
        (THICKNESS_PLANES, settings.plane_spacing_nm),
    ):
        if not isinstance(choice, str):
            known.pop(name, None)
    findings = _all_findings(structure_dir, slices, settings, known)
    for finding in findings:
        log.info("%s", finding)
    figures = {
        "schema_version": SCHEMA_VERSION,
        "accepted": all(finding.good for finding in findings),
        "thicknesses_nm": [round(nm, 3) for nm in compared_nm(slices.period_a, limits.thickness_max_nm)],
        "grid_px": list(slices.grid),
        "slice_depth_nm": slices.slice_depth_a / 10,
        "checks": [finding.as_json() for finding in findings],
        "picture": str(out_png),
    }
    draw_checks(figures, out_png)
    write_json(figures, out_json)


def _all_findings(
    structure_dir: str | Path, slices: SlicePotentials, settings: ConvergenceSettings, known: Mapping[str, Finding]
) -> list[Finding]:
    """Every finding in the order of `CHECKS`: known from the search, or made now."""
    if all(name in known for name in CHECKS):
        return [known[name] for name in CHECKS]
    slicing, reference = Slicing.behind(slices), Reference.of(slices, PatternLimits.among(settings))
    pitch, spacing = settings.direction_pitch_mrad, settings.plane_spacing_nm
    checks: dict[str, Callable[[], Finding]] = {
        SLICE_DEPTH: lambda: refinement.check_slice_depth(reference, slicing),
        GRID: lambda: refinement.check_grid(reference, slicing),
        MEAN_LOSS: lambda: refinement.check_losses(reference)[0],
        WORST_LOSS: lambda: refinement.check_losses(reference)[1],
        DIRECTION_PITCH: lambda: refinement.check_direction_pitch(reference, pitch_of(structure_dir, pitch)),
        THICKNESS_PLANES: lambda: refinement.check_plane_spacing(reference, spacing_of(structure_dir, spacing)),
    }
    return [known[name] if name in known else check() for name, check in checks.items()]
