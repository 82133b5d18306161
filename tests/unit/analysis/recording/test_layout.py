import numpy as np
import pytest

from pacbed.analysis.recording.layout import Layout, find_layout
from pacbed.analysis.recording.stored import Axis, StoredImage
from pacbed.errors import PatternError


def image(shape, axes=()):
    return StoredImage(np.zeros(shape, np.uint8), tuple(axes))


def units(*texts):
    return [Axis(unit=text, scale=1.0) for text in texts]


def flags(*scans):
    return [Axis(scan=scan) for scan in scans]


def names(*texts):
    return [Axis(name=text) for text in texts]


FRONT, BACK = Layout((2, 3), (0, 1)), Layout((0, 1), (2, 3))
SHAPE = (64, 65, 34, 33)


@pytest.mark.parametrize(
    ("axes", "layout"),
    [
        ([], BACK),
        (units("nm", "nm", "1/nm", "1/nm"), BACK),
        (units("mrad", "mrad", "nm", "nm"), FRONT),
        (units("1/Å", "1/Å", "", ""), FRONT),
        (units("", "", "nm", "nm"), FRONT),
        (units("nm", "nm", "nm", "nm"), BACK),
        (flags(False, False, True, True), FRONT),
        (flags(True, True, False, False), BACK),
        (flags(False, False, False, False), BACK),
        (names("Qx", "Qy", "Rx", "Ry"), FRONT),
        (names("ky", "kx", "y", "x"), FRONT),
        (names("k_y", "k_x", "scan_y", "scan_x"), FRONT),
        (names("R_x", "R_y", "Q_x", "Q_y"), BACK),
        (names("y", "x", "scan_y", "scan_x"), FRONT),
        (names("y", "x", "height", "width"), BACK),
        (names("dp_y", "dp_x", "y", "x"), FRONT),
        (names("theta_y", "theta_x", "y", "x"), FRONT),
        (names("signal y", "signal x", "navigation y", "navigation x"), FRONT),
        (names("y", "x", "position_y", "position_x"), FRONT),
        (names("position_y", "position_x", "y", "x"), BACK),
    ],
)
def test_units_names_and_flags_tell_scan_from_pattern(axes, layout):
    assert find_layout(image(SHAPE, axes), "film") == layout


@pytest.mark.parametrize(
    ("axes", "layout"),
    [
        (names("x", "y", "ky", "kx"), Layout((1, 0), (2, 3))),
        (names("scan_y", "scan_x", "detX", "detY"), Layout((0, 1), (3, 2))),
        (names("kx", "ky", "X", "Y"), Layout((3, 2), (1, 0))),
        (names("Rx", "R_y", "Qx", "Qy"), BACK),
        (names("index", "energy", "kx", "qy"), BACK),
    ],
)
def test_rows_are_y_by_their_names(axes, layout):
    assert find_layout(image((64, 65, 64, 65), axes), "film") == layout


def test_one_pattern_needs_no_telling():
    assert find_layout(image((40, 48)), "film") == Layout((), (0, 1))
    assert find_layout(image((1, 1, 40, 48), flags(True, True, False, False)), "film") == BACK
    assert find_layout(image((40, 48, 1)), "film") == Layout((2,), (0, 1))
    assert find_layout(image((1, 40, 1, 48)), "film") == Layout((0, 2), (1, 3))


def test_a_series_of_frames_may_lie_along_any_axis():
    assert find_layout(image((5, 40, 48)), "film") == Layout((0,), (1, 2))
    assert find_layout(image((40, 48, 5), units("mrad", "mrad", "s")), "film") == Layout((2,), (0, 1))
    assert find_layout(image((40, 5, 48), flags(False, True, False)), "film") == Layout((1,), (0, 2))


CONTRARY = [Axis("Qx", "1/nm", 1.0, True), Axis("Qy", "1/nm", 1.0, True), Axis(scan=False), Axis(scan=False)]


def test_a_contradiction_is_asked_and_the_scan_shape_answers():
    with pytest.raises(PatternError) as caught:
        find_layout(image(SHAPE, CONTRARY), "film.hspy")
    assert str(caught.value) == (
        "scan_shape: got none for film.hspy (64 x 65 x 34 x 33), whose units and names make axes 0 and 1 (64 x 65) the "
        "pattern but whose flags make axes 2 and 3 (34 x 33) the pattern, accepted: rows and columns of the scan that "
        "leave one of the two"
    )
    assert find_layout(image(SHAPE, CONTRARY), "film", scan_shape=(34, 33)) == FRONT
    assert find_layout(image(SHAPE, CONTRARY), "film", scan_shape=(64, 65)) == BACK


def test_a_scan_shape_that_settles_nothing_is_refused():
    with pytest.raises(PatternError, match=r"scan_shape: got 64 x 64 for film"):
        find_layout(image((64, 64, 64, 64), CONTRARY), "film", scan_shape=(64, 64))
    with pytest.raises(PatternError, match=r"scan_shape: got 5 x 5 for film"):
        find_layout(image(SHAPE, CONTRARY), "film", scan_shape=(5, 5))


def test_a_scan_shape_counts_where_nobody_says_anything():
    assert find_layout(image(SHAPE), "film", scan_shape=(34, 33)) == FRONT
    assert find_layout(image(SHAPE), "film", scan_shape=(64, 65)) == BACK


@pytest.mark.parametrize("shape", [(40, 48, 2), (64, 64, 3, 3)])
def test_short_last_axes_are_no_pattern_and_are_asked_about(shape):
    with pytest.raises(PatternError, match=r"too short for a pattern, accepted: .*--scan-shape.*--frame"):
        find_layout(image(shape), "film")
    assert find_layout(image(shape), "film", framed=True).pattern == (0, 1)


@pytest.mark.parametrize("scans", [(True, True, False), (False, True, True), (True, True, True, False)])
def test_spectra_are_no_patterns_and_are_asked_about(scans):
    spectra = image(SHAPE[: len(scans)], flags(*scans))
    with pytest.raises(PatternError, match=r"scan_shape: got none .*makes one axis alone the signal.*or one frame"):
        find_layout(spectra, "a.hspy")
    if len(scans) == 3:
        assert find_layout(spectra, "a.hspy", framed=True) == Layout((0,), (1, 2))
    assert find_layout(image((1, 64, 65), flags(True, True, False)), "a.hspy") == Layout((0,), (1, 2))
