"""`environment.yml` must install what `uv.lock` pins, and that must satisfy `pyproject.toml`."""

import os
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
UV = os.environ.get("UV") or shutil.which("uv") or shutil.which(str(ROOT / ".tools" / "bin" / "uv"))


@pytest.fixture(scope="module")
def environment():
    return yaml.safe_load((ROOT / "environment.yml").read_text())


@pytest.fixture(scope="module")
def pip_part(environment):
    return next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))


@pytest.fixture(scope="module")
def pins(pip_part):
    """Pinned version by package name, of the lines that hold for this interpreter and system."""
    requirements = [Requirement(line) for line in pip_part if not line.startswith("-e")]
    held = [r for r in requirements if r.marker is None or r.marker.evaluate()]
    assert all(len(r.specifier) == 1 and str(r.specifier).startswith("==") for r in held)
    return {canonicalize_name(r.name): str(r.specifier)[2:] for r in held}


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_python_is_the_project_s(environment, project):
    assert f"python{project['requires-python']}" in environment["dependencies"]


def test_project_itself_is_installed_with_the_workflow(pip_part):
    assert pip_part[0] == "-e .[workflow]"


def test_pins_satisfy_every_direct_dependency(project, pins):
    for line in project["dependencies"] + project["optional-dependencies"]["workflow"]:
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate():
            assert wanted.specifier.contains(pins[canonicalize_name(wanted.name)]), line


def test_pins_are_those_of_the_lock(pins):
    locked = {(canonicalize_name(p["name"]), p.get("version")) for p in tomllib.loads(lock_text())["package"]}
    assert set(pins.items()) <= locked


def test_pins_are_complete(pins):
    """Resolve without a network: whatever an installed package requires is pinned, at a version that will do."""
    missing = []
    for name, version in pins.items():
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue  # an environment made by other means; the online resolution below sees it
        if package.version != version:
            continue
        for line in package.requires or []:
            wanted = Requirement(line)
            if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
                continue
            pin = pins.get(canonicalize_name(wanted.name))
            if pin is None or not wanted.specifier.contains(pin, prereleases=True):
                missing.append(f"{name} requires {line}, pinned: {pin}")
    assert missing == []


@pytest.mark.skipif(UV is None, reason="uv is neither on PATH nor below .tools")
def test_file_is_what_the_lock_makes_of_it():
    made = subprocess.run(
        [sys.executable, ROOT / ".ci" / "conda_environment.py"],
        capture_output=True, text=True, check=True, cwd=ROOT, env={**os.environ, "UV": str(UV)},
    ).stdout  # fmt: skip
    assert made == (ROOT / "environment.yml").read_text(), "run `make environment.yml`"


@pytest.mark.skipif(UV is None, reason="uv is neither on PATH nor below .tools")
def test_pip_part_resolves(pip_part, tmp_path):
    requirements = tmp_path / "requirements.in"
    requirements.write_text("\n".join(pip_part[1:]) + "\n")
    command = [str(UV), "pip", "compile", "--quiet", "--no-annotate", "--python", sys.executable, str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    if done.returncode != 0 and is_offline(done.stderr):
        pytest.skip("the package index cannot be reached; test_pins_are_complete resolves what is installed")
    assert done.returncode == 0, done.stderr


def is_offline(message):
    signs = ("error sending request", "dns error", "Connection refused", "timed out", "Failed to fetch", "tunnel error")
    return any(sign in message for sign in signs)


def lock_text():
    return (ROOT / "uv.lock").read_text()
