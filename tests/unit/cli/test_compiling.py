import numba
import pytest

from pacbed.cli.compiling import NOTICE, compilation_announced


@pytest.fixture
def compiled():
    """Function that makes a loop, not yet compiled, of a module of a name."""

    def make(module):
        def double(number):
            return 2 * number

        double.__module__ = module
        return numba.njit(double)

    return make


def test_the_first_compilation_is_announced_once(compiled, capsys):
    first, second = compiled("pacbed.somewhere"), compiled("pacbed.elsewhere")
    with compilation_announced():
        assert first(2) == 4
        assert second(2.5) == 5.0
    out, err = capsys.readouterr()
    assert (out, err) == ("", NOTICE + "\n")


def test_what_is_compiled_already_is_not_announced(compiled, capsys):
    loop = compiled("pacbed.somewhere")
    loop(2)
    with compilation_announced():
        loop(3)
    assert capsys.readouterr().err == ""


def test_loops_of_other_packages_are_their_own_business(compiled, capsys):
    with compilation_announced():
        compiled("elsewhere")(2)
    assert capsys.readouterr().err == ""


def test_nothing_is_announced_afterwards(compiled, capsys):
    with compilation_announced():
        pass
    compiled("pacbed.somewhere")(2)
    assert capsys.readouterr().err == ""


def test_what_numba_has_in_its_cache_is_not_announced(tmp_path, monkeypatch, capsys):
    """Two dispatchers of one loop: the first compiles and stores it, the second loads it."""
    (tmp_path / "pacbed").mkdir()
    (tmp_path / "pacbed" / "loops.py").write_text("def double(number):\n    return 2 * number\n")
    code = compile((tmp_path / "pacbed" / "loops.py").read_text(), tmp_path / "pacbed" / "loops.py", "exec")
    for expected in (NOTICE + "\n", ""):
        names = {"__name__": "pacbed.loops"}
        exec(code, names)
        loop = numba.njit(cache=True)(names["double"])
        with compilation_announced():
            assert loop(2) == 4
        assert capsys.readouterr().err == expected
