"""Adapter: stop here if the simulation is not accurate enough."""

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.simulation.checks.acceptance import accept_simulation

accept_simulation(
    snakemake.input.referee,
    snakemake.input.convergence,
    out_json=snakemake.output.accepted,
)
