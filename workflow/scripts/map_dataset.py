"""Adapter: 4D-STEM data to a thickness map."""

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.analysis.maps import map_dataset

settings = {name: value for name, value in snakemake.params.items() if name != "stage_version"}
map_dataset(
    snakemake.input.bundle,
    snakemake.input.data,
    **settings,
    jobs=snakemake.threads,
    out_dir=snakemake.output.maps,
    out_png=snakemake.output.picture,
)
