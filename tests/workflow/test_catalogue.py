"""Every configuration of the catalogue gives jobs, all of them in one graph."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pacbed.config.system import load_config

pytestmark = pytest.mark.workflow
ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted((ROOT / "config" / "catalogue").glob("*.yaml"))
SYSTEMS = {name: system for path in CONFIGS for name, system in load_config([path]).systems.items()}


def test_the_whole_catalogue_is_planned():
    # One parse of the Snakefile for all: each costs seconds.
    files = [path for path in CONFIGS if (ROOT / SYSTEMS[path.stem].crystal.cif).is_file()]
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--forceall", "--configfile", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ})
    assert done.returncode == 0, done.stdout + done.stderr
    jobs = re.findall(r"^rule (\w+):\n(?:    .*\n)*?    wildcards: .*?system=([\w-]+)", done.stdout, flags=re.MULTILINE)
    assert len(files) >= 30
    assert Counter(system for rule, system in jobs if rule == "pack_bundle") == Counter(path.stem for path in files)
    trained = Counter(system for rule, system in jobs if rule == "train_network")
    assert trained == dict.fromkeys((path.stem for path in files), 1)  # one training for all networks
