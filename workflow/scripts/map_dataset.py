"""Adapter: 4D-STEM data to a thickness map."""

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.report.map_dataset import map_dataset

options = dict(snakemake.params.settings)
map_dataset(
    snakemake.input.bundle,
    snakemake.input.data,
    window=options.pop("window"),
    options=PredictOptions(**options),
    jobs=snakemake.threads,
    out_dir=snakemake.output.maps,
    out_png=snakemake.output.picture,
)
