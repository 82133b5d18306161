"""Damaged files of every format, and requests made from the description: no error of the service's own.

The whole counts, 5,000 files and 2,000 requests, are those of benchmarks/service.py.
"""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.unit.service.conftest import asked

# Of the libraries that write the files.
pytestmark = pytest.mark.filterwarnings("ignore")
FILES = runpy.run_path(str(Path(__file__).parents[4] / "benchmarks" / "fuzz_files.py"))
CASES, EXAMPLES = 40, 2
EXCLUDED = "positive_data_acceptance"  # a file made from the description is no pattern


def test_damaged_files(server, client, tmp_path):
    radius = np.hypot(*np.mgrid[-32:32, -31:33])
    pattern = np.random.default_rng(0).poisson(300 * (radius < 20) * (1.2 + np.cos(radius)) + 20).astype(np.uint16)
    workers, statuses = [process.pid for process in server.workers()], []
    for number in range(CASES):
        folder = tmp_path / str(number)
        folder.mkdir()
        case = FILES["make_case"](number, folder, pattern)
        files = [case.path] if case.path.is_file() else sorted(one for one in case.path.rglob("*") if one.is_file())[:1]
        for file in files:
            part = {"file": (file.name, file.read_bytes())}
            answer = client.post("/api/v1/lookups", files=part, data=asked(refine="false"))
            statuses.append(answer.status_code)
            assert answer.status_code in (200, 422), f"{case}: {answer.text}"
            assert "/scratch/" not in answer.text and "Traceback" not in answer.text
    assert {200, 422} == set(statuses)
    assert [process.pid for process in server.workers()] == workers and server.scratch() == []


def test_requests_made_from_the_description(server, client, tmp_path):
    description = client.get("/api/v1/openapi.json").json()
    assert description["openapi"].startswith("3.1")
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/api/v1/openapi.json"]
    command += ["--header", f"Authorization: Bearer {server.token}", "--exclude-checks", EXCLUDED, "--seed", "1"]
    command += ["--max-examples", str(EXAMPLES), "--no-color", "--phases", "coverage,fuzzing"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-6000:]
    assert server.scratch() == []
