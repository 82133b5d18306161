"""Slice depth, grid and distances that are left to the first stage: the coarsest that the gate lets pass."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, NamedTuple

from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import SimulationError
from pacbed.simulation.structure.finding import EVIDENCE, Finding, as_evidence
from pacbed.simulation.structure.grid_search import grids_of, measure_grid, refuse_small_grid
from pacbed.simulation.structure.pitch_search import measure_pitch
from pacbed.simulation.structure.refinement import (
    BETWEEN_DIRECTIONS,
    BETWEEN_PLANES,
    DIRECTION_PITCH,
    THICKNESS_PLANES,
    check_grid,
    check_losses,
    check_slice_depth,
)
from pacbed.simulation.structure.settings import StructureSettings
from pacbed.simulation.structure.slicing import Slicing, finer_counts
from pacbed.simulation.structure.spacing_search import measure_spacing
from pacbed.simulation.structure.trial_aperture import Reference

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FoundSlices:
    """Slice potentials as asked for or as found.

    Attributes
    ----------
    slices : SlicePotentials
    findings : sequence of Finding
        Of what was left to the search; all are good.
    reference : Reference or None
        Patterns of these slices; none where nothing was searched.
    """

    slices: SlicePotentials
    findings: Sequence[Finding] = ()
    reference: Reference | None = None


def search_slices(slicing: Slicing, settings: StructureSettings) -> FoundSlices:
    """Grid and slice depth: as asked for, or those that change a pattern by no more than the tolerance when refined.

    The grid is first the smallest that loses little to the band limit. Slices are then made thinner, and after them the
    grid finer, until the check that the gate reads passes; what it found is kept for it.

    Raises
    ------
    SimulationError
        A grid asked for carries too little, or a search ends without success.
    """
    depth_auto, grid_auto = isinstance(settings.slice_depth_nm, str), isinstance(settings.grid_px, str)
    slices = _on_grid(slicing, settings)
    if not (depth_auto or grid_auto):
        return FoundSlices(slices)
    current, findings = _Trial(slicing, Reference.of(slices, settings.pattern_limits)), []
    if depth_auto:
        current, finding = _with_thin_slices(current)
        findings.append(finding)
    if grid_auto:
        current, finding = _with_fine_grid(current)
        findings += [finding, *check_losses(current.reference)]
    return FoundSlices(current.reference.slices, findings, current.reference)


def search_distances(slices: SlicePotentials, found: FoundSlices, settings: StructureSettings) -> dict[str, Any]:
    """Distances of directions and planes, given or measured, and the evidence of all that was measured.

    Parameters
    ----------
    slices : SlicePotentials
        The crystal, with its verified symmetry.
    found : FoundSlices
        From `search_slices`.
    settings : StructureSettings
        Distances or "auto", and the patterns to be met.
    """
    limits, findings = settings.pattern_limits, list(found.findings)
    pitch, spacing = settings.direction_pitch_mrad, settings.plane_spacing_nm
    if isinstance(pitch, str):
        pitch, error = measure_pitch(slices, found.reference or Reference.of(slices, limits))
        findings.append(Finding(DIRECTION_PITCH, BETWEEN_DIRECTIONS, [error], limits.tolerance, ""))
    if isinstance(spacing, str):
        spacing, error = measure_spacing(slices, limits)
        findings.append(Finding(THICKNESS_PLANES, BETWEEN_PLANES, [error], limits.tolerance, ""))
    evidence = {EVIDENCE: as_evidence(findings, limits)} if findings else {}
    return {"direction_pitch_mrad": pitch, "plane_spacing_nm": spacing, **evidence}


def _on_grid(slicing: Slicing, settings: StructureSettings) -> SlicePotentials:
    """Slice potentials on the grid asked for, or on the smallest that loses little."""
    if isinstance(settings.grid_px, str):
        return measure_grid(slicing, settings.grid_reach).slices
    slices = slicing.on_grid((int(settings.grid_px[0]), int(settings.grid_px[1])))
    refuse_small_grid(slices, settings.grid_reach)
    return slices


class _Trial(NamedTuple):
    """A way to cut the crystal, and the patterns of its slices."""

    slicing: Slicing
    reference: Reference

    def on(self, slicing: Slicing, grid: tuple[int, int]) -> _Trial:
        """Other slices."""
        return _Trial(slicing, Reference.of(slicing.on_grid(grid), self.reference.trial.limits))


class _Judged(NamedTuple):
    trial: _Trial
    finding: Finding


def _with_thin_slices(first: _Trial) -> _Judged:
    """The thickest slices that are thin enough."""
    counts = finer_counts(first.slicing.oriented, first.slicing.slices)
    thinner = (first.on(replace(first.slicing, slices=count), first.reference.slices.grid) for count in counts)
    return _first_good(chain([first], thinner), check_slice_depth, "slice_depth_nm")


def _with_fine_grid(first: _Trial) -> _Judged:
    """The smallest grid, from the given one on, that is fine enough."""
    points = first.reference.slices.grid
    finer = (first.on(first.slicing, grid) for grid in grids_of(first.slicing.lengths_a) if min(grid) > min(points))
    return _first_good(chain([first], finer), check_grid, "grid_px")


def _first_good(trials: Iterable[_Trial], check: Callable[[Reference, Slicing], Finding], name: str) -> _Judged:
    """The first trial that is good enough; none is made before the one before it has failed."""
    for trial in trials:
        finding, slices = check(trial.reference, trial.slicing), trial.reference.slices
        _log(f"slices {slices.slice_depth_a:.3f} Å deep, grid {slices.grid}", finding)
        if finding.good:
            return _Judged(trial, finding)
    raise _without_success(name, finding)


def _log(choice: str, finding: Finding) -> None:
    log.info("%s: %s %.1e, %s", choice, finding.what, finding.worst, "accepted" if finding.good else "too much")


def _without_success(name: str, finding: Finding) -> SimulationError:
    return SimulationError(
        f"{name}: auto ended with {finding.what} of {finding.worst:.1e}, accepted: {finding.tolerance:.1e}; "
        f"give a larger simulation.tolerance, or {name} by hand"
    )
