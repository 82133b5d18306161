"""Adapter: networks to ONNX, with a parity check."""

from pathlib import Path

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.learning.export_networks import export_networks

export_networks(
    snakemake.input.networks,
    table_dir=snakemake.input.table,
    out_dir=Path(snakemake.output.parity).parent,
)
