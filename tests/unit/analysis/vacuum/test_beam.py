import numpy as np
import pytest

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.vacuum.beam import clipped_pixels, read_beam
from pacbed.errors import ParameterError, PatternError

SHAPE = (160, 150)


@pytest.fixture
def stored(vacuum, tmp_path):
    """Function that stores an array, or a vacuum pattern, and returns the options that name it."""

    def store(array=None, **more):
        np.save(tmp_path / "vacuum.npy", vacuum() if array is None else array)
        return PredictOptions(vacuum=tmp_path / "vacuum.npy", **more)

    return store


def test_without_a_vacuum_pattern_there_is_no_beam():
    assert read_beam(PredictOptions(), SHAPE) is None


def test_counts_are_those_of_the_patterns_exposure(stored):
    beam = read_beam(stored(exposure_ratio=2.5, zero_loss_nm=(110.0, 10.0)), SHAPE)
    assert beam.counts == pytest.approx(2.5 * 2e6, rel=5e-3)
    assert (beam.source, beam.zero_loss_nm) == ("vacuum.npy", (110.0, 10.0))


@pytest.mark.parametrize("level", [0.6, 0.95, 1.05])
def test_a_saturated_disk_is_refused_whatever_the_type(stored, vacuum, level):
    """At the ceiling of a converter of few bits, within a type of many."""
    array = vacuum()
    ceiling = np.floor(level * np.median(array[array > array.max() / 2]))
    with pytest.raises(ParameterError, match=r"vacuum: got 'vacuum.npy', accepted: a pattern without saturated pixels"):
        read_beam(stored(np.minimum(array, ceiling)), SHAPE)


@pytest.mark.parametrize("electrons", [3e3, 1e5, 1e8])
def test_no_noise_is_taken_for_a_ceiling(vacuum, electrons):
    assert [clipped_pixels(vacuum(electrons=electrons, seed=seed)) for seed in range(6)] == [0] * 6


def test_the_ceiling_of_an_integer_type_is_saturation(stored, vacuum):
    array = np.minimum(vacuum(electrons=1.2e6), 255).astype(np.uint8)
    with pytest.raises(ParameterError, match="saturated"):
        read_beam(stored(array), SHAPE)


@pytest.mark.parametrize("background", [0.0, 20.0])
def test_defects_of_the_camera_are_repaired_and_a_dark_field_is_none(stored, vacuum, background):
    array = vacuum(background=background)
    array[40, 60], array[100, 80] = 60000, np.nan
    array[:, 90] = 0  # a dead column, also in a dark field without a count
    beam = read_beam(stored(array), SHAPE)
    assert beam.counts == pytest.approx(2e6, rel=5e-3)
    assert beam.disk.radius_px == pytest.approx(35.0, abs=0.05)


def test_hot_pixels_of_one_value_are_no_saturation(stored, vacuum):
    array = vacuum(background=3.0)
    array[[20, 50, 90, 120], [30, 70, 40, 100]] = 65535
    assert read_beam(stored(array), SHAPE).counts == pytest.approx(2e6, rel=5e-3)


def test_the_gap_of_a_detector_of_several_chips_is_no_specimen(stored, vacuum):
    array = vacuum()
    array[78:82], array[:, 73:77] = 0, 0
    assert read_beam(stored(array), SHAPE).disk.radius_px == pytest.approx(35.0, abs=0.1)


def test_a_mask_hides_the_beam_stop_in_it_as_well(stored, vacuum):
    array, mask = vacuum(background=3.0), np.zeros(SHAPE, dtype=bool)
    mask[80:88, :75] = True
    array[mask] = 1.0
    assert read_beam(stored(array), SHAPE, mask).disk.radius_px == pytest.approx(35.0, abs=0.1)
    with pytest.raises(ParameterError, match="is a specimen in it"):
        read_beam(stored(array), SHAPE)


def test_another_camera_mode_is_refused(stored):
    with pytest.raises(ParameterError, match=r"a pattern of the same camera: \(80, 75\), not \(160, 150\) pixels"):
        read_beam(stored(), (80, 75))


def test_a_pattern_of_a_specimen_is_refused(stored, camera):
    with pytest.raises(ParameterError, match=r"a bare disk: .*is a specimen in it\?"):
        read_beam(stored(camera()), SHAPE)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(PatternError, match=r"vacuum: .*nowhere"):
        read_beam(PredictOptions(vacuum="nowhere.tif"), SHAPE)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"exposure_ratio": 0.0}, "exposure_ratio: got 0.0"),
        ({"exposure_ratio": float("nan")}, "exposure_ratio: got nan"),
        ({"zero_loss_nm": (-1.0, 0.0)}, "zero_loss: got"),
        ({"zero_loss_nm": (100.0, 100.0)}, "zero_loss: got"),
    ],
)
def test_numbers_that_cannot_be_are_refused(stored, more, named):
    with pytest.raises(ParameterError, match=named):
        read_beam(stored(**more), SHAPE)


@pytest.mark.parametrize("more", [{"zero_loss_nm": (100.0, 5.0)}, {"exposure_ratio": 2.0}])
def test_what_refers_to_a_vacuum_pattern_needs_one(more):
    with pytest.raises(ParameterError, match="vacuum: got None"):
        read_beam(PredictOptions(**more), SHAPE)
