import numpy as np
import pytest

from pacbed.evaluation.nearest import NearestImage
from pacbed.evaluation.noise import Noise
from pacbed.evaluation.truths import Stack
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


def find(stack, image, convergence_mrad, **options):
    nearest = NearestImage(stack)
    return nearest.find(image[None].astype(np.float32), nearest.angle(convergence_mrad), **options)[0]


def test_a_library_image_gives_its_own_thickness(aligned, stack):
    for thickness in (2.0, 7.0, 10.0):
        assert find(stack, aligned(thickness), 13.2).untilted.thickness_nm == thickness
        assert find(stack, aligned(thickness, 15.0), 14.3).untilted.thickness_nm == thickness


def test_a_tilted_library_image_gives_its_mistilt_as_well(aligned, stack):
    for tilt in np.flatnonzero(stack.mistilt_mrad > 0):
        vector = stack.vectors_mrad[tilt]
        found = find(stack, aligned(8.0, mistilt_mrad=tuple(vector)), 13.0)
        assert found.of_all.thickness_nm == 8.0
        np.testing.assert_array_equal(found.of_all.mistilt_mrad, vector)
        np.testing.assert_array_equal(found.untilted.mistilt_mrad, [0, 0])


def test_it_is_the_smallest_of_all_distances(aligned, stack):
    """The same by a loop over the library, for a noisy pattern off the grid."""
    image = Noise(0.3).record(aligned(6.4, mistilt_mrad=(0.8, 0.3)), rng=np.random.default_rng(3))
    distances = np.empty(stack.pattern.shape[1:3])
    for tilt, index in np.ndindex(distances.shape):
        library = np.asarray(stack.pattern[0, tilt, index], dtype=float)
        distances[tilt, index] = np.sqrt(np.sum((library / library.max() - image) ** 2))
    found = find(stack, image, 13.0)
    untilted = int(np.flatnonzero(stack.mistilt_mrad == 0)[0])
    assert found.untilted.thickness_nm == stack.thickness_nm[np.argmin(distances[untilted])]
    tilt, index = np.unravel_index(np.argmin(distances), distances.shape)
    assert found.of_all.thickness_nm == stack.thickness_nm[index]
    np.testing.assert_array_equal(found.of_all.mistilt_mrad, stack.vectors_mrad[tilt])
    alone = find(stack, image, 13.0, tilted=False)
    assert alone.untilted.thickness_nm == alone.of_all.thickness_nm == found.untilted.thickness_nm


def test_patterns_together_are_answered_as_alone(aligned, stack):
    images = np.stack([aligned(thickness) for thickness in (3.2, 9.1)]).astype(np.float32)
    together = NearestImage(stack).find(images, 0)
    assert [pair.of_all.thickness_nm for pair in together] == [3.0, 9.0]
