import numpy as np
import pytest

from pacbed.errors import ParameterError
from pacbed.evaluation.advice.question import THICKNESSES, Question, grid_of


def test_the_usual_grid_spans_what_the_bundle_knows(tiny_bundle):
    grid = grid_of(tiny_bundle, Question())
    assert grid.convergence_mrad.tolist() == [13.0, 14.0, 15.0]
    assert grid.thickness_nm[0] == tiny_bundle.meta.thresholds.thin_nm
    assert 9.5 < grid.thickness_nm[-1] < tiny_bundle.table.thickness_max_nm
    assert len(grid.thickness_nm) == THICKNESSES
    sizes = [float(np.hypot(*vector)) for vector in grid.mistilts_mrad]
    assert sizes[:2] == pytest.approx([0.0, 2.0])
    assert 2.0 < sizes[2] <= tiny_bundle.meta.trained.mistilt_mrad[1]  # 4 mrad is more than it knows


def test_what_is_asked_for_is_taken(tiny_bundle):
    grid = grid_of(tiny_bundle, Question(1e5, (4.0, 7.0), 1.5))
    assert grid.thickness_nm[[0, -1]].tolist() == [4.0, 7.0]
    assert [float(np.hypot(*vector)) for vector in grid.mistilts_mrad] == pytest.approx([1.5, 1.5])


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (Question(electrons=0.0), "electrons: got 0.0, accepted: a number above 0"),
        (Question(electrons=float("nan")), "electrons: got nan"),
        (Question(electrons=float("inf")), "electrons: got inf"),
        (Question(thickness_nm=(1.0, 5.0)), r"thickness_nm: got \(1.0, 5.0\), accepted: A-B with 3 <= A < B <= 10"),
        (Question(thickness_nm=(4.0, 11.0)), "thickness_nm"),
        (Question(thickness_nm=(6.0, 5.0)), "thickness_nm"),
        (Question(thickness_nm=(5.0, 5.0)), "thickness_nm"),
        (Question(thickness_nm=(float("nan"), 5.0)), "thickness_nm"),
        (Question(mistilt_mrad=-1.0), r"mistilt_mrad: got -1.0, accepted: 0 to \d\.\d \[mrad\]"),
        (Question(mistilt_mrad=9.0), "mistilt_mrad"),
        (Question(mistilt_mrad=float("nan")), "mistilt_mrad"),
    ],
)
def test_what_the_bundle_cannot_answer_is_refused(tiny_bundle, question, text):
    with pytest.raises(ParameterError, match=rf"^{text}"):
        grid_of(tiny_bundle, question)
