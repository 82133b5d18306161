"""Tables are made in a process of their own."""

import subprocess
import sys

from pacbed.service.workers.prepare import main


def test_a_bundle_with_a_table_is_ready_at_once(tiny_bundle_file):
    command = [sys.executable, "-m", "pacbed.service.workers.prepare", str(tiny_bundle_file)]
    assert subprocess.run(command, check=True, capture_output=True).stderr == b""


def test_what_is_none_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("os.nice", lambda by: by)
    (tmp_path / "x.pacbed").write_bytes(b"no bundle")
    assert main([str(tmp_path / "x.pacbed")]) == 2
    assert capsys.readouterr().err.startswith("error: bundle ")
