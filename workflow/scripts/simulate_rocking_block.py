"""Adapter: one block of the rocking table."""

from pathlib import Path

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.simulation.table.rocking_block import simulate_rocking_block
from pacbed.simulation.table.settings import TableSettings

settings = dict(snakemake.params.settings)
blocks = settings.pop("blocks")
simulate_rocking_block(
    Path(snakemake.input.cell).parent,
    TableSettings.of(settings),
    block=int(snakemake.wildcards.block),
    blocks=blocks,
    out_dir=snakemake.output.block,
)
