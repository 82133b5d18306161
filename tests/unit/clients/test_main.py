"""`python -m pacbed_client`: lines, files and status, as of `pacbed predict`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pacbed_client.__main__ import main

CLIENTS = Path(__file__).parents[3] / "clients" / "src"
WHAT = ["--bundle", "tiny", "--convergence-mrad", "14"]


@pytest.fixture(scope="module")
def film(pattern, tmp_path_factory):
    file = tmp_path_factory.mktemp("main") / "film.npy"
    np.save(file, pattern)
    return file


@pytest.fixture
def asked(server, film):
    """Arguments that work."""
    return [str(film), "--service", f"{server.url}/?token={server.token}", *WHAT]


def test_a_program_of_its_own_prints_one_line(server, film, tmp_path):
    words = [film, "--service", server.home.parent / "url", *WHAT, "--out", tmp_path]
    environment = {**os.environ, "PYTHONPATH": str(CLIENTS), "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-W", "error", "-m", "pacbed_client", *words]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.startswith("film.npy: ") and " ? " in done.stdout and done.stdout.count("\n") == 1
    assert done.stderr == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.json", "film.png", "film.zip"]


def test_json_is_the_result(asked, capsys):
    assert main([*asked, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["system"] == "tiny" and result["provenance"]["input"] == "film.npy"


def test_options_reach_the_service(asked, capsys):
    assert main([*asked, "--json", "--no-refine", "--not-mirrored", "--energy-kev", "200", "--pixel-mrad", "0.4"]) == 0
    used = json.loads(capsys.readouterr().out)["provenance"]["parameters"]
    given = used["given"]
    assert used["refined"] is False and given["mirrored"] is False
    assert given["pixel_mrad"] == 0.4 and given["energy_kev"] == 200


def test_the_worst_of_several_is_the_status(asked, film, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("no pattern")
    assert main([asked[0], str(tmp_path / "notes.txt"), *asked]) == 2
    printed = capsys.readouterr()
    assert printed.out.count("film.npy: ") == 2
    assert printed.err.startswith("error: notes.txt: the service answers 422: ") and printed.err.count("\n") == 1


def test_a_refused_pattern_is_status_one(asked, tmp_path, capsys):
    noise = np.random.default_rng(1).poisson(50, (160, 150)).astype(np.uint16)
    np.save(tmp_path / "noise.npy", noise)
    status = main([str(tmp_path / "noise.npy"), *asked[1:], "--json"])
    assert json.loads(capsys.readouterr().out)["verdict"] == "refused" and status == 1


def test_nothing_is_replaced(asked, tmp_path, capsys):
    (tmp_path / "film.png").write_bytes(b"mine")
    for _ in range(2):
        assert main([*asked, "--out", str(tmp_path)]) == 0
    assert (tmp_path / "film.png").read_bytes() == b"mine"
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"film.png", *(f"film-{number}{end}" for number in (2, 3) for end in (".json", ".png", ".zip"))}


def test_what_was_done_to_the_pattern_is_told(server, asked, large_pattern, tmp_path, capsys):
    np.save(tmp_path / "large.npy", large_pattern)
    assert main([str(tmp_path / "large.npy"), *asked[1:], "--no-refine"]) in (0, 1)
    assert "large.npy: binned 3 x 3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--service", "none.txt", *WHAT], "token file: none.txt cannot be read"),
        (["--service", "http://127.0.0.1:1"], "bundle: got none"),
        (["--service", "http://127.0.0.1:1", *WHAT, "--timeout-s", "0"], "timeout_s: got 0"),
        (["--service", "http://127.0.0.1:1", *WHAT, "--ca-file", "none"], "ca_file: got none"),
        (["--service", "http://127.0.0.1:1", *WHAT], "film.npy: http://127.0.0.1:1: nobody answers there"),
    ],
)
def test_refusals_are_one_line(film, words, said, capsys):
    assert main([str(film), *words]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("error: ") and said in printed.err and printed.err.count("\n") == 1
    assert printed.out == ""


def test_words_that_mean_nothing_are_status_two(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["film.npy", "--thickness", "3"])
    assert caught.value.code == 2
