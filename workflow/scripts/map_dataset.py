"""Adapter: 4D-STEM data to a thickness map."""

from pacbed.logs import configure_logging

if __name__ == "__main__":  # worker processes read this file again
    configure_logging(snakemake.log[0], snakemake.params)

    from pacbed.analysis.options import PredictOptions
    from pacbed.analysis.report.map_dataset import map_dataset
    from pacbed.analysis.report.map_plan import MapSettings

    options = dict(snakemake.params.settings)
    map_dataset(
        snakemake.input.bundle,
        snakemake.input.data,
        settings=MapSettings(options.pop("window"), snakemake.threads, scan_step_nm=options.pop("scan_step_nm")),
        options=PredictOptions(**options),
        out_dir=snakemake.output.maps,
        out_png=snakemake.output.picture,
    )
