"""Adapter: everything a prediction needs into one file."""

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.bundle import pack_bundle

pack_bundle(
    system=snakemake.wildcards.system,
    out_bundle=snakemake.output.bundle,
)
