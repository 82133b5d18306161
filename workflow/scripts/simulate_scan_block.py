"""Adapter: one block of thickness series from rasters of probes."""

from pathlib import Path

from pacbed.logs import configure_logging

if __name__ == "__main__":  # worker processes read this file again
    configure_logging(snakemake.log[0], snakemake.params)

    from pacbed.simulation.stack.parameter_grid import ParameterGrid
    from pacbed.simulation.stack.scan_block import ScanNumerics, Workers, simulate_scan_block

    grid, numerics = ParameterGrid.split_off(snakemake.params.settings)
    simulate_scan_block(
        Path(snakemake.input.cell).parent,
        snakemake.input.table,
        snakemake.input.cif,
        grid,
        ScanNumerics(**numerics),
        block=int(snakemake.wildcards.block),
        out_dir=snakemake.output.block,
        workers=Workers(snakemake.resources.dask_scheduler, snakemake.threads),
    )
