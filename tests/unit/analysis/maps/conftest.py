"""A small scan of known truth, and the map of it."""

import numpy as np
import pytest

ALPHA = 13.8


@pytest.fixture(scope="session")
def wedge(tiny_bundle):
    """6 x 8 positions of a bent wedge with a step and a hole."""
    from pacbed.evaluation.scans.wedge import WedgeSettings, make_wedge

    settings = WedgeSettings(
        shape=(6, 8), pixels=64, convergence_mrad=ALPHA, pixel_mrad=0.7, thickness_nm=(4.0, 7.5), step_nm=1.5,
        bend_mrad=1.5, descan_px=2.0, electrons=1e6,
    )  # fmt: skip
    return make_wedge(tiny_bundle.renderer, None, settings)


@pytest.fixture(scope="session")
def wedge_file(wedge, tmp_path_factory):
    file = tmp_path_factory.mktemp("wedge") / "wedge.npy"
    np.save(file, wedge.patterns)
    return file


@pytest.fixture(scope="session")
def source(tiny_bundle, wedge_file):
    """Single positions of the wedge as windows."""
    from pacbed.analysis.maps.tasks import MapSource
    from pacbed.analysis.options import PredictOptions

    return MapSource(tiny_bundle.path, wedge_file, PredictOptions(convergence_mrad=ALPHA), 1, "wedge")


@pytest.fixture(scope="session")
def answers(tiny_bundle, source, wedge, tmp_path_factory):
    """The wedge's map, made in this process."""
    from pacbed.analysis.maps.passes import KeptAnswers, MapPasses
    from pacbed.analysis.maps.tasks import close_all

    kept = KeptAnswers(tmp_path_factory.mktemp("kept") / "wedge.jsonl", {"for": "wedge"})
    period = tiny_bundle.table.rotation_period_deg
    found = MapPasses(source, wedge.kind.shape, period, None, kept).run()
    close_all()
    return found


@pytest.fixture(scope="session")
def constants(answers):
    assert answers.constants is not None
    return answers.constants
