import re
import sys
from functools import partial
from pathlib import Path

from pacbed import jobs
from pacbed.config import validate_config
from pacbed.errors import ConfigError
from pacbed.jobs import TASKS, final_targets
from pacbed.stages import STAGE_VERSIONS

# sys.exit, because a user's typing error deserves its own line and not Snakemake's traceback.
try:
    SYSTEMS = validate_config(config, folder=Path(workflow.basedir) / "config").systems
except ConfigError as problem:
    sys.exit(f"{problem}")

settings = jobs.settings
setting = partial(jobs.setting, SYSTEMS)
planned = partial(jobs.planned, SYSTEMS)
needed = partial(jobs.needed, SYSTEMS)
gpus = jobs.gpus(SYSTEMS)
block_count = jobs.block_count(SYSTEMS)
displacements = jobs.displacements(SYSTEMS)
all_blocks = partial(jobs.blocks, SYSTEMS)
all_scan_blocks = partial(jobs.scan_blocks, SYSTEMS)


wildcard_constraints:
    system="|".join(map(re.escape, SYSTEMS)),
    task="|".join(TASKS),
    block=r"\d+",
    name="[A-Za-z0-9_-]+",
