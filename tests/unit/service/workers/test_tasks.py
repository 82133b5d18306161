"""What a worker does with a job: an answer in its folder, or a sentence without a path of this machine."""

import io

import numpy as np
import pytest

from pacbed.analysis.result import read_result
from pacbed.errors import ParameterError
from pacbed.service.workers.job import PID, Job, RawFrame, View
from pacbed.service.workers.tasks import ANSWER, RESULT, SHEET, look_up, render_view, warm_up
from tests.unit.service.conftest import as_npy

OPTIONS = {"convergence_mrad": 14.0, "refine": False}


@pytest.fixture
def job(tiny_bundle_file, tmp_path, pattern):
    def make(content=None, name="film.npy", suffix=".npy", **fields):
        file = tmp_path / "upload" / f"pattern{suffix}"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(as_npy(pattern) if content is None else content)
        return Job(tmp_path, file, name, tiny_bundle_file, tmp_path / "kept", **{"options": OPTIONS, **fields})

    return make


def test_an_answer_with_and_without_a_sheet(job, tmp_path):
    done = look_up(job())
    assert not done.trouble and not done.known and int((tmp_path / PID).read_text()) > 0
    assert read_result(tmp_path / ANSWER / RESULT).verdict in ("ok", "doubtful")
    assert not (tmp_path / ANSWER / SHEET).exists()
    kept = tmp_path / "kept" / done.identity[:2] / done.identity
    kept.parent.mkdir(parents=True)
    (tmp_path / ANSWER).rename(kept)
    assert look_up(job()).known
    assert not look_up(job(sheet=True)).known and (tmp_path / ANSWER / SHEET).is_file()


def test_bytes_without_a_header(job, pattern):
    frame = RawFrame("float32", *pattern.shape)
    assert not look_up(job(pattern.tobytes(), suffix=".raw", raw=frame)).trouble
    short = look_up(job(pattern.tobytes()[:-4], suffix=".raw", raw=frame)).trouble
    assert "film.npy: got 95996 bytes, accepted: those of 160 x 150 pixels of float32" in short


@pytest.mark.parametrize("content", [b"", b"nothing", as_npy(np.zeros((8, 8))), as_npy(np.zeros((64, 64)))])
def test_a_trouble_is_a_sentence_with_the_senders_name(job, tmp_path, content):
    trouble = look_up(job(content, name="<my film>.npy")).trouble
    assert "<my film>.npy" in trouble and str(tmp_path) not in trouble and "pattern.npy" not in trouble
    assert "\n" not in trouble


def test_a_bundle_that_was_replaced_is_not_answered_under_the_old_name(job, tiny_bundle):
    assert "was replaced" in look_up(job(bundle_sha256="0" * 64)).trouble
    assert not look_up(job(bundle_sha256=tiny_bundle.sha256)).trouble


def test_a_view_as_array_and_picture(tiny_bundle_file):
    array = np.load(io.BytesIO(render_view(tiny_bundle_file, View(5.0, 14.0, pixels=24), "npy")))
    assert array.shape == (24, 24) and 0 < array.sum() <= 1.001
    assert render_view(tiny_bundle_file, View(5.0, 14.0, pixels=24), "png").startswith(b"\x89PNG")
    with pytest.raises(ParameterError):
        render_view(tiny_bundle_file, View(1e4, 14.0), "npy")


def test_warming_up_answers_a_pattern(tiny_bundle_file):
    assert warm_up(tiny_bundle_file) in ("ok", "doubtful", "refused")
