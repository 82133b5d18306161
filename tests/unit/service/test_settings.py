"""Settings: from a file and the command line, refused where they would open the service to others."""

import pytest

from pacbed.errors import ConfigError
from pacbed.service.settings import Settings, is_loopback, load_settings, without_password


def test_the_command_line_counts_before_the_file(tmp_path):
    (tmp_path / "service.yaml").write_text("port: 9000\nworkers: 3\nlimits: {at_once: 7}\n")
    settings = load_settings(tmp_path / "service.yaml", {"port": 9001, "host": None})
    assert (settings.port, settings.workers, settings.limits.at_once, settings.host) == (9001, 3, 7, "127.0.0.1")
    assert load_settings(None, {}).port == 8230


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "pc7.institute.example"])
def test_open_to_the_network_is_refused(host):
    with pytest.raises(ConfigError, match=r"open: got true together with a host that others reach"):
        load_settings(None, {"host": host, "open": True})
    assert not is_loopback(host)
    assert load_settings(None, {"host": host}).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_open_on_this_machine_is_accepted(host):
    assert load_settings(None, {"host": host, "open": True}).open


@pytest.mark.parametrize(
    ("text", "said"),
    [("port: 99999", "port: got 99999"), ("colour: red", "colour"), ("[1]", "no fields"),
     ("limits: {queue: 0}", "queue"),
     ("{", "cannot be read"), ("limits: {seconds: .inf}", "seconds")],
)  # fmt: skip
def test_bad_settings_are_one_line(tmp_path, text, said):
    (tmp_path / "service.yaml").write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        load_settings(tmp_path / "service.yaml", {})
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(tmp_path / "none.yaml", {})


def test_hosts_and_the_deny_list():
    settings = Settings(hosts=["pacbed.institute.example"], deny=["10.1.0.0/16", "mallory", "::5"])
    for host in ("localhost:8230", "127.0.0.1", "[::1]:8230", "Pacbed.Institute.example:80", "localhost"):
        assert settings.accepts_host(host)
    for host in ("evil.example", "", "localhost.evil.example:8230", "evil.example:127.0.0.1"):
        assert not settings.accepts_host(host)
    assert settings.denies("mallory", None) and settings.denies("", "10.1.2.3") and settings.denies("", "::5")
    assert not settings.denies("alice", "10.2.0.1") and not settings.denies("", None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"servers": 2}, r"counters: got 'memory://' together with servers: 2, accepted: redis://"),
        ({"servers": 0}, "servers: got 0"),
        ({"proxies": ["*"]}, r"proxies: got \['\*'\], accepted: addresses, and networks such as"),
        ({"proxies": ["10.1.2.3/16"]}, "proxies: got"),
        ({"open": True, "proxies": ["127.0.0.1"]}, "open: got true together with proxies"),
    ],
)
def test_several_servers_and_proxies_are_refused_where_they_would_do_harm(given, said):
    with pytest.raises(ConfigError, match=said):
        load_settings(None, given)


def test_several_servers_and_proxies():
    settings = load_settings(None, {"servers": 2, "counters": "redis://h", "proxies": ["10.1.0.0/16", "::1"]})
    assert settings.servers == 2 and settings.sqlite_file == settings.home / "service.sqlite"
    assert Settings(database="postgresql+psycopg://user:word@host/name").sqlite_file is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [("redis://:s3/c@ret@h:1/0", "redis://:***@h:1/0"), ("postgresql://u:s@h/d", "postgresql://u:***@h/d"),
     ("sqlite:////a/b@c", "sqlite:////a/b@c"), ("memory://", "memory://")],
)  # fmt: skip
def test_passwords_are_not_shown(url, shown):
    assert without_password(url) == shown
