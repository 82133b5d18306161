"""The dialog's calls against a real service: the Python text of the dialog is run as it stands."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from pacbed_client import lookup
from pacbed_client.gms import run
from pacbed_client.gms.calls import CALLS
from pacbed_client.gms.front import CONVERGENCE, VOLTAGE

from tests.unit.clients.conftest import ANGLE, ASKED
from tests.unit.clients.gms.stand_in import DigitalMicrograph

CLIENTS = Path(__file__).parents[4] / "clients"
DIALOG = (CLIENTS / "gms" / "PACBED.s").read_text(encoding="ascii")
CODE = "".join(
    part.encode("ascii").decode("unicode_escape") for part in re.findall(r'code \+= "((?:[^"\\]|\\.)*)"\n', DIALOG)
)
FILLED = {"asked:bundle": "tiny", "asked:voltage_kv": "200", "asked:convergence_mrad": f"{ANGLE:g}"}


@pytest.fixture
def dm(server):
    """GMS with the setup done."""
    return DigitalMicrograph(**{"PACBED:setup:service": str(server.home.parent / "url")})


def call(dm, name, **more):
    """What DM-Script does; the state and the error."""
    dm.tags.update({"PACBED:call": name, "PACBED:answer:state": "", "PACBED:answer:error": ""})
    dm.tags.update({f"PACBED:{key}": value for key, value in more.items()})
    run(dm)
    return dm.tags["PACBED:answer:state"], dm.tags["PACBED:answer:error"]


@pytest.fixture
def read(dm, pattern):
    """GMS with a pattern that was read."""
    image = dm.open(pattern.copy(), "film µ", calibration=[(0.0, 0.4, "mrad")] * 2)
    image.tags.update({VOLTAGE: 200e3, CONVERGENCE[0]: ANGLE})
    assert call(dm, "read image") == ("done", "")
    return image


def test_bundles_are_listed_with_what_they_are_for(dm):
    dm.tags["PACBED:image:id"] = "12"  # of a session before
    assert call(dm, "list bundles") == ("done", "")
    assert dm.tags["PACBED:bundles:count"] == "1" and dm.tags["PACBED:bundles:name 1"] == "tiny"
    assert re.fullmatch(r"\S+ \[0 0 1\] 200 kV, 1[34]-15 mrad \(tiny\)", dm.tags["PACBED:bundles:label 1"])
    assert dm.tags["PACBED:image:id"] == ""


def test_what_the_image_says_is_filled_in(dm, read):
    tags = dm.tags
    assert (tags["PACBED:image:voltage_kv"], tags["PACBED:image:convergence_mrad"]) == ("200", f"{ANGLE:g}")
    assert tags["PACBED:image:pixel_mrad"] == "0.4" and tags["PACBED:image:note"] == ""
    assert tags["PACBED:image:label"] == "film u, 150 x 160 pixels"


def test_what_the_image_does_not_say_is_told(dm, pattern):
    dm.open(pattern)
    assert call(dm, "read image") == ("done", "")
    assert dm.tags["PACBED:image:note"] == "not in its tags: voltage_kv, convergence_mrad, pixel_mrad"
    assert dm.tags["PACBED:image:voltage_kv"] == ""


def test_the_thickness_is_that_of_the_service(dm, read, service, pattern, capsys):
    dm.open(pattern * 0, "another image in front of it")
    assert call(dm, "look up", **FILLED, **{"asked:pixel_mrad": "0.4"}) == ("done", "")
    found = lookup(pattern, service, energy_kev=200, pixel_mrad=0.4, **ASKED)
    assert dm.tags["PACBED:answer:line 1"] == f"{found.thickness_nm:.1f} +/- {found.std_nm:.1f} nm, {found.verdict}"
    assert capsys.readouterr().out.startswith("film u.npy: ")
    channels = [dm.FindImageByID(int(dm.tags[f"PACBED:answer:{colour}"])) for colour in ("red", "green", "blue")]
    np.testing.assert_array_equal(np.stack([one.array for one in channels], axis=-1), found.sheet())
    assert channels[0].tags["PACBED:Thickness (nm)"] == pytest.approx(found.thickness_nm, rel=1e-6)
    np.testing.assert_array_equal(read.array, pattern)
    assert read.tags == {VOLTAGE: 200e3, CONVERGENCE[0]: ANGLE}  # nothing of the user's is changed


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"image:id": ""}, "image: got none, accepted: a pattern; read the front image first"),
        ({"asked:bundle": ""}, "crystal: got none, accepted: one of the list"),
        ({"asked:voltage_kv": ""}, "voltage: got none"),
        ({"asked:convergence_mrad": ""}, "convergence: got none"),
        ({"asked:convergence_mrad": "13,7"}, "convergence_mrad: got '13,7', accepted: a number such as 13.7"),
        ({"asked:pixel_mrad": "-1"}, "pixel_mrad: got -1.0, accepted: a number above 0"),
        ({"asked:bundle": "tny"}, "the service answers 404: bundle: got 'tny'"),
        ({"image:id": "77"}, "image: got one that was closed or renamed"),
        ({"setup:service": "no file"}, "token file: no file cannot be read"),
        ({"setup:service": "http://127.0.0.1:1"}, "http://127.0.0.1:1: nobody answers there"),
        ({"setup:ca_file": "none.pem"}, "ca_file: got none.pem"),
    ],
)
def test_failures_are_sentences_and_show_nothing(dm, read, asked, said):
    state, error = call(dm, "look up", **{**FILLED, **asked})
    assert state == "failed" and said in error
    assert dm.shown == [read] and "PACBED:answer:line 1" not in dm.tags


def test_a_fault_of_the_client_ends_no_dialog(dm, monkeypatch, capsys):
    monkeypatch.setattr(DigitalMicrograph, "GetFrontImage", lambda dm: 3)
    state, error = call(dm, "read image")
    assert state == "failed" and error.startswith("the client is at fault (AttributeError")
    assert "Traceback" in capsys.readouterr().out
    assert call(dm, "dance")[1] == "call: got 'dance', accepted: list bundles, read image, look up"


# The dialog, as far as it can be checked without GMS


def test_the_python_of_the_dialog_runs_where_gms_runs_it(dm, monkeypatch, tmp_path):
    """Without sys.argv and __file__, with the client in a folder that only the tags name."""
    assert CODE.count("\n") == 8
    monkeypatch.setitem(sys.modules, "DigitalMicrograph", dm)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if Path(path).resolve() != CLIENTS / "src"])
    for name in [name for name in sys.modules if name.partition(".")[0] == "pacbed_client"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(sys, "argv")
    folder = tmp_path / "Jörg"
    folder.symlink_to(CLIENTS / "src")
    dm.tags.update({"PACBED:setup:folder": str(folder), "PACBED:call": "list bundles"})
    exec(compile(CODE, "<string>", "exec"), {})
    assert dm.tags["PACBED:answer:state"] == "done" and sys.path[0] == str(folder)
    exec(compile(CODE, "<string>", "exec"), {})
    assert sys.path.count(str(folder)) == 1


def test_nothing_that_somebody_types_becomes_code():
    lines = [line.strip() for line in DIALOG.splitlines() if "code" in line and not line.strip().startswith("//")]
    assert lines[0] == 'string code = ""' and lines[-1] == "ExecutePythonScriptString( code )"
    assert all(re.fullmatch(r'code \+= "(?:[^"\\]|\\.)*"', line) for line in lines[1:-1])
    assert DIALOG.count("ExecutePythonScriptString") == 1 and "ExecuteScriptString" not in DIALOG


def test_the_dialog_and_the_client_know_the_same_tags(dm, read):
    assert call(dm, "list bundles")[0] == "done"
    dm.tags["PACBED:image:id"] = str(read.number)
    assert call(dm, "look up", **FILLED, **{"asked:pixel_mrad": ""})[0] == "done"
    read_by_dialog = {name.rstrip() for name in re.findall(r'PacbedGet\( "([^"]*?)\d*"', DIALOG)}
    known = {re.sub(r" ?\d+$", "", name.replace("PACBED:", "", 1)) for name in dm.tags}
    assert read_by_dialog - {"setup:folder"} <= known
    assert set(re.findall(r'PacbedCall\( "([^"]*)" \)', DIALOG)) == set(CALLS)
    assert set(FILLED) | {"asked:pixel_mrad"} == {
        name for name in re.findall(r'PacbedPut\( "([^"]*)"', DIALOG) if name.startswith("asked:")
    }


def test_the_dialog_is_whole():
    """Brackets close in order, texts end in their lines, and no letter is one that GMS reads as another."""
    bare = re.sub(r"//.*", "", re.sub(r'"(?:[^"\\\n]|\\.)*"', "S", DIALOG))
    assert '"' not in bare
    closing, waiting = {")": "(", "}": "{", "]": "["}, []
    for letter in bare:
        if letter in "({[":
            waiting.append(letter)
        elif letter in closing:
            assert waiting.pop() == closing[letter]
    assert waiting == []
