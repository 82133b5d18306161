import pytest

from pacbed.analysis.fit.cutout import Cutout
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.outline import find_outline
from pacbed.patterns import polar_to_vector


@pytest.fixture(scope="session")
def truth():
    """Parameters of what `camera` records by default."""
    return PatternParameters(
        thickness_nm=8.0,
        mistilt_mrad=tuple(float(value) for value in polar_to_vector(2.0, 70.0)),
        center_px=(70.3, 84.6),
        pixel_mrad=0.4,
        rotation_deg=25.0,
        convergence_mrad=14.0,
        blur_mrad=0.4,
    )


@pytest.fixture(scope="session")
def image(camera):
    """A recorded pattern, shape (y, x) [counts]."""
    return camera()


@pytest.fixture(scope="session")
def outline(image):
    """Bright region of `image`."""
    return find_outline(image)


@pytest.fixture(scope="session")
def model(tiny_bundle, image, outline):
    """Forward model of `image`, some 60 pixels across."""
    return ForwardModel(tiny_bundle.renderer, Cutout.around(image, outline, reach=1.3, pixels=60))
