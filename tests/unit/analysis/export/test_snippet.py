import pytest
import yaml

from pacbed.analysis.export.first_guess import FirstGuess
from pacbed.analysis.export.snippet import PROGRAMS, export_snippet
from pacbed.analysis.result import estimate
from pacbed.errors import ParameterError

GUESS = FirstGuess(estimate(30.6, 0.4), estimate(2.5, 0.1), estimate(-1.25, 0.2), source="film.dm4, with a.pacbed")


def comments(text):
    return "\n".join(line for line in text.splitlines() if line.startswith("#"))


def test_ptyrad_gets_keys_of_its_parameter_file():
    read = yaml.safe_load(export_snippet("ptyrad", GUESS, slice_nm=2.0))
    assert read == {
        "init_params": {
            "obj_Nlayer": 15,
            "obj_slice_thickness": 20.4,
            "tilt_source": "simu",
            "tilt_params": {"tilt_type": "all", "init_tilts": [[1.25, -2.5]]},
        }
    }


def test_phaser_gets_keys_of_its_plan():
    read = yaml.safe_load(export_snippet("phaser", GUESS))
    assert read == {
        "slices": {"n": 31, "total_thickness": 306.0},
        "init": {"tilt": {"type": "global", "tilt": [1.25, -2.5]}},
    }


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_comments_say_what_it_is_and_how_patterns_must_lie(program):
    said = comments(export_snippet(program, GUESS))
    assert "from film.dm4, with a.pacbed." in said
    assert "Thickness 30.60 ± 0.40 nm. Mistilt in the image: x 2.50 ± 0.10, y -1.25 ± 0.20 mrad." in said
    assert f"If {PROGRAMS[program].flips} flips" in said and PROGRAMS[program].page in said
    assert "WARNING" not in said and max(map(len, said.splitlines())) <= 120


@pytest.mark.parametrize("program", PROGRAMS)
def test_without_a_direction_there_is_no_tilt_and_it_is_said(program):
    text = export_snippet(program, FirstGuess(estimate(30.6, None), None, None))
    assert "tilt" not in str(yaml.safe_load(text))
    assert "direction of the mistilt is not known" in text and "Thickness 30.60 nm.\n" in text


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_warning_is_passed_on_and_no_text_ends_the_comments(program):
    named = FirstGuess(*[estimate(9.0, 0.1)] * 3, source="a\nslices: 3", warning="doubtful: thin\nobject: 1")
    text = export_snippet(program, named)
    assert "# WARNING: this result is doubtful: thin?object: 1\n" in text
    assert yaml.safe_load(text) == yaml.safe_load(export_snippet(program, FirstGuess(*[estimate(9.0, 0.1)] * 3)))


def test_zero_has_no_sign():
    assert "[[0.000, 0.000]]" in export_snippet("ptyrad", FirstGuess(*[estimate(1e-9, 0.1)] * 3))


def test_another_program_is_refused():
    with pytest.raises(ParameterError, match=r"^export: got 'abtem', accepted: ptyrad or phaser$"):
        export_snippet("abtem", GUESS)
