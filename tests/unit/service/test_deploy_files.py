"""The files in deploy/: a unit that systemd accepts, settings that the service accepts, an image whose steps run."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import yaml

from pacbed.service.settings import Settings
from tests import daemons
from tests.unit.service.conftest import Server

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "pacbed@.service"


def test_the_settings_of_an_institute_are_settings():
    settings = Settings.model_validate(yaml.safe_load((DEPLOY / "service.yaml").read_text()))
    assert settings.servers == 2 and settings.sqlite_file is None and settings.accepts_host("lookup.example.org")
    assert not settings.open and settings.host == "127.0.0.1"
    ports = re.findall(r"server 127\.0\.0\.1:(\d+) max_fails=0;", (DEPLOY / "nginx.conf").read_text())
    assert len(ports) == settings.servers
    for port in ports:
        assert f"pacbed@{port}" in UNIT.read_text()


def test_systemd_accepts_the_unit_and_finds_it_hardened(tmp_path):
    """With the program of this environment in place of /opt/pacbed, whose existence systemd asks for."""
    (analyze,) = daemons.needed("systemd-analyze")
    text, there = UNIT.read_text(), shutil.which("pacbed", path=f"{Path(sys.executable).parent}")
    assert there and text.count("ExecStart=/opt/pacbed/bin/pacbed ") == 1
    (tmp_path / UNIT.name).write_text(text.replace("/opt/pacbed/bin/pacbed", there))
    instance = str(tmp_path / UNIT.name).replace("@", "@8231")
    verified = subprocess.run([analyze, "verify", instance], capture_output=True, text=True)
    assert verified.returncode == 0 and UNIT.name not in verified.stderr, verified.stderr
    command = [analyze, "security", "--offline=true", "--threshold=20", "--no-pager", str(tmp_path / UNIT.name)]
    judged = subprocess.run(command, capture_output=True, text=True)
    assert judged.returncode == 0, judged.stdout[-300:]  # exposure at most 2.0 of 10


def test_the_unit_lets_what_runs_finish():
    lines = dict(line.split("=", 1) for line in UNIT.read_text().splitlines() if re.match(r"[A-Z]\w+=", line))
    assert lines["KillMode"] == "mixed" and float(lines["TimeoutStopSec"]) > Settings().limits.seconds + 5
    assert lines["StandardOutput"] == "null" and "MemoryMax" in lines and "MemoryDenyWriteExecute" not in lines


def test_programs_that_cannot_be_had_are_named_loudly_each_by_itself(tmp_path):
    """On a search path without them and without apt-get."""
    for name in ("bash", "dirname", "id"):
        (tmp_path / name).symlink_to(shutil.which(name))
    command = [str(tmp_path / "bash"), str(ROOT / ".ci" / "service_packages")]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    for what, program in {"with Redis": "redis-server", "behind nginx": "nginx", "in a browser": "chromium"}.items():
        assert f"=== NOT TESTED HERE: the look-up service {what}, because {program}" in done.stderr


# The image

IN_IMAGE = ("/app", "/data")
# Whatever time costs and nothing else: the tests take what has been downloaded already, and compile nothing ahead.
QUICK = {"UV_NO_CACHE": "0", "UV_COMPILE_BYTECODE": "0"}


REGISTRY = re.compile(r"(UV_.*(INDEX|CERT|TLS|CACHE_DIR).*|SSL_.*|.*_PROXY)$", re.IGNORECASE)


class Step(NamedTuple):
    word: str
    rest: str


def steps():
    """Instructions of the Containerfile, in order."""
    text = re.sub(r"\\\n", " ", (DEPLOY / "Containerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [Step(*line.split(" ", 1)) for line in lines]


def for_others(program):
    """Whether an account without privileges can start a program; in root's home it cannot."""
    return all(folder.stat().st_mode & 0o001 for folder in Path(program).resolve().parents)


def python_of_the_image():
    """One that the image's account can start, if there is any."""
    ours, system = str(Path(sys.executable).resolve()), [f"/usr/bin/python3.{minor}" for minor in (11, 12)]
    return next((one for one in (ours, *system) if Path(one).exists() and for_others(one)), ours)


@pytest.fixture(scope="module")
def image():
    """A folder in place of a container's root, after all steps but the last; with its variables and its account."""
    uv = shutil.which("uv") or shutil.which(str(ROOT / ".tools/bin/uv")) or os.environ.get("UV")
    if uv is None:
        pytest.skip("NOT TESTED HERE: the steps of deploy/Containerfile, because uv is missing")
    root = Path(tempfile.mkdtemp(prefix="pacbed-tests-"))
    root.chmod(0o755)
    try:
        yield Image(root, uv, python_of_the_image())
    finally:
        shutil.rmtree(root)


