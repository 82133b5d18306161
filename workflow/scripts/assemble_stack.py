"""Adapter: rocking table, or blocks of the scan engine, to a stack of patterns."""

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.simulation.stack import assemble_stack

settings = {name: value for name, value in snakemake.params.items() if name != "stage_version"}
assemble_stack(
    snakemake.input.table,
    **settings,
    scan_dirs=snakemake.input.blocks,
    out_dir=snakemake.output.stack,
    threads=snakemake.threads,
)
