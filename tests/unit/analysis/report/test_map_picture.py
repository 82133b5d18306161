import imageio.v3 as iio
import numpy as np
import pytest

from pacbed.analysis.maps.answer import VERDICTS
from pacbed.analysis.maps.stored import ThicknessMap
from pacbed.analysis.report.map_picture import draw_map

GREY = (204, 204, 204)  # of windows without a believable result


def wedge(shape=(6, 8), refused=(), mistilt=(1.0, 0.5)):
    """Map of a wedge; `refused` lists windows (row, column)."""
    verdict = np.zeros(shape, dtype=np.uint8)
    for window in refused:
        verdict[window] = VERDICTS.index("refused")
    thickness = np.broadcast_to(np.linspace(20.0, 40.0, shape[1]), shape).copy()
    x, y = (np.full(shape, value) for value in mistilt)
    known = {"thickness_nm": thickness, "thickness_std_nm": np.full(shape, 0.5), "misfit": np.full(shape, 0.05)}
    more = {"chi_square": np.full(shape, 1.1), "bright_field": 1 / thickness}
    return ThicknessMap.of(verdict, known | more | {"mistilt_x_mrad": x, "mistilt_y_mrad": y})


@pytest.fixture
def drawn(tmp_path):
    def draw(found, window=2):
        draw_map(found, tmp_path / "new" / "map.png", window=window)
        assert [path.name for path in (tmp_path / "new").iterdir()] == ["map.png"]
        return iio.imread(tmp_path / "new" / "map.png")[..., :3].astype(int)

    return draw


def share(image, colour):
    return float((np.abs(image - colour).max(axis=-1) < 3).mean())


def test_every_refused_window_is_a_grey_hole(drawn):
    """Four holes are four times as much grey as one, and no hole is none."""
    none, one, four = (
        share(drawn(wedge(refused=holes)), GREY) for holes in ([], [(2, 3)], [(2, 3), (0, 0), (5, 7), (4, 1)])
    )
    assert none < 2e-3
    assert one > 2 * none
    assert four - none == pytest.approx(4 * (one - none), rel=0.1)


def test_a_wedge_gets_brighter(drawn):
    """In the first panel, whose colours go from dark blue over green to yellow."""
    image = drawn(wedge())
    row = image[3 * len(image) // 10, : image.shape[1] // 3]
    coloured = row[(np.ptp(row, axis=-1) > 40)]
    levels = coloured @ [0.3, 0.6, 0.1]
    assert levels[: len(levels) // 3].mean() < levels[len(levels) // 3 : len(levels) // 2].mean()


def test_arrows_stand_for_the_mistilt(drawn):
    """Orange arrows in the third panel, none where there is no mistilt known."""
    orange = (255, 140, 26)
    known, unknown = drawn(wedge()), drawn(wedge(mistilt=(np.nan, np.nan)))
    third = slice(2 * known.shape[1] // 3, None)
    inner = slice(known.shape[0] // 8, known.shape[0] // 2)
    assert known.shape == unknown.shape
    assert not np.array_equal(known[:, third], unknown[:, third])
    assert share(known[inner, third], orange) > 1e-3 > share(unknown[inner, third], orange)


def test_a_map_of_holes_alone_is_drawn(drawn):
    verdict = np.full((6, 8), VERDICTS.index("unusable"), dtype=np.uint8)
    assert share(drawn(ThicknessMap.of(verdict, {})), GREY) > 0.1


def test_verdicts_have_their_colours(drawn):
    """Vacuum is no refusal: it is pale, and has a place in the legend."""
    found = wedge(refused=[(0, 0)])
    found.verdict[4:6, 4:8] = VERDICTS.index("vacuum")
    assert share(drawn(found), (219, 231, 245)) > 5e-3


def test_lengths_have_a_scale_bar(tmp_path):
    """Black, on white, in the first panel."""
    for step in (None, 0.5):
        draw_map(wedge(), tmp_path / f"{step}.png", window=2, step_nm=step)
    without, with_bar = (iio.imread(tmp_path / f"{step}.png")[..., :3].astype(int) for step in (None, 0.5))
    height, width = without.shape[:2]
    first = slice(height // 4, height // 2), slice(width // 20, width // 4)
    assert share(with_bar[first], (0, 0, 0)) > share(without[first], (0, 0, 0))


@pytest.mark.parametrize("shape", [(1, 30), (30, 1), (1, 1)])
def test_lines_and_single_windows_are_drawn(drawn, shape):
    assert drawn(wedge(shape), window=1).size > 0
