"""One numerical choice of a rocking table refined at a time: how much a pattern changes, and what to choose instead."""

from __future__ import annotations

from dataclasses import replace

from pacbed.crystal.potentials import SlicePotentials
from pacbed.simulation.structure.finding import Finding
from pacbed.simulation.structure.grid_search import fast_size
from pacbed.simulation.structure.interpolation import direction_error, every_period, plane_error
from pacbed.simulation.structure.pitch_search import direction_steps
from pacbed.simulation.structure.slicing import Slicing, reference_count
from pacbed.simulation.structure.trial_aperture import Reference

DIRECTION_PITCH, THICKNESS_PLANES = "direction_pitch", "thickness_planes"
BETWEEN_DIRECTIONS = "relative L2 of a pattern interpolated between directions"
BETWEEN_PLANES = "relative L2 of a pattern interpolated between thickness planes"
MEAN_LOSS, WORST_LOSS = 0.02, 0.05  # what a grid chosen by hand may lose to the band limit
CENTERS = 16  # directions of the aperture at which interpolation is tried
PLANE_CURVES = 8  # the same along thickness
PITCH_ORDER = 4  # the error of a cubic spline grows with this power of the distance


def check_slice_depth(reference: Reference, slicing: Slicing) -> Finding:
    """At least twice as many slices, with planes closer to the atoms."""
    more = reference_count(slicing.oriented, slicing.slices)
    finer = replace(slicing, slices=more).on_grid(reference.slices.grid)
    line = f"slice_depth_nm: {finer.slice_depth_a / 10:.4f}"
    what = f"relative L2 against {more / slicing.slices:.3g} times as many slices"
    return Finding("slice_depth", what, reference.differences(finer), reference.trial.limits.tolerance, line)


def check_grid(reference: Reference, slicing: Slicing) -> Finding:
    """A grid with half as many points again along both vectors."""
    finer = _finer_grid(reference.slices)
    values = reference.differences(slicing.on_grid(finer))
    what = "relative L2 against a 1.5 times finer grid"
    return Finding("grid", what, values, reference.trial.limits.tolerance, f"grid_px: {list(finer)}")


def check_losses(reference: Reference) -> list[Finding]:
    """What the band limit takes: mean over the aperture, and in the worst direction."""
    lost, line = reference.lost[reference.compared], f"grid_px: {list(_finer_grid(reference.slices))}"
    mean, worst = lost.mean(axis=1).tolist(), lost.max(axis=1).tolist()
    what = "fraction of the beam lost to the band limit"
    return [
        Finding("mean_loss", f"{what}, mean", mean, MEAN_LOSS, line),
        Finding("worst_loss", f"{what}, worst", worst, WORST_LOSS, line),
    ]


def _finer_grid(slices: SlicePotentials) -> tuple[int, int]:
    x, y = (fast_size(1.5 * points) for points in slices.grid)
    return x, y


def check_direction_pitch(reference: Reference, pitch_mrad: float) -> Finding:
    """Interpolation between directions that are so far apart [mrad] against direct computation."""
    trial, limits = reference.trial, reference.trial.limits
    steps, taken = direction_steps(reference.slices, limits, pitch_mrad)
    centers = trial.even_directions(CENTERS)
    errors = direction_error(trial, steps, centers, planes=reference.planes, patterns=reference.patterns)
    values = errors[reference.compared]
    # From the pitch taken, not from the limit asked for.
    line = f"direction_pitch_mrad: {taken * _shorter(values.max(), limits.tolerance):.3f}"
    return Finding(DIRECTION_PITCH, BETWEEN_DIRECTIONS, values.tolist(), limits.tolerance, line)


def check_plane_spacing(reference: Reference, spacing_nm: float) -> Finding:
    """Interpolation between thickness planes that are so far apart [nm] against direct computation."""
    trial, limits, period_a = reference.trial, reference.trial.limits, reference.slices.period_a
    every = every_period(trial, trial.even_directions(PLANE_CURVES))
    error = plane_error(every, period_a, spacing_nm, limits.thickness_max_nm)
    line = f"plane_spacing_nm: {max(period_a / 10, spacing_nm * _shorter(error, limits.tolerance)):.3f}"
    return Finding(THICKNESS_PLANES, BETWEEN_PLANES, [error], limits.tolerance, line)


def _shorter(error: float, tolerance: float) -> float:
    """What a distance of nodes must be multiplied with to keep the tolerance, with some to spare."""
    return float(0.9 * min(1.0, (tolerance / max(error, 1e-12)) ** (1 / PITCH_ORDER)))
