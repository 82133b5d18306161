import pytest

from pacbed import errors
from pacbed.errors import PacbedError, PatternError, bad_value

KINDS = ["ConfigError", "StructureError", "SimulationError", "FormatError", "PatternError", "ParameterError"]


@pytest.mark.parametrize("name", KINDS)
def test_every_error_has_both_bases(name: str) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, PacbedError)
    assert issubclass(kind, ValueError)


def test_bad_value_names_argument_value_and_accepted() -> None:
    error = bad_value("thickness_nm", -1, "a number above 0 [nm]")
    assert isinstance(error, errors.ParameterError)
    assert str(error) == "thickness_nm: got -1, accepted: a number above 0 [nm]"


def test_bad_value_stays_on_one_readable_line() -> None:
    assert len(str(bad_value("pattern", list(range(1000)), "a two-dimensional array"))) < 150


def test_a_long_path_keeps_its_beginning_and_its_end() -> None:
    said = str(bad_value("out", "/data/" + 100 * "x" + "/sheet.svg", "a file ending in .png"))
    assert said.startswith("out: got '/data/xxx") and "xxx/sheet.svg', accepted" in said


def test_what_a_file_says_cannot_command_a_terminal() -> None:
    error = PatternError("a.h5: got '\x1b[2Jdata\nset\u202e', accepted: Å, µ and 漢字")
    assert str(error) == "a.h5: got '?[2Jdata?set?', accepted: Å, µ and 漢字"
