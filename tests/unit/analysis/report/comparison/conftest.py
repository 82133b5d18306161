import pytest

from pacbed.analysis.report.comparison.kept import Kept
from pacbed.analysis.report.panels.misfit_profile import misfit_profile


@pytest.fixture(scope="session")
def kept(analysis):
    """What is kept of the analysis that all tests share."""
    return Kept.of(analysis, misfit_profile(analysis))
