"""Adapter: one block of the rocking table."""

from pathlib import Path

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.simulation.table.rocking_block import simulate_rocking_block

simulate_rocking_block(
    Path(snakemake.input.cell).parent,
    block=int(snakemake.wildcards.block),
    **snakemake.params.settings,
    out_dir=snakemake.output.block,
)
