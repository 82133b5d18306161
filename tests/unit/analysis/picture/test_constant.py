import numpy as np
import pytest
from scipy import ndimage

from pacbed.analysis.picture.constant import constant_parts


def parts(image):
    return constant_parts(image, np.isfinite(image))


def test_a_pattern_has_no_constant_parts(recorded):
    border, gaps = parts(recorded())
    assert not border.any() and not gaps.any()


def test_padding_is_a_border(recorded):
    border, gaps = parts(np.pad(recorded(), ((20, 5), (30, 0))))
    inside = np.zeros((153, 158), dtype=bool)
    inside[20:148, 30:] = True
    assert border[~inside].all() and not gaps.any()
    assert border[inside].mean() < 0.08


def test_the_corners_of_a_turned_frame_are_a_border(recorded):
    turned = ndimage.rotate(recorded(), 30, order=1)
    border = parts(turned).border
    assert border[:20, :20].all() and border[-20:, -20:].all()
    assert not border[70:100, 70:100].any()


@pytest.mark.parametrize("value", [0.0, 12.0])
def test_a_dead_cross_is_a_gap(recorded, value):
    image = recorded()
    image[62:66], image[:, 62:66] = value, value
    border, gaps = parts(image)
    assert gaps[62:66].all() and gaps[:, 62:66].all()
    assert gaps.sum() < 1100 and not border.any()


@pytest.mark.parametrize("value", [0.0, 65535.0])
@pytest.mark.parametrize("electrons", [0.02, 1.0])
def test_a_cross_is_a_gap_where_the_dark_field_holds_no_electron(value, electrons):
    """Of a counting camera: the zeros of the cross go over into those about the disk, and a mark is no saturation."""
    row, column = np.indices((160, 160))
    disk = np.where(np.hypot(row - 80, column - 76) < 40, 100 * electrons, 0.001)
    image = np.random.default_rng(2).poisson(disk).astype(np.float32)
    assert not parts(image).gaps.any()
    image[78:82], image[:, 78:82] = value, value
    gaps = parts(image).gaps
    assert gaps[78:82].all() and gaps[:, 78:82].all()
    assert gaps.sum() == 8 * 160 - 16


def test_lines_that_a_mask_hides_are_no_gaps(recorded):
    image = recorded()
    used = np.ones(image.shape, dtype=bool)
    used[60:64, 1:] = False
    assert not constant_parts(image, used).gaps.any()


def test_a_dead_block_and_a_hot_cluster(recorded):
    image = recorded()
    image[50:55, 60:66], image[80:84, 30:34] = 0, 65535
    gaps = parts(image).gaps
    assert gaps[50:55, 60:66].all() and gaps[80:84, 30:34].all()
    assert gaps.sum() == 46


def test_zeros_of_few_electrons_and_a_saturated_disk_are_none(recorded):
    sparse = np.random.default_rng(1).poisson(0.3, (128, 128)).astype(np.float32)
    cut = np.minimum(recorded(), 400)
    for image in (sparse, cut):
        border, gaps = parts(image)
        assert not border.any() and not gaps.any()
