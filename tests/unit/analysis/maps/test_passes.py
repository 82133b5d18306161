import numpy as np
import pytest

from pacbed.analysis.maps import passes
from pacbed.analysis.maps.answer import VERDICTS, WindowAnswer
from pacbed.analysis.maps.passes import (
    KeptAnswers,
    MapAnswers,
    MapPasses,
    beside_vacuum,
    standing_out,
)
from pacbed.analysis.maps.tasks import close_all
from pacbed.analysis.maps.windows import Place
from pacbed.evaluation.scans.wedge import CRYSTAL, HOLE


def test_the_map_of_a_wedge_is_the_wedge(answers, wedge):
    """Thickness within its bar, tilts in the frame of the patterns, descan, and the hole."""
    crystal = wedge.kind == CRYSTAL
    error = (answers.values("thickness_nm") - wedge.thickness_nm)[crystal]
    std = answers.values("thickness_std_statistical_nm")[crystal]
    assert np.median(np.abs(error)) < 0.15 and np.max(np.abs(error)) < 0.6
    assert np.mean(np.abs(error) < 2.5 * std) > 0.9
    for axis, name in enumerate(("x", "y")):
        tilt = (answers.values(f"mistilt_{name}_mrad") - wedge.mistilt_mrad[..., axis])[crystal]
        place = (answers.values(f"center_{name}_px") - wedge.center_px[..., axis])[crystal]
        assert np.median(np.abs(tilt)) < 0.15 and np.max(np.abs(place)) < 0.5
        assert np.mean(np.abs(tilt) < 2.5 * answers.values(f"mistilt_{name}_std_mrad")[crystal]) > 0.85
    assert (answers.values("verdict")[wedge.kind == HOLE] == VERDICTS.index("vacuum")).all()
    assert np.isnan(answers.values("thickness_nm")[wedge.kind == HOLE]).all()


def test_constants_are_those_of_the_scan(constants):
    assert constants.fits >= 8
    assert constants.pixel_mrad == pytest.approx(0.7, rel=0.01)
    assert constants.convergence_mrad == pytest.approx(13.8, abs=0.15)
    assert constants.rotation_deg % 90 == pytest.approx(17.0, abs=1.0)
    assert 0 <= constants.thickness_std_nm < 0.2


def test_windows_beside_a_hole_are_fitted_in_full(answers, wedge):
    """Only a full fit tells how much of a window is vacuum."""
    edge = beside_vacuum(answers)
    assert edge and all(wedge.kind[place] == CRYSTAL for place in edge)
    shares = answers.values("vacuum_share")
    assert np.isfinite([shares[place] for place in edge]).all()
    assert np.isnan(shares[0, 0])


def test_a_window_with_more_structure_left_than_its_neighbours_stands_out():
    """A wrong basin leaves fringes; a whole grain of another crystal does as well, a hole does not."""
    found = MapAnswers((6, 6))
    for row in range(6):
        for column in range(6):
            found.answers[Place(row, column)] = WindowAnswer(chi_square=1.1 + 0.05 * row, verdict="ok")
    assert standing_out(found) == []
    found.answers[Place(2, 3)] = WindowAnswer(chi_square=2.5, verdict="ok")
    found.answers[Place(5, 5)] = WindowAnswer(chi_square=9.0, verdict="vacuum")
    found.answers[Place(0, 0)] = WindowAnswer(verdict="unusable")
    assert standing_out(found) == [Place(2, 3)]


def test_a_wrong_basin_is_left_again(tiny_bundle, source, wedge, tmp_path, monkeypatch, answers):
    """A window whose first answer is far off is fitted anew, and the better answer stays."""
    wrong = Place(1, 1)
    real = passes.run_task

    def misled(task):
        done = real(task)
        if task.constants is not None and task.starts < passes.MORE_STARTS:
            bad = WindowAnswer(thickness_nm=1.0, misfit=0.9, chi_square=9.0, verdict="refused")
            done = [one._replace(answer=bad) if one.place == wrong else one for one in done]
        return done

    monkeypatch.setattr(passes, "run_task", misled)
    kept = KeptAnswers(tmp_path / "kept.jsonl", {})
    found = MapPasses(source, wedge.kind.shape, tiny_bundle.table.rotation_period_deg, None, kept).run()
    close_all()
    assert found.again >= 1
    assert found.answers[wrong].thickness_nm == pytest.approx(answers.answers[wrong].thickness_nm, abs=0.05)


class Killed(BaseException):
    """What no handler of errors catches."""


def test_a_run_that_was_stopped_goes_on(tiny_bundle, source, wedge, answers, tmp_path, monkeypatch):
    """What was answered is not asked again, and the map is the same; a file made for another map is begun anew."""
    real, period, file = passes.run_task, tiny_bundle.table.rotation_period_deg, tmp_path / "kept.jsonl"
    asked: list[tuple[bool, Place]] = []

    def counted(task):
        asked.extend((task.constants is None, place) for place in task.places)
        return real(task)

    def stopped(task):
        if len(asked) > 30:
            raise Killed
        return counted(task)

    monkeypatch.setattr(passes, "run_task", stopped)
    with pytest.raises(Killed):
        MapPasses(source, wedge.kind.shape, period, None, KeptAnswers(file, {"map": 1})).run()
    before, asked[:] = set(asked), []
    assert len(before) > 12
    with file.open("a") as stream:
        stream.write('{"stage": "qui')  # half a line
    monkeypatch.setattr(passes, "run_task", counted)
    again = MapPasses(source, wedge.kind.shape, period, None, KeptAnswers(file, {"map": 1})).run()
    close_all()
    assert not before & set(asked)
    for name in ("thickness_nm", "misfit", "verdict"):
        np.testing.assert_array_equal(again.values(name), answers.values(name))
    monkeypatch.setattr(passes, "MOST_EDGE", 0)  # from what was kept: no window is asked about again
    many = MapPasses(source, wedge.kind.shape, period, None, KeptAnswers(file, {"map": 1})).run()
    close_all()
    edge = beside_vacuum(many)
    assert edge and all(many.answers[place].verdict == "doubtful" for place in edge)
    assert all("too many" in many.answers[place].reasons[-1] for place in edge)
    assert not before & set(asked)
    assert KeptAnswers(file, {"map": 2}).of("quick") == {}


def test_a_map_that_no_window_explains_is_full_of_holes(tiny_bundle, tmp_path):
    from pacbed.analysis.maps.tasks import MapSource
    from pacbed.analysis.options import PredictOptions

    np.save(tmp_path / "dark.npy", np.zeros((5, 6, 32, 32), np.uint8))
    source = MapSource(tiny_bundle.path, tmp_path / "dark.npy", PredictOptions(convergence_mrad=14.0), 1, "dark")
    kept = KeptAnswers(tmp_path / "kept.jsonl", {})
    found = MapPasses(source, (5, 6), tiny_bundle.table.rotation_period_deg, None, kept).run()
    close_all()
    assert found.constants is None and len(found.answers) == 30
    assert (found.values("verdict") == VERDICTS.index("unusable")).all()
    assert all(answer.reasons for answer in found.answers.values())
