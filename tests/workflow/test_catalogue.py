"""Every configuration of the catalogue gives jobs, all of them in one graph."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.workflow
ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted((ROOT / "config" / "catalogue").glob("*.yaml"))


def test_the_whole_catalogue_is_planned():
    # One parse of the Snakefile for all: each costs seconds.
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--forceall", "--configfile", *map(str, CONFIGS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ})
    assert done.returncode == 0, done.stdout + done.stderr
    jobs = re.findall(r"^rule (\w+):\n(?:    .*\n)*?    wildcards: .*?system=([\w-]+)", done.stdout, flags=re.MULTILINE)
    assert len(CONFIGS) >= 30
    assert Counter(system for rule, system in jobs if rule == "pack_bundle") == Counter(path.stem for path in CONFIGS)
    trained = Counter(system for rule, system in jobs if rule == "train_network")
    assert trained == dict.fromkeys((path.stem for path in CONFIGS), 1)  # one training for all networks