class Image:
    """What the steps make."""

    def __init__(self, root, uv, python):
        self.root, self.environment, self.account, self.entry = root, {}, "", []
        (root / "bin").mkdir()
        (root / "bin" / "uv").symlink_to(uv)
        # How this machine reaches a registry stays.
        self.start = {name: value for name, value in os.environ.items() if REGISTRY.match(name)}
        self.start |= {
            "PATH": f"{root}/bin:/usr/local/bin:/usr/bin:/bin",
            "UV_PYTHON": python,
            "HOME": str(Path.home()),
        }
        self.workdir = root
        for step in steps():
            self.take(step.word, self.here(step.rest))

    def here(self, text):
        """The same text with the places of the image below the folder."""
        for place in IN_IMAGE:
            text = re.sub(rf"(?<![\w./]){place}(?![\w])", f"{self.root}{place}", text)
        return text

    def take(self, word, rest):
        words = shlex.split(rest)
        match word:
            case "ENV":
                known = {**self.start, **self.environment}
                for one in words:
                    name, _, value = one.partition("=")
                    self.environment[name] = re.sub(r"\$(\w+)", lambda found: known[found[1]], value)
            case "WORKDIR":
                self.workdir = Path(rest)
                self.workdir.mkdir(parents=True)
            case "COPY" if words[0].startswith("--from="):
                assert "/uv:" in words[0]  # uv is here already
            case "COPY":
                for source in words[:-1]:
                    self.copy(ROOT / source, self.workdir / words[-1], into=words[-1].endswith("/"))
            case "RUN":
                self.run(rest)
            case "USER":
                self.account = rest
            case "ENTRYPOINT":
                self.entry = json.loads(rest)
            case _:
                assert word in ("FROM", "VOLUME", "EXPOSE"), word

    def copy(self, source, target, *, into):
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target / source.name if into else target)

    def run(self, command):
        """From what is there already, else from the registry."""
        if os.getuid() != 0:  # who is not root cannot give folders away
            command = re.sub(r" -o \d+ -g \d+", "", command)
        usual = {**self.start, **self.environment, **QUICK}
        for offline in ("1", "0"):
            environment = {**usual, "UV_OFFLINE": offline}
            done = subprocess.run(
                ["sh", "-c", command], env=environment, cwd=self.workdir, capture_output=True, text=True
            )
            if done.returncode == 0:
                return
        pytest.fail(f"{command}: {done.stderr[-2000:]}")

    def command(self, *options):
        """The entry point with options behind it, as the account of the image where that can be had."""
        words = [*self.entry, *options]
        if os.getuid() != 0 or not for_others(self.start["UV_PYTHON"]):
            return words
        user, _, group = self.account.partition(":")
        return ["setpriv", "--reuid", user, "--regid", group, "--clear-groups", *words]


def test_the_image_holds_the_service_and_what_it_needs_alone(image):
    python = image.root / "app/venv/bin/python"
    code = "import pacbed, psycopg, redis; print(pacbed.__file__)"
    environment = {**image.start, **image.environment, "HOME": str(image.root / "data")}
    said = subprocess.run([python, "-c", code], env=environment, capture_output=True, text=True, cwd="/")
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith(f"{image.root}/app/venv/lib/")
    packages = {path.name for path in (image.root / "app/venv").glob("lib/*/site-packages/*") if path.is_dir()}
    assert not packages & {"tensorflow", "abtem", "pytest", "snakemake"}
    assert image.account not in ("", "root", "0") and image.environment["HOME"] == f"{image.root}/data"


def test_the_image_serves_writes_below_its_volume_alone_and_ends_when_told(image):
    config = image.root / "data" / "service.yaml"
    config.write_text(json.dumps({"shipped": False, "workers": 1}))
    config.chmod(0o644)
    before = set((image.root / "app").rglob("*"))
    options = ["--host", "127.0.0.1", "--port", "0", "--config", str(config), "--token-file", f"{image.root}/data/url"]
    process = subprocess.Popen(
        image.command(*options),
        env={**image.start, **image.environment},
        cwd=image.workdir,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        server = Server(process, process.stdout.readline().strip(), "", image.root / "data", image.root)
        assert server.url, process.stderr.read()
        server.wait_for(lambda: httpx.get(server.url.replace("?", "healthz?"), timeout=30).status_code == 200)
    finally:
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGTERM), told
    assert set((image.root / "app").rglob("*")) == before
    assert (image.root / "data/service/service.sqlite").is_file()
