import numpy as np
import pytest

from pacbed.evaluation.nearest import NearestImage
from pacbed.evaluation.truths import Stack, add_noise
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.renderer import Renderer


@pytest.fixture(scope="module")
def stack(parts):
    return Stack.load(parts["stack_dir"])


@pytest.fixture(scope="module")
def aligned(tiny_table, stack):
    """Function that renders a pattern in the stack's frame, maximum 1."""
    renderer = Renderer(tiny_table)
    frame = Geometry.field_of_view(stack.pixels, stack.max_angle_mrad)

    def render(thickness_nm, convergence_mrad=13.0, mistilt_mrad=(0.0, 0.0)):
        image = renderer.render(
            thickness_nm=thickness_nm, convergence_mrad=convergence_mrad, mistilt_mrad=mistilt_mrad, geometry=frame
        )
        return image / image.max()

    return render


def test_a_library_image_gives_its_own_thickness(aligned, stack):
    nearest = NearestImage(stack)
    for thickness in (2.0, 7.0, 10.0):
        assert nearest.thickness_nm(aligned(thickness), 13.2) == thickness
        assert nearest.thickness_nm(aligned(thickness, 15.0), 14.3) == thickness


def test_it_is_the_smallest_of_all_distances(aligned, stack):
    """The same by a loop over the library, for a noisy pattern off the grid."""
    image = add_noise(aligned(6.4, mistilt_mrad=(0.8, 0.3)), 0.05, rng=np.random.default_rng(3))
    untilted = int(np.flatnonzero(stack.mistilt_mrad == 0)[0])
    distances = []
    for index in range(len(stack.thickness_nm)):
        library = np.asarray(stack.pattern[0, untilted, index], dtype=float)
        distances.append(np.sqrt(np.sum((library / library.max() - image) ** 2)))
    assert NearestImage(stack).thickness_nm(image, 13.0) == stack.thickness_nm[int(np.argmin(distances))]
