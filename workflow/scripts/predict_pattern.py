"""Adapter: a measured pattern to thickness, sheet and verdict."""

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.report.predict_pattern import predict_pattern

predict_pattern(
    snakemake.input.bundle,
    snakemake.input.pattern,
    PredictOptions(**snakemake.params.settings),
    out_json=snakemake.output.result,
    out_png=snakemake.output.sheet,
    out_pdf=snakemake.output.pdf,
    out_match=snakemake.output.match,
)
