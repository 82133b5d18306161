"""Adapter: error against noise."""

from pathlib import Path

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.evaluation.evaluate import EvaluationSettings, evaluate

evaluate(
    structure_dir=Path(snakemake.input.slices).parent,
    table_dir=snakemake.input.table,
    stack_dir=snakemake.input.stack,
    models_dir=Path(snakemake.input.networks[0]).parent if snakemake.input.networks else None,
    settings=EvaluationSettings(**snakemake.params.settings),
    state_file=snakemake.params.state_file,
    out_dir=Path(snakemake.output.errors).parent,
)
