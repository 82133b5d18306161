"""Adapter: numerics of the simulation against the stated tolerance."""

from pathlib import Path

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.simulation.checks.convergence import ConvergenceSettings, check_convergence

check_convergence(
    Path(snakemake.input.cell).parent,
    ConvergenceSettings(**snakemake.params.settings),
    out_json=snakemake.output.findings,
    out_png=snakemake.output.plot,
)
