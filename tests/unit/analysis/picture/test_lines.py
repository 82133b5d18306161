import numpy as np
import pytest

from pacbed.analysis.picture import lines


def defective_lines(image, used=None):
    return lines.defective_lines(image, np.ones(image.shape, dtype=bool) if used is None else used)


def test_a_clean_pattern_has_no_defective_lines(recorded):
    assert not defective_lines(recorded()).any()
    assert not defective_lines(recorded(radius=61.0)).any()
    assert not defective_lines(np.full((64, 64), 7.0)).any()


@pytest.mark.parametrize("value", [65535.0, 0.0])
@pytest.mark.parametrize("row", [False, True])
def test_a_hot_or_dead_column_or_row_is_found(recorded, value, row):
    image = recorded()
    (image.T if row else image)[:, 57] = value
    found = defective_lines(image)
    found = found.T if row else found
    assert found[:, 57].all()
    assert found.sum() == image.shape[0]


def test_two_lines_side_by_side_and_half_a_line(recorded):
    image = recorded()
    image[:, 80:82] += 300
    image[:64, 30] += 300
    found = defective_lines(image)
    assert found[:, 80:82].all() and found[:64, 30].all()
    assert found.sum() == 2 * 128 + 64


def test_a_line_that_is_dark_only_where_there_is_light(recorded):
    """After the dark level has been taken off."""
    image = recorded(dark=0.0)
    image[:, 66] = 0
    found = defective_lines(image)
    lit = recorded(dark=0.0)[:, 64] > 250
    assert found[lit, 66].mean() > 0.9
    assert not found[:, :60].any()


def test_a_line_of_which_little_is_used_is_judged_by_that(recorded):
    image, used = recorded(), np.zeros((128, 128), dtype=bool)
    image[:, 57] += 400
    used[40:80] = True
    found = defective_lines(np.where(used, image, 100.0), used)
    assert found[40:80, 57].all()
    used[:] = False
    used[60:66] = True
    assert not defective_lines(np.where(used, image, 100.0), used).any()


@pytest.mark.parametrize("column", [510, 511, 512, 515])
def test_lines_of_a_large_frame_are_found_wherever_its_bands_end(recorded, column):
    image = np.tile(recorded(), (1, 5))
    assert not defective_lines(image).any()
    image[:, column] = 65535.0
    found = defective_lines(image)
    assert found[:, column].all() and found.sum() == len(image)
