import re
import sys
from functools import partial
from pathlib import Path

from snakemake.logging import logger

from pacbed.config.system import validate_config
from pacbed.config.values import TASKS
from pacbed.errors import ConfigError
from pacbed.workflow import directives
from pacbed.workflow.crystals import check_crystals
from pacbed.workflow.directives import final_targets
from pacbed.workflow.stages import STAGE_VERSIONS

# sys.exit, because a user's typing error deserves its own line and not Snakemake's traceback.
try:
    SYSTEMS = validate_config(config, folder=Path(workflow.basedir) / "config").systems
    # Jobs of a cluster parse this file again; the run that started them has told everything.
    notes = check_crystals(SYSTEMS) if workflow.is_main_process else []
except ConfigError as problem:
    sys.exit(f"{problem}")

for note in notes:
    logger.warning(note)

settings = directives.settings
setting = partial(directives.setting, SYSTEMS)
given = partial(directives.given, SYSTEMS)
planned = partial(directives.planned, SYSTEMS)
needed = partial(directives.needed, SYSTEMS)
gpus = directives.gpus(SYSTEMS)
block_count = directives.block_count(SYSTEMS)
displacements = directives.displacements(SYSTEMS)
all_blocks = partial(directives.blocks, SYSTEMS)
begun_with = directives.begun_with(SYSTEMS)
all_networks = partial(directives.networks, SYSTEMS)
all_scan_blocks = partial(directives.scan_blocks, SYSTEMS)


wildcard_constraints:
    system="|".join(map(re.escape, SYSTEMS)),
    task="|".join(TASKS),
    block=r"\d+",
    name="[A-Za-z0-9_-]+",
