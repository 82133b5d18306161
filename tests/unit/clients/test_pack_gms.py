"""The folder for GMS: complete, importable, the same each time."""

import subprocess
import sys
import zipfile
from pathlib import Path

CLIENTS = Path(__file__).parents[3] / "clients"


def packed(folder):
    command = [sys.executable, CLIENTS / "pack_gms.py", folder / "new" / "client.zip"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def test_the_archive_is_a_folder_that_python_can_use(tmp_path):
    archive = packed(tmp_path)
    assert [path.name for path in archive.parent.iterdir()] == ["client.zip"]
    with zipfile.ZipFile(archive) as found:
        assert {name.split("/")[0] for name in found.namelist()} == {"pacbed-gms-client"}
        found.extractall(tmp_path)
    folder = tmp_path / "pacbed-gms-client"
    assert sorted(path.name for path in folder.iterdir()) == ["INSTALL.md", "LICENSE", "PACBED.s", "pacbed_client"]
    code = "sys.path[:0] = sys.argv[1:]; import pacbed_client.gms, pacbed_client; print(pacbed_client.__file__)"
    command = [sys.executable, "-S", "-c", f"import sys; sys.path += {sys.path!r}; {code}", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env={})
    assert done.stdout.strip() == str(folder / "pacbed_client" / "__init__.py")


def test_the_same_files_make_the_same_archive(tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    assert packed(tmp_path / "a").read_bytes() == packed(tmp_path / "b").read_bytes()


def test_what_people_read_is_for_their_editors_and_says_what_was_not_tried(tmp_path):
    with zipfile.ZipFile(packed(tmp_path)) as found:
        for name in ("INSTALL.md", "PACBED.s"):
            text = found.read(f"pacbed-gms-client/{name}")
            assert text.count(b"\r\n") == text.count(b"\n") > 20
            assert b"not been run in GMS" in text
