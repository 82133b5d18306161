"""Adapter: everything a prediction needs into one file."""

from pathlib import Path

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.bundle.pack import BundleSources, TrainedGrid, pack_bundle

pack_bundle(
    BundleSources(
        structure_dir=Path(snakemake.input.cell).parent,
        table_dir=snakemake.input.table,
        stack_dir=snakemake.input.stack,
        models_dir=Path(snakemake.input.parity[0]).parent if snakemake.input.parity else None,
        accepted_json=snakemake.input.accepted,
        evaluation_json=snakemake.input.evaluation,
        examples=snakemake.input.examples,
        model_error_json=snakemake.input.model_error,
    ),
    TrainedGrid(**snakemake.params.settings),
    system=snakemake.wildcards.system,
    out_bundle=snakemake.output.bundle,
)
