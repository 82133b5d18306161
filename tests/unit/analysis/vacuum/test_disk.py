import numpy as np
import pytest

from pacbed.analysis.vacuum.disk import fit_disk


@pytest.fixture(scope="module")
def found(vacuum):
    return fit_disk(
        vacuum(ellipse_percent=(1.2, -0.7), edge_px=1.3, shading=(0.06, -0.03), background=12.0, electrons=2e6)
    )


def test_place_and_size_are_found_to_a_fraction_of_a_pixel(found):
    assert found.center_px == (pytest.approx(70.3, abs=0.02), pytest.approx(84.6, abs=0.02))
    assert found.radius_px == pytest.approx(35.0, abs=0.02)
    assert 0 < found.radius_std_px < 0.05


def test_distortion_edge_and_shading_are_found(found):
    assert found.ellipse_percent == (pytest.approx(1.2, abs=0.1), pytest.approx(-0.7, abs=0.1))
    assert found.edge_px == pytest.approx(1.3, abs=0.1)
    assert found.shading_percent == (pytest.approx(6, abs=1), pytest.approx(-3, abs=1))


def test_the_beam_is_counted_without_the_background(found):
    assert found.counts == pytest.approx(2e6, rel=3e-3)
    assert found.background == pytest.approx(12.0, abs=0.1)


@pytest.mark.parametrize("electrons", [2e4, 2e6])
def test_the_misfit_of_a_disk_is_noise(vacuum, electrons):
    disk = fit_disk(vacuum(electrons=electrons))
    assert disk.misfit == pytest.approx(disk.noise, rel=0.1)
    assert disk.misfit_beyond_noise < 0.1


def test_a_large_disk_is_fitted_on_coarser_pixels(vacuum):
    disk = fit_disk(vacuum(frame=((420, 430), (211.2, 205.7)), radius_px=120.0, edge_px=2.0))
    assert disk.radius_px == pytest.approx(120.0, abs=0.1)
    assert disk.center_px == (pytest.approx(211.2, abs=0.1), pytest.approx(205.7, abs=0.1))
    assert disk.counts == pytest.approx(2e6, rel=5e-3)


def test_a_specimen_leaves_more_than_noise(camera):
    assert fit_disk(camera()).misfit_beyond_noise > 0.12


def test_the_distortion_is_that_of_a_mirrored_image_mirrored(vacuum):
    image = vacuum(ellipse_percent=(1.0, 2.0))
    there, back = fit_disk(image), fit_disk(image[:, ::-1])
    np.testing.assert_allclose(back.ellipse_percent, np.array(there.ellipse_percent) * (1, -1), atol=0.02)
