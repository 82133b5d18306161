"""`pacbed service token`: made, listed, revoked."""

from pacbed.cli import run
from pacbed.service.store.database import open_database
from pacbed.service.store.tokens import Tokens


def test_tokens_of_an_operator(tmp_path, capsys):
    home = ["--home", str(tmp_path)]
    assert run(["service", "token", "add", "alice", "--days", "30", *home]) == 0
    secret = capsys.readouterr().out.strip()
    engine = open_database(f"sqlite:///{tmp_path / 'service.sqlite'}")
    assert Tokens(engine).holder(secret) == "alice"
    assert run(["service", "token", "list", *home]) == 0
    listed = capsys.readouterr().out
    assert listed.startswith("alice: holds, made 20") and ", until 20" in listed and secret not in listed
    assert run(["service", "token", "revoke", "alice", *home]) == 0
    assert Tokens(engine).holder(secret) is None
    engine.dispose()
    assert run(["service", "token", "list", *home]) == 0
    assert "alice: revoked" in capsys.readouterr().out


def test_a_bad_name_is_one_line(tmp_path, capsys):
    assert run(["service", "token", "add", "a b", "--home", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: name: got 'a b'")
    assert run(["service", "token", "revoke", "nobody", "--home", str(tmp_path)]) == 2
