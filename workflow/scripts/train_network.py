"""Adapter: train one of the three networks."""

import os

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(snakemake.threads))  # read when TensorFlow is imported
from pacbed.learning.training import train_network

train_network(
    snakemake.input.table,
    snakemake.input.stack,
    task=snakemake.wildcards.task,
    state_dir=snakemake.params.state_dir,
    **snakemake.params.settings,
    out_keras=snakemake.output.network,
    out_history_csv=snakemake.output.history,
    out_curves_png=snakemake.output.curves,
    threads=snakemake.threads,
)
