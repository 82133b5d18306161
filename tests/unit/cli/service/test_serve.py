"""`pacbed serve`: refusals before anything is started."""

import pytest

from pacbed.cli import run


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0", "--open"], "open: got true together with a host that others reach"),
        (["--port", "99999"], "port: got 99999"),
        (["--port", "x"], "got 'x', accepted: a whole number"),
        (["--workers", "0"], "workers: got 0"),
        (["--config", "/nothing.yaml"], "config: /nothing.yaml cannot be read"),
    ],
)
def test_a_start_that_is_refused_is_one_line(options, said, tmp_path, capsys):
    assert run(["serve", "--home", str(tmp_path / "home"), *options]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
    assert not (tmp_path / "home").exists()


def test_an_installation_without_the_extra_says_what_to_install(monkeypatch, capsys, tmp_path):
    import sys

    for name in [name for name in sys.modules if name.startswith("pacbed.service.server")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert run(["serve", "--home", str(tmp_path)]) == 2
    assert "pip install 'pacbed[service]'" in capsys.readouterr().err
