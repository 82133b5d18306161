from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.evaluation.degraded.optics import camera_tail, signal_of
from pacbed.evaluation.degraded.settings import Blur, Degradation, Light, View, Wave
from pacbed.evaluation.degraded.specimens import Parts

PLAIN = Degradation(View(pixels=64, radius_px=16.0), Blur(gaussian_mrad=0.3), Light())


class Flat:
    """A specimen that scatters nothing elastically into anything but its disk, and half of the beam evenly."""

    mean = PatternParameters(20.0, (0.0, 0.0), (0.0, 0.0), 1.0, 0.0, 14.0, 0.0)
    blur_mrad = 0.3

    def image(self, geometry):
        inside = np.hypot(*geometry.angles_mrad()) <= self.mean.convergence_mrad
        area = geometry.pixel_mrad**2
        return Parts(0.5 * inside * area / (np.pi * 14.0**2), np.full(geometry.shape, 1e-4 * area))


def changed(stage, **values):
    return replace(PLAIN, **{stage: replace(getattr(PLAIN, stage), **values)})


def test_the_truth_is_where_the_disk_lies():
    how = changed("view", shift=(0.1, -0.05), rotation_deg=30.0)
    truth, image = signal_of(Flat(), how)
    assert truth.center_px == (31.5 + 6.4, 31.5 - 3.2)
    assert (truth.pixel_mrad, truth.rotation_deg) == (14.0 / 16, 30.0)
    row, column = np.indices(image.shape)
    bright = image > 0.5 * image.max()
    assert (column[bright].mean(), row[bright].mean()) == pytest.approx(truth.center_px, abs=0.3)
    assert np.sqrt(bright.sum() / np.pi) == pytest.approx(16.0, abs=0.4)


def test_an_ellipse_stretches_one_axis_and_shrinks_the_other():
    truth, image = signal_of(Flat(), changed("view", pixels=128, radius_px=40.0, ellipse=(0.03, 0.0)))
    bright = image > 0.5 * image.max()
    wide, high = bright.any(axis=0).sum(), bright.any(axis=1).sum()
    assert wide / high == pytest.approx(1.06, abs=0.02)
    assert truth.ellipse_percent == (3.0, 0.0)  # as a fit says it


def test_vacuum_is_the_beam_itself():
    """All of it: the whole beam in the disk, evenly."""
    image = signal_of(Flat(), changed("light", vacuum=1.0)).image
    assert image.sum() == pytest.approx(1.0, abs=0.01)
    middle = image[26:38, 26:38]
    assert np.ptp(middle) < 1e-3 * middle.mean()
    half = signal_of(Flat(), changed("light", vacuum=0.5)).image
    np.testing.assert_allclose(half, 0.5 * (image + signal_of(Flat(), PLAIN).image), rtol=1e-9)


@pytest.mark.parametrize("blur", [{"plasmons": 1.2}, {"gaussian_mrad": 2.0}])
def test_smearing_keeps_the_electrons_and_softens_the_rim(blur):
    sharp, soft = signal_of(Flat(), PLAIN).image, signal_of(Flat(), changed("blur", **blur)).image
    assert soft.sum() == pytest.approx(sharp.sum(), rel=0.02)
    step = [np.abs(np.diff(image[32])).max() for image in (sharp, soft)]
    assert step[1] < 0.9 * step[0]


def test_more_plasmons_smear_more():
    peak = [signal_of(Flat(), changed("blur", plasmons=p)).image for p in (0.0, 0.3, 1.5)]
    beyond = [image[32, 54:].sum() for image in peak]  # 5 to 9 mrad beside the disk
    assert beyond[0] < beyond[1] < beyond[2]


def test_shading_and_waves_multiply():
    plain = signal_of(Flat(), PLAIN).image
    shaded = signal_of(Flat(), changed("light", shading=(0.1, 0.0, 0.0))).image / plain
    assert (shaded[:, 0].mean(), shaded[:, -1].mean()) == pytest.approx((0.9, 1.1))
    wavy = signal_of(Flat(), changed("light", waves=(Wave(0.3, 1.0, 0.0, 0.0),))).image - plain
    corner = wavy[:8]
    assert corner.max() > 0 > corner.min()
    assert signal_of(Flat(), changed("light", diffuse=2.0)).image.sum() > plain.sum()


def test_wide_pixels_are_sums_of_narrow_ones():
    """A disk of four pixels has as many electrons as one of sixteen."""
    few = signal_of(Flat(), changed("view", pixels=16, radius_px=4.0)).image
    many = signal_of(Flat(), PLAIN).image
    np.testing.assert_allclose(few, many.reshape(16, 4, 16, 4).sum(axis=(1, 3)), atol=0.06 * few.max())


def test_the_camera_spreads_what_it_counts():
    counts = np.zeros((41, 41))
    counts[20, 20] = 100.0
    seen = camera_tail(counts, Blur(tail_share=0.2, tail_px=3.0))
    assert seen.sum() == pytest.approx(100.0, rel=0.03)
    assert 80 < seen[20, 20] < 82
    assert seen[20, 23] > seen[20, 26] > 0
    assert camera_tail(counts, Blur()) is counts
