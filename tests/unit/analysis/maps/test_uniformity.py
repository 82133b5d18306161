import pytest

from pacbed.analysis.maps.uniformity import uniformity, window_of_a_cell


def test_one_position_averages_nothing_and_many_average_all(tiny_table):
    cell = uniformity(tiny_table, 1, 0.1).cell_nm
    assert uniformity(tiny_table, 1, 0.1).worst == pytest.approx(1.0)
    assert uniformity(tiny_table, 1, 0.1).mean == pytest.approx(1.0)
    many = uniformity(tiny_table, 200, 0.13 * cell)
    assert many.worst < 0.05 and many.window_nm == pytest.approx(26 * cell)


def test_steps_of_a_whole_cell_never_average(tiny_table):
    """Every position of such a scan stands at the same place of its cell."""
    cell = uniformity(tiny_table, 1, 0.1).cell_nm
    assert uniformity(tiny_table, 10, cell).worst == pytest.approx(1.0, abs=0.02)


def test_a_window_that_is_said_to_be_enough_is_enough(tiny_table):
    step = 0.2 * uniformity(tiny_table, 1, 0.1).cell_nm
    enough = uniformity(tiny_table, 1, step).enough
    assert uniformity(tiny_table, enough, step).worst <= 0.1
    assert all(uniformity(tiny_table, less, step).worst > 0.1 for less in range(1, enough))


def test_a_cell_is_as_many_positions_as_cover_it(tiny_table):
    cell = uniformity(tiny_table, 1, 0.1).cell_nm
    assert window_of_a_cell(tiny_table, cell) == 1
    assert window_of_a_cell(tiny_table, cell / 4) == 4
    assert window_of_a_cell(tiny_table, cell / 3.5) == 4
