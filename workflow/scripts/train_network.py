"""Adapter: train the three networks."""

import os
from pathlib import Path

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(snakemake.threads))  # read when TensorFlow is imported
from pacbed.learning.settings import TrainingSettings
from pacbed.learning.train_network import train_network

train_network(
    snakemake.input.table,
    snakemake.input.stack,
    TrainingSettings(**snakemake.params.settings),
    out_dir=Path(snakemake.output.networks[0]).parent,
    state_dir=snakemake.params.state_dir,
    threads=snakemake.threads,
)
