"""Two specimens of displaced atoms on few directions, and one from the tiny table."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.evaluation.degraded.specimens import (
    DEPTHS,
    SINGLE,
    Counts,
    Part,
    Ranges,
    RenderedSpecimen,
    Specimen,
    draw_specimens,
)
from pacbed.evaluation.direct.patterns import DirectNumerics
from pacbed.evaluation.direct.phonons import DisplacedNumerics, displaced_patterns
from pacbed.simulation.checks.referee_phonons import displaced_slices
from pacbed.simulation.multislice.phonon_pool import PhononSettings


@pytest.fixture(scope="session")
def phonon_specimens(srtio3_slices):
    """A single one and one with a spread of thickness, at 6 mrad, coarse enough to take a second."""
    slices = displaced_slices(srtio3_slices)
    plane_nm = 2 * slices.period_a / 10
    plans = draw_specimens(
        Ranges((3.0, 8.0), (6.0, 6.0)), Counts(1, 0, 1), plane_nm=plane_nm, rng=np.random.default_rng(4)
    )
    numerics = DisplacedNumerics(
        DirectNumerics(field_mrad=40.0, pitch_mrad=1.5),
        PhononSettings(cells=2, configurations=1, pool=8, seed=3),
        diffuse_pitch_mrad=3.3,
        periods_per_plane=2,
    )
    parameters = [at for plan in plans for at in plan.parameters]
    patterns = iter(displaced_patterns(slices, parameters, numerics, rng=np.random.default_rng(1)))
    found = [Specimen(plan.kind, tuple(Part(at, next(patterns)) for at in plan.parameters)) for plan in plans]
    assert [one.kind for one in found] == [SINGLE, DEPTHS]
    return found


@pytest.fixture(scope="session")
def area(tiny_bundle):
    """8 nm of the tiny table's crystal, at 14 mrad."""
    at = PatternParameters(8.0, (1.2, -0.8), (0.0, 0.0), 1.0, 0.0, 14.0, 0.0)
    return RenderedSpecimen(tiny_bundle.renderer, at)
