"""Snakemake's lines become one line a stage."""

import pytest

from pacbed.workflow import progress
from pacbed.workflow.stages import STAGE_VERSIONS

RUN = """\
Job stats:
job                       count
----------------------  -------
all                           1
orient_structure              1
simulate_rocking_block        4
gather_rocking_table          1
total                         7

localrule orient_structure:
Finished jobid: 3 (Rule: orient_structure)
1 of 7 steps (14%) done
Finished jobid: 5 (Rule: simulate_rocking_block)
Finished jobid: 6 (Rule: simulate_rocking_block)
error: crystal: too heavy
error: and something that follows from it
Finished jobid: 7 (Rule: gather_rocking_table)
"""


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_line_for_each_finished_job_with_the_time_left(make_system, clock):
    seen = progress.Progress(make_system(simulation={"blocks": 4}))
    told = []
    for line in RUN.splitlines(keepends=True):
        clock[0] += 10
        told += seen.read(line)
    assert [line.split(", about")[0] for line in told] == [
        "[1/6] crystal and numerics",
        "[2/6] rocking table 1 of 4",
        "[3/6] rocking table 2 of 4",
        "[4/6] rocking table joined",
    ]
    assert all(line.endswith(("min left", "s left")) for line in told)
    assert seen.error == "crystal: too heavy"


def test_the_time_left_follows_the_weights_and_ends(make_system, clock):
    seen = progress.Progress(make_system())
    list(seen.read("orient_structure 1"))
    list(seen.read("referee_simulation 1"))
    clock[0] += 30
    done, left = (progress.SECONDS[rule] for rule in ("orient_structure", "referee_simulation"))
    pace = (30 + progress.TRUSTED_S) / (done + progress.TRUSTED_S)
    (first,) = seen.read("Finished jobid: 1 (Rule: orient_structure)")
    assert first == f"[1/2] crystal and numerics, about {5 * round(left * pace / 5)} s left"
    (last,) = seen.read("Finished jobid: 2 (Rule: referee_simulation)")
    assert last == "[2/2] referee by direct simulation"


def test_a_short_first_job_that_waited_does_not_promise_an_age(make_system, clock):
    """A resumed build begins with a block of seconds; on a busy machine it took seven times as long."""
    seen = progress.Progress(make_system(grid={"thickness_nm": {"start": 1, "stop": 20, "step": 1}}))
    list(seen.read("simulate_rocking_block 3"))
    list(seen.read("model_error 1"))
    list(seen.read("referee_simulation 1"))
    clock[0] += 30
    (told,) = seen.read("Finished jobid: 1 (Rule: simulate_rocking_block)")
    number, unit = told.split("about ")[1].split()[:2]
    assert float(number) * {"s": 1, "min": 60}[unit] < 180, told


def test_every_stage_that_makes_a_bundle_has_a_name_and_a_weight():
    aside = {"referee_phonons", "simulate_scan_block", "predict_pattern", "map_dataset"}
    assert set(progress.STAGES) == set(STAGE_VERSIONS) - aside
    assert set(progress.SECONDS) == set(progress.STAGES) - {"simulate_rocking_block"}
