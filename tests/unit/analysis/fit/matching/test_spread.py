import numpy as np
import pytest

from pacbed.analysis.fit.matching.library import BLUR_MRAD, build_library
from pacbed.analysis.fit.matching.match import match
from pacbed.analysis.fit.matching.spread import STEP, spread_library
from pacbed.outline import find_outline
from pacbed.patterns import Geometry

SPREAD = 1.5
GEOMETRY = Geometry((120, 120), 0.4, (60.0, 60.0))


@pytest.fixture(scope="module")
def library(tiny_bundle):
    return build_library(tiny_bundle.renderer, convergence_mrad=14.0, thickness_nm=(4.0, 8.0), mistilt_max_mrad=3.0)


@pytest.fixture(scope="module")
def spread(library, tiny_bundle):
    return spread_library(library, tiny_bundle.table.group, spread_mrad=SPREAD)


@pytest.fixture(scope="module")
def averaged(tiny_bundle):
    """Function that averages rendered patterns of 8 nm over tilts (x, y) [mrad]."""

    def render(tilts):
        parts = [
            tiny_bundle.renderer.render(
                thickness_nm=8.0, convergence_mrad=14.0, geometry=GEOMETRY, mistilt_mrad=tilt, blur_mrad=BLUR_MRAD
            )
            for tilt in tilts
        ]
        return np.mean(parts, axis=0)

    return render


def matched(image, *libraries):
    outline = find_outline(image, dark=0.0)
    return [match(image, outline, one) for one in libraries]


def test_a_mean_over_tilts_matches_an_entry_of_many_better(averaged, library, spread):
    """All tilts up to the library's largest, evenly: each part has half of it as its standard deviation."""
    turns, sizes = 2.4 * np.arange(60), 2.95 * np.sqrt((np.arange(60) + 0.5) / 60)
    tilts = np.stack([sizes * np.cos(turns), sizes * np.sin(turns)], axis=1)
    sharp, wide = matched(averaged(tilts.tolist()), library, spread)
    assert wide.mismatch[0] < sharp.mismatch[0]
    assert wide.thickness_nm[0] >= 6.0
    assert np.hypot(*wide[0].parameters.mistilt_mrad) < 1.2


def test_a_single_tilt_matches_an_entry_of_one_better(averaged, library, spread):
    sharp, wide = matched(averaged([(0.6, 0.4)]), library, spread)
    assert sharp.mismatch[0] < wide.mismatch[0]


def test_on_the_axis_a_mean_has_the_crystal_s_symmetry(spread):
    """SrTiO3 [001]: a fourfold axis leaves every fourth frequency, mirror lines leave them real."""
    (entries,) = np.nonzero(np.hypot(*spread.mistilt_mrad.T) == 0)
    assert len(entries) == 3, "one of each thickness"
    for spectrum in spread.spectrum[entries]:
        others = np.arange(spectrum.shape[1]) % 4 != 0
        assert np.abs(spectrum[:, others]).max() < 1e-3 * np.abs(spectrum).max()
        assert np.abs(spectrum.imag).max() < 1e-3 * np.abs(spectrum).max()
        twice = np.where(np.arange(spectrum.shape[1]) % (spectrum.shape[1] - 1) == 0, 1.0, 2.0)
        assert np.sum(twice * np.abs(spectrum) ** 2) == pytest.approx(1.0, abs=1e-4)


def test_fewer_entries_stand_for_all(library, spread):
    assert len(spread.thickness_nm) < len(library.thickness_nm)
    tilts = np.unique(spread.mistilt_mrad, axis=0)
    assert len(spread.thickness_nm) == 3 * len(tilts)
    apart = np.linalg.norm(tilts[:, None] - tilts, axis=-1) + 10 * np.eye(len(tilts))
    assert apart.min() >= STEP * SPREAD
    assert spread.radius_mrad == pytest.approx(np.median(library.radius_mrad), rel=0.1)
