"""Adapter: numerics of the simulation against the stated tolerance."""

from pathlib import Path

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.simulation.convergence import check_convergence

settings = {name: value for name, value in snakemake.params.items() if name != "stage_version"}
check_convergence(
    Path(snakemake.input.cell).parent,
    settings=settings,
    out_json=snakemake.output.findings,
    out_png=snakemake.output.plot,
)
