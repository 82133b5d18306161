"""Adapter: CIF file to slice potentials along a zone axis."""

from pathlib import Path

from pacbed.logs import configure_logging

configure_logging(snakemake.log[0], snakemake.params)

from pacbed.simulation.structure.orient_structure import orient_structure
from pacbed.simulation.structure.settings import StructureSettings

orient_structure(
    snakemake.input.cif,
    StructureSettings(**snakemake.params.settings),
    out_dir=Path(snakemake.output.cell).parent,
)
