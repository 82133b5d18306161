"""What a worker draws for the pages."""

from __future__ import annotations

import imageio.v3 as iio
import numpy as np
import pytest

from pacbed.analysis.report.comparison.candidate import Wanted
from pacbed.service.workers import views
from pacbed.service.workers.job import Job
from pacbed.service.workers.tasks import ANSWER, COMPARISON, look_up


@pytest.fixture(scope="module")
def job(tiny_bundle_file, camera, tmp_path_factory):
    """A pattern that was answered with a sheet."""
    folder = tmp_path_factory.mktemp("views")
    np.save(folder / "pattern.npy", camera())
    made = Job(
        folder, folder / "pattern.npy", "film.npy", tiny_bundle_file, folder / "kept", {"convergence_mrad": 14.0},
        sheet=True,
    )  # fmt: skip
    assert not look_up(made).trouble
    return made


@pytest.fixture(scope="module")
def thickness_nm(job):
    from pacbed.analysis.result import read_result

    return read_result(job.folder / ANSWER / "result.json").thickness_nm.value


def test_an_answer_with_a_sheet_keeps_what_candidates_need(job, thickness_nm):
    drawn = views.candidate(job.bundle, job.folder / ANSWER / COMPARISON, Wanted(convergence_mrad=14.2))
    assert drawn.place.thickness_nm == pytest.approx(thickness_nm) and drawn.place.convergence_mrad == 14.2
    assert iio.imread(drawn.content).ndim == 3 and not drawn.trouble


def test_what_is_kept_can_be_made_later(job, thickness_nm, tmp_path):
    drawn = views.comparison(job, thickness_nm)
    (tmp_path / COMPARISON).write_bytes(drawn.content)
    files = (job.folder / ANSWER / COMPARISON, tmp_path / COMPARISON)
    first, again = (views.candidate(job.bundle, file, Wanted(thickness_nm=5.0)) for file in files)
    assert first.content == again.content and first.place == again.place


def test_files_are_drawn_with_the_senders_name(job, thickness_nm):
    assert views.sheet(job, thickness_nm, ".pdf").content.startswith(b"%PDF-")
    assert views.sheet(job, thickness_nm, ".png").content.startswith(b"\x89PNG")
    match = iio.imread(views.best_match(job, thickness_nm).content, extension=".tif")
    assert match.shape == (160, 150) and match.dtype == np.float32


@pytest.mark.parametrize("other", [None, 5.0])
def test_an_answer_that_another_version_gave_is_not_mixed_with_this_one(job, other):
    for drawn in (views.comparison(job, other), views.sheet(job, other, ".pdf"), views.best_match(job, other)):
        assert drawn.content == b"" and "film.npy: answered by another version" in drawn.trouble


def test_errors_are_sentences(job, tmp_path):
    assert "thickness_nm" in views.candidate(job.bundle, job.folder / ANSWER / COMPARISON, Wanted(-1.0)).trouble
    assert "no comparison" in views.candidate(job.bundle, job.folder / "pattern.npy", Wanted()).trouble
    (tmp_path / "pattern.npy").write_bytes(b"x")
    broken = Job(tmp_path, tmp_path / "pattern.npy", "film.npy", job.bundle, tmp_path)
    trouble = views.glance(broken).trouble
    assert "film.npy" in trouble and str(tmp_path) not in trouble


def test_a_glance_says_what_is_there(job):
    seen = views.glance(job).seen
    assert seen.shape == (160, 150) and seen.png.startswith(b"\x89PNG")
