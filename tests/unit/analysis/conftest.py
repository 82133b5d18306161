import numpy as np
import pytest

from pacbed.patterns import Geometry, polar_to_vector


@pytest.fixture(scope="session")
def camera(tiny_bundle):
    """Function that records a pattern of the tiny bundle's crystal: offset, gain, background, noise."""

    def record(
        *,
        thickness_nm=8.0,
        convergence_mrad=14.0,
        mistilt_mrad=2.0,
        azimuth_deg=70.0,
        geometry=None,
        electrons=2e7,
        seed=1,
    ):
        geometry = geometry or Geometry((160, 150), 0.4, (70.3, 84.6), 25.0)
        image = tiny_bundle.renderer.render(
            thickness_nm=thickness_nm, convergence_mrad=convergence_mrad, geometry=geometry, blur_mrad=0.4,
            mistilt_mrad=polar_to_vector(mistilt_mrad, azimuth_deg),
        )  # fmt: skip
        angle = np.hypot(*geometry.angles_mrad())
        image = image + 1e-4 * image.max() + 0.1 * image.max() * np.exp(-0.5 * (angle / 16) ** 2)
        rng = np.random.default_rng(seed)
        return (rng.poisson(image * electrons) * 3.0 + 150 + rng.normal(0, 2, image.shape)).astype(np.float32)

    return record


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
