"""Adapter: train one of the three networks."""

import os

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(snakemake.threads))  # read when TensorFlow is imported
from pacbed.learning.settings import TrainingSettings
from pacbed.learning.train_network import train_network

train_network(
    snakemake.input.table,
    snakemake.input.stack,
    TrainingSettings(task=snakemake.wildcards.task, **snakemake.params.settings),
    out_keras=snakemake.output.network,
    out_history_csv=snakemake.output.history,
    out_curves_png=snakemake.output.curves,
    state_dir=snakemake.params.state_dir,
    threads=snakemake.threads,
)
