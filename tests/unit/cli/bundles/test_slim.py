"""`pacbed slim` takes the table out and leaves what it is made of; bad input is one line."""

import zipfile

from pacbed.cli import run


def test_the_table_goes_and_the_rest_stays(tiny_bundle_file, tmp_path, capsys):
    out = tmp_path / "thin.pacbed"
    assert run(["slim", str(tiny_bundle_file), "--out", str(out)]) == 0
    assert capsys.readouterr().out.startswith(f"{out}: ")
    with zipfile.ZipFile(tiny_bundle_file) as whole, zipfile.ZipFile(out) as thin:
        gone, left = set(whole.namelist()) - set(thin.namelist()), set(thin.namelist())
    assert any(name.startswith("rocking.zarr/") for name in gone)
    assert {"bundle.json", "thickness.onnx", "structure/slices.npz"} <= left
    assert not any(name.startswith("rocking.zarr/") for name in left)


def test_an_unknown_name_is_one_line(tmp_path, capsys):
    assert run(["slim", "no-such-bundle", "--out", str(tmp_path / "thin.pacbed")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: bundle: got 'no-such-bundle'")
    assert len(error.splitlines()) == 1
    assert not list(tmp_path.iterdir())
