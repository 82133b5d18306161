import numpy as np
import tifffile
from matplotlib.image import imread

from pacbed.evaluation.degraded.answers import Found, Row
from pacbed.evaluation.degraded.contact_sheet import COLUMNS, Shown, caption, draw_contact_sheet
from pacbed.evaluation.degraded.figures import Judged


def failure(number):
    found = Found("ok", (), 49.7, 0.9, misfit=0.21)
    return Judged(Row(number, "stray spot", 0, 24.6, (0.0, 0.0), 1e5, 1.0, {}, found), found)


def test_a_caption_says_what_was_and_what_was_found():
    text = caption(failure(7))
    assert text.split("\n") == ["7 stray spot, 1e+05 e", "true 24.6, found 49.7 ± 0.9 nm", "ok, misfit 0.21"]
    none = failure(8)._replace(found=Found("error"))
    assert "found none nm" in caption(none)


def test_every_failure_has_its_picture(tmp_path):
    shown = []
    for number in range(COLUMNS + 1):
        picture = np.zeros((40, 40), dtype=np.uint16)
        picture[10:30, 10:30] = 1000 + number
        tifffile.imwrite(tmp_path / f"{number}.tif", picture)
        shown.append(Shown(failure(number), tmp_path / f"{number}.tif"))
    draw_contact_sheet(shown, tmp_path / "many.png", title="all")
    draw_contact_sheet(shown[:1], tmp_path / "one.png", title="one")
    many, one = (imread(tmp_path / f"{name}.png") for name in ("many", "one"))
    assert many.shape[0] > 1.5 * one.shape[0]
    assert many.shape[1] > one.shape[1] > many.shape[1] / 3  # one picture leaves room for a title
    assert many[..., 0].std() > 0.1
