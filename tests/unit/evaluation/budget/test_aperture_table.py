from dataclasses import replace

import pytest

from pacbed.evaluation.budget.aperture_table import ApertureNumerics


@pytest.fixture(scope="module")
def numerics(srtio3_slices, budget_settings):
    settings = budget_settings({"coarser_pitch": 1.0}, direction_pitch_mrad=0.8)
    return ApertureNumerics.of(srtio3_slices, settings, pixel_mrad=0.5)


def test_the_pitch_is_wider_but_no_wider_than_a_pixel(srtio3_slices, budget_settings):
    def pitch(own, coarser):
        settings = budget_settings({"coarser_pitch": coarser}, direction_pitch_mrad=own)
        return ApertureNumerics.of(srtio3_slices, settings, pixel_mrad=0.5).pitch_mrad

    assert 0.18 < pitch(0.2, 1.0) <= 0.2
    assert 0.36 < pitch(0.2, 2.0) <= 0.4
    assert 0.45 < pitch(0.2, 3.0) <= 0.5
    assert pitch(0.8, 3.0) == pitch(0.8, 1.0)


def test_a_varied_lattice_has_as_many_directions_per_vector(numerics, srtio3_slices, tmp_path):
    smaller = replace(srtio3_slices, cell_a=0.997 * srtio3_slices.cell_a, energy_ev=199e3)
    table = numerics.renderer(smaller, cone_mrad=3.0, thickness_max_nm=2.0, folder=tmp_path / "smaller").table
    own = numerics.renderer(srtio3_slices, cone_mrad=3.0, thickness_max_nm=2.0, folder=tmp_path / "own").table
    assert table.steps == own.steps
    assert not (tmp_path / "own" / "block").exists()


def test_a_finished_table_is_taken_again(numerics, srtio3_slices, tmp_path):
    asked = {"cone_mrad": 2.0, "thickness_max_nm": 2.0, "folder": tmp_path / "table"}
    numerics.renderer(srtio3_slices, **asked)
    written = (tmp_path / "table" / "rocking" / "done.json").stat().st_mtime_ns
    again = numerics.renderer(srtio3_slices, **asked)
    assert (tmp_path / "table" / "rocking" / "done.json").stat().st_mtime_ns == written
    assert again.table.thickness_max_nm >= 2.0
    assert again.mistilt_max_mrad(0.0) == pytest.approx(2.0)
