"""Pictures that somebody worked on: grey levels that are no counts, averages over a symmetry."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.analysis.picture.examine import Picture
from pacbed.analysis.verdicts.findings import Findings
from pacbed.analysis.verdicts.processing import judge_processing
from pacbed.outline import Outline


def counted(electrons=20.0, readout=0.0, seed=0):
    """A flat disk and its dark field as a camera counts them, shape (160, 160)."""
    rng, (row, column) = np.random.default_rng(seed), np.indices((160, 160))
    inside = np.hypot(column - 80, row - 80) < 40
    return rng.poisson(np.where(inside, electrons, 0.1 * electrons)) + rng.normal(0, readout, inside.shape)


def equalised(array):
    return np.searchsorted(np.sort(array.ravel()), array) / array.size


def seen(array, used=None):
    used = np.ones(array.shape, dtype=bool) if used is None else used
    findings = Findings()
    outline = Outline((80.0, 80.0), 40.0, 4.0, 1.0)
    judge_processing(findings, Picture(array.astype(np.float32), used, outline, {}, 0.0, 0.0))
    return findings


@pytest.mark.parametrize("picture", [equalised(counted()), np.log(1 + counted(200.0))])
def test_grey_levels_that_are_no_counts_are_doubtful(picture):
    findings = seen(picture)
    assert findings.verdict == "doubtful"
    assert "times as strong beside the disk" in findings.reasons[0]


@pytest.mark.parametrize("picture", [counted(), counted(0.05), counted(readout=50.0), np.sqrt(counted(200.0))])
def test_counts_and_the_noise_of_a_camera_are_not(picture):
    assert seen(picture).reasons == []


def test_saturated_pixels_are_no_quiet_disk():
    picture = np.minimum(counted(readout=1.0), 15)
    assert seen(picture, used=picture < 15).verdict == "ok"


AVERAGES = {
    "turned by 180°": lambda image: (image + image[::-1, ::-1]) / 2,
    "turned by 90°": lambda image: (image + np.rot90(image) + np.rot90(image, 2) + np.rot90(image, 3)) / 4,
    "mirrored": lambda image: (image + image[::-1]) / 2,
    "mirrored left to right": lambda image: (image + image[:, ::-1]) / 2,
}


@pytest.mark.parametrize("levels", [None, 255])
@pytest.mark.parametrize("shift", [(0, 0), (0, 1), (1, 0)])
@pytest.mark.parametrize("name", AVERAGES)
def test_averages_over_a_symmetry_are_doubtful(name, shift, levels):
    """Whether the centre is a pixel's or a corner's, in floating point or grey levels of eight bits."""
    image = AVERAGES[name](counted()[: 160 - shift[0], : 160 - shift[0]])
    image = np.roll(image, (-shift[1], shift[1]), axis=(0, 1))
    findings = seen(image if levels is None else np.round(levels / image.max() * image))
    assert findings.verdict == "doubtful"
    assert "is itself, noise included" in findings.reasons[0]


def test_a_rendered_pattern_may_be_its_own_image():
    row, column = np.indices((160, 160)) - 79.5
    smooth = (1 + 0.3 * np.cos(row / 4) * np.cos(column / 4)) / (1 + np.exp(np.hypot(row, column) - 40))
    for image in (smooth, np.round(255 * smooth)):
        assert seen(image).reasons == []


def test_half_a_symmetry_of_the_frame_is_a_recording():
    """A camera repeats its dark level, and a fourth of the electrons may be alike by chance."""
    image = counted(200.0)
    assert seen(0.75 * image + 0.25 * image[::-1, ::-1]).reasons == []
