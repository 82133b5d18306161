from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from pacbed.errors import ParameterError
from pacbed.evaluation.advice.figure import check_picture, draw_advice


def test_a_picture_shows_the_errors(advice, tmp_path):
    for name, noise in (("one", (2.0, 1.0, 4.0)), ("other", (2.0, 1.0, 0.4))):
        draw_advice(advice(noise), tmp_path / f"{name}.png")
    one, other = (iio.imread(tmp_path / f"{name}.png") for name in ("one", "other"))
    assert one.shape[1] > 1200 and len(np.unique(one.reshape(-1, one.shape[-1]), axis=0)) > 50
    assert one.shape == other.shape and (one != other).any()


def test_infinite_errors_are_left_out(advice, tmp_path):
    draw_advice(advice((2.0, 1.0, np.inf), mistilt=(np.inf, 2.0, 1.0)), tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 10_000


@pytest.mark.parametrize(("suffix", "start"), [("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_other_formats_follow_the_suffix_and_repeat(advice, tmp_path, suffix, start):
    draw_advice(advice(), tmp_path / f"a.{suffix}")
    assert (tmp_path / f"a.{suffix}").read_bytes().startswith(start)
    assert [file.name for file in tmp_path.iterdir()] == [f"a.{suffix}"]


def test_another_suffix_is_refused():
    with pytest.raises(ParameterError, match=r"^out: got 'a.jpg', accepted: a file name that ends in .png"):
        check_picture(Path("a.jpg"))
