"""Adapter: rocking table against frozen phonons."""

from pathlib import Path

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.simulation.checks.referee_phonons import PhononRefereeSettings, referee_phonons

referee_phonons(
    Path(snakemake.input.cell).parent,
    snakemake.input.table,
    PhononRefereeSettings(**snakemake.params.settings),
    out_json=snakemake.output.findings,
    out_png=snakemake.output.plot,
)
