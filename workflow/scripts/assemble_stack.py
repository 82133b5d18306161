"""Adapter: rocking table, or blocks of the scan engine, to a stack of patterns."""

from pathlib import Path

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.simulation.stack.assemble import assemble_stack
from pacbed.simulation.stack.parameter_grid import ParameterGrid

grid, split = ParameterGrid.split_off(snakemake.params.settings)
assemble_stack(
    snakemake.input.table,
    grid,
    **split,
    out_dir=snakemake.output.stack,
    structure_dir=Path(snakemake.input.cell).parent,
    scan_dirs=snakemake.input.blocks,
    threads=snakemake.threads,
)
