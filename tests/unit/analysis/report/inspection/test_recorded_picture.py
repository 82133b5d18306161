import numpy as np
import pytest
from matplotlib.image import imread

from pacbed.analysis.report.inspection.recorded import look_at
from pacbed.analysis.report.inspection.recorded_picture import check_picture, draw_recorded
from pacbed.errors import ParameterError


@pytest.mark.parametrize("scan", [False, True])
def test_the_picture_shows_the_pattern_and_for_a_scan_its_brightness(camera, tmp_path, scan):
    image = camera()
    image[40, 40] = np.nan
    np.save(tmp_path / "film.npy", np.stack([image, 2 * image]) if scan else image)
    draw_recorded(look_at(tmp_path / "film.npy"), tmp_path / "look.png")
    height, width, _ = imread(tmp_path / "look.png").shape
    assert width == pytest.approx((3 if scan else 2) * height, rel=0.01)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.npy", "look.png"]


def test_repaired_pixels_change_the_picture(camera, tmp_path):
    pictures = []
    for name, value in (("good", None), ("bad", np.nan)):
        image = camera()
        if value is not None:
            image[100:103, 20] = value
        np.save(tmp_path / "film.npy", image)
        draw_recorded(look_at(tmp_path / "film.npy"), tmp_path / f"{name}.png")
        pictures.append(imread(tmp_path / f"{name}.png"))
    lime = [np.sum((picture[..., 1] > 0.9) & (picture[..., 0] < 0.2) & (picture[..., 2] < 0.2)) for picture in pictures]
    assert lime[0] == 0 < lime[1]


def test_names_that_are_no_new_picture_are_refused(tmp_path):
    check_picture(tmp_path / "a.SVG")
    (tmp_path / "a.png").touch()
    for name in ("a.png", "a.tif"):
        with pytest.raises(ParameterError, match=r"^out: got"):
            check_picture(tmp_path / name)
