"""Adapter: what the model's uncertainties are worth in thickness."""

from pathlib import Path

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.evaluation.budget.model_error import model_error
from pacbed.evaluation.budget.settings import BudgetSettings

model_error(
    Path(snakemake.input.cell).parent,
    settings=BudgetSettings.of(snakemake.params.settings),
    state_dir=snakemake.params.state_dir,
    out_json=snakemake.output.budget,
    out_png=snakemake.output.plot,
)
