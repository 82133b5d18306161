"""Adapter: blocks to one rocking table."""

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.simulation.table.gather import gather_rocking_table

gather_rocking_table(snakemake.input.blocks, out_dir=snakemake.output.table, threads=snakemake.threads)
