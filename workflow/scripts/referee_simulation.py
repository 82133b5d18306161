"""Adapter: rocking table against direct simulations of whole probes."""

from pathlib import Path

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.simulation.checks.parameter_sets import RefereeSettings
from pacbed.simulation.checks.referee import referee_simulation

referee_simulation(
    Path(snakemake.input.cell).parent,
    snakemake.input.table,
    RefereeSettings(**snakemake.params.settings),
    out_json=snakemake.output.findings,
    out_png=snakemake.output.plot,
    threads=snakemake.threads,
)
