"""Seats of servers on one home: as many as are set, each with its number, all with one token."""

import json
import stat
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from pacbed.errors import ConfigError
from pacbed.service.seats import SCRATCH, filesystem_of, taken_seat, write_secret
from pacbed.service.settings import Settings

KILLED = """
import os, sys
from pathlib import Path
from pacbed.service.seats import taken_seat
from pacbed.service.settings import Settings
with taken_seat(Settings(home=Path(sys.argv[1]), servers=2, counters="redis://x")) as seat:
    print(seat.number, flush=True)
    os.kill(os.getpid(), 9)
"""


def several(home, servers=3, counters="redis://x", **settings):
    return Settings(home=home, servers=servers, counters=counters, **settings)


def test_a_second_server_is_refused_unless_two_are_set(tmp_path):
    with taken_seat(Settings(home=tmp_path)) as seat:
        assert seat.number == 1
        with pytest.raises(ConfigError, match=r"servers: got 1, accepted: more than the 1 that run on"):
            taken_seat(Settings(home=tmp_path)).__enter__()
    with taken_seat(Settings(home=tmp_path)) as again:
        assert again.number == 1 and again.token != seat.token


def test_those_that_run_share_the_token_and_have_numbers_of_their_own(tmp_path):
    with taken_seat(several(tmp_path)) as one:
        with taken_seat(several(tmp_path)) as two, taken_seat(several(tmp_path)) as three:
            assert (one.number, two.number, three.number) == (1, 2, 3)
            assert one.token == two.token == three.token
        with taken_seat(several(tmp_path)) as later:
            assert later == two
    with taken_seat(several(tmp_path)) as new:
        assert new.token != one.token


@pytest.mark.parametrize("changed", [{"counters": "redis://y"}, {"database": "postgresql+psycopg://h/d"}])
def test_servers_that_count_or_keep_elsewhere_do_not_join(tmp_path, changed):
    with taken_seat(several(tmp_path)), pytest.raises(ConfigError, match=r"database, counters: got others than"):
        taken_seat(several(tmp_path, **changed)).__enter__()
    with taken_seat(several(tmp_path, **changed)) as alone:
        assert alone.number == 1


def test_what_killed_servers_left_is_cleared_and_what_others_use_is_not(tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path], capture_output=True, text=True)
    assert done.returncode == -9 and done.stdout == "1\n", done.stderr
    scratch = tmp_path / SCRATCH
    for name in ("1-a", "2-b", "0f" * 16):  # the last as earlier versions had it
        (scratch / name).mkdir()
    with taken_seat(several(tmp_path)) as one:
        assert one.number == 1 and list(scratch.iterdir()) == []
        for name in ("1-a", "2-b"):
            (scratch / name).mkdir()
        with taken_seat(several(tmp_path)):
            assert [left.name for left in scratch.iterdir()] == ["1-a"]


def test_the_token_of_a_start_is_for_its_owner_alone(tmp_path):
    path = tmp_path / "url"
    path.write_text("old")
    path.chmod(0o644)
    write_secret("http://x/?token=y", path)
    assert path.read_text() == "http://x/?token=y" and stat.S_IMODE(path.stat().st_mode) == 0o600
    with taken_seat(several(tmp_path)) as seat:
        start = tmp_path / "servers" / "start.json"
        assert json.loads(start.read_text())["token"] == seat.token and stat.S_IMODE(start.stat().st_mode) == 0o600
        start.write_text("{")
        with pytest.raises(ConfigError, match=r"start.json: missing or damaged"):
            taken_seat(several(tmp_path)).__enter__()


def test_sqlite_on_the_network_is_for_one_server(tmp_path, monkeypatch):
    """As a machine with a network folder lists its file systems."""
    mount = namedtuple("mount", ["mountpoint", "fstype"])
    mounts = [mount("/", "ext4"), mount(str(tmp_path), "nfs4"), mount(str(tmp_path / "local"), "xfs")]
    monkeypatch.setattr("psutil.disk_partitions", lambda all: mounts)
    assert filesystem_of(tmp_path / "a" / "b") == "nfs4" and filesystem_of(tmp_path / "local") == "xfs"
    with pytest.raises(ConfigError, match=r"database: got SQLite in a folder of the network \(.*, nfs4\)"):
        taken_seat(several(tmp_path)).__enter__()
    for settings in (
        Settings(home=tmp_path),
        several(tmp_path, database=f"sqlite:///{tmp_path / 'local' / 'x.sqlite'}"),
        several(tmp_path, database="postgresql+psycopg://h/d"),
    ):
        with taken_seat(settings):
            pass


def test_the_file_system_of_this_folder_is_known(tmp_path):
    assert filesystem_of(tmp_path) in Path("/proc/mounts").read_text()
