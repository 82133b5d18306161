"""Addresses, and the files that hold a token."""

import pytest
from pacbed_client.errors import InputError
from pacbed_client.tokens import Address, parse_address, read_token_file

from pacbed.service.server import write_secret


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://127.0.0.1:8230/?token=pacbed_a-b", Address("http://127.0.0.1:8230", "pacbed_a-b")),
        ("http://[::1]:8230/?token=x", Address("http://[::1]:8230", "x")),
        ("https://pacbed.example.org", Address("https://pacbed.example.org")),
        (" https://example.org/pacbed/ \n", Address("https://example.org/pacbed")),
    ],
)
def test_addresses_are_taken_apart(text, address):
    assert tuple(parse_address(text)) == tuple(address)
    assert "pacbed_a-b" not in repr(parse_address(text))


@pytest.mark.parametrize(
    "text",
    ["", "localhost:8230", "ftp://a", "http://", "http://a:b/", "http://a:99999/", "http://me:secret@a/"],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(InputError, match=r"service: got .*accepted: http://HOST:PORT/"):
        parse_address(text)


@pytest.mark.parametrize("text", ["http://a b/", "http://a/\x00", "http://ä/", "http://a\r\nHost: b/?token=secret"])
def test_what_would_not_stay_in_its_line_is_refused_and_no_token_is_told(text):
    with pytest.raises(InputError) as caught:
        parse_address(text)
    assert "secret" not in str(caught.value)


def test_the_file_of_the_service_is_understood(tmp_path):
    write_secret("http://127.0.0.1:8230/?token=pacbed_x\n", tmp_path / "url")
    assert tuple(read_token_file(tmp_path / "url")) == ("http://127.0.0.1:8230", "pacbed_x")
    write_secret("pacbed_x\n", tmp_path / "alone")
    assert tuple(read_token_file(str(tmp_path / "alone"))) == ("", "pacbed_x")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o620])
def test_a_file_that_others_can_read_is_refused(tmp_path, mode):
    (tmp_path / "url").write_text("pacbed_x\n")
    (tmp_path / "url").chmod(mode)
    with pytest.raises(InputError, match=rf"mode {mode:o}.*chmod 600 url") as caught:
        read_token_file(tmp_path / "url")
    assert "pacbed_x" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"one two", b"a\nb", b"\xff\xfe", b"x" * 5000])
def test_a_file_that_holds_something_else_is_refused(tmp_path, content):
    (tmp_path / "url").write_bytes(content)
    (tmp_path / "url").chmod(0o600)
    with pytest.raises(InputError, match="token file"):
        read_token_file(tmp_path / "url")


def test_no_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_token_file(tmp_path / "none")
    with pytest.raises(InputError, match="token file"):
        read_token_file(tmp_path)


def test_on_windows_the_mode_says_nothing(tmp_path, monkeypatch):
    (tmp_path / "url").write_text("pacbed_x\n")
    (tmp_path / "url").chmod(0o644)
    monkeypatch.setattr("pacbed_client.tokens.POSIX", False)
    assert read_token_file(str(tmp_path / "url")).token == "pacbed_x"
