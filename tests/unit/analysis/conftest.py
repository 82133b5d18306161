import pytest


@pytest.fixture(scope="session")
def analysis(tiny_bundle, camera):
    """A whole analysis of a pattern of 8 nm, tilted by 2 mrad towards 95 degrees of the image."""
    from pacbed.analysis.options import PredictOptions
    from pacbed.analysis.predict import analyse

    return analyse(tiny_bundle, camera(), PredictOptions(convergence_mrad=14.0))


@pytest.fixture(scope="session")
def bare_analysis(bare_bundle, camera):
    """The same pattern analysed with a bundle without networks."""
    from pacbed.analysis.options import PredictOptions
    from pacbed.analysis.predict import analyse

    return analyse(bare_bundle, camera(), PredictOptions(convergence_mrad=14.0))
