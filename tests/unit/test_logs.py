import logging
import subprocess
import sys

import pytest

from pacbed.logs import installed_versions, progress


def run_job(tmp_path, body):
    """Run a job of its own, as Snakemake does; returns the finished process and the text of its log."""
    log = tmp_path / "deep" / "job.log"
    script = tmp_path / "job.py"
    parameters = {"thickness_nm": 12.5, "settings": {"seed": 7}}
    start = f"from pacbed.logs import *\nconfigure_logging({str(log)!r}, {parameters!r})\n"
    script.write_text(start + body)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    return done, log.read_text()


def test_log_of_a_good_job_tells_versions_parameters_and_timing(tmp_path):
    done, log = run_job(tmp_path, "import logging\nlogging.getLogger('pacbed.simulation').info('a message')\n")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "python 3." in log and "numpy" in log
    assert "thickness_nm = 12.5" in log
    assert "seed = 7" in log
    assert "a message" in log
    assert "finished after" in log and "MB" in log


def test_own_error_is_one_line_on_the_terminal_and_a_traceback_in_the_log(tmp_path):
    done, log = run_job(
        tmp_path, "from pacbed.errors import bad_value\nraise bad_value('tilt', -1, 'a number above 0')\n"
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "error: tilt: got -1, accepted: a number above 0"
    assert "Traceback" not in done.stderr
    assert "Traceback" in log and "failed after" in log


def test_unexpected_error_says_its_kind_and_where_the_traceback_lies(tmp_path):
    done, log = run_job(tmp_path, "1 / 0\n")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "error: ZeroDivisionError: division by zero"
    assert str(tmp_path / "deep" / "job.log") in done.stderr
    assert "Traceback" in log


def test_warnings_of_libraries_go_into_the_log_only(tmp_path):
    done, log = run_job(tmp_path, "import warnings\nwarnings.warn('an old function')\n")
    assert "an old function" in log
    assert done.stderr == ""


def test_progress_hands_on_every_item_and_writes_about_ten_lines(caplog):
    with caplog.at_level(logging.INFO, logger="pacbed"):
        assert list(progress(range(95), 95, "rendering")) == list(range(95))
    lines = [record.getMessage() for record in caplog.records]
    assert 10 <= len(lines) <= 11
    assert lines[-1].startswith("rendering: 95 of 95")


@pytest.mark.parametrize("total", [0, 1, 3])
def test_progress_of_short_loops_ends_with_the_last_item(caplog, total):
    with caplog.at_level(logging.INFO, logger="pacbed"):
        assert len(list(progress(range(total), total, "x"))) == total
    assert len(caplog.records) == total


def test_progress_shows_a_bar_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    list(progress(range(4), 4, "rendering"))
    assert "rendering" in capsys.readouterr().err


def test_versions_leave_out_what_is_not_installed(monkeypatch):
    monkeypatch.setattr("pacbed.logs.PACKAGES", ("numpy", "no-such-package"))
    assert set(installed_versions()) == {"python", "numpy"}
