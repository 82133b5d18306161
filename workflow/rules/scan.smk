# Jobs of this rule exist with `simulation.engine: scan` only.
rule simulate_scan_block:
    input:
        cell="results/{system}/structure/cell.json",
        slices="results/{system}/structure/slices.npz",
        numerics="results/{system}/structure/numerics.json",
        # Its azimuths and the width of its aperture's edge, so that both engines fill the same stack.
        table="results/{system}/simulation/rocking",
        accepted="results/{system}/simulation/accepted.json",
        # Displaced atoms are placed anew from the file.
        cif=setting("crystal.cif"),
    output:
        block=directory("results/{system}/simulation/scan/{block}"),
    log:
        "results/{system}/logs/simulate_scan_block/{block}.log",
    benchmark:
        "results/{system}/benchmarks/simulate_scan_block/{block}.jsonl"
    threads: setting("simulation.scan.workers")
    resources:
        mem_mb=needed("scan_mb"),
        runtime=needed("scan_minutes"),
        # Not among params: who computes changes nothing in the result, so a change runs nothing again.
        dask_scheduler=setting("simulation.scan.scheduler"),
    params:
        stage_version=STAGE_VERSIONS["simulate_scan_block"],
        settings=settings(
            blocks=setting("simulation.scan.blocks"),
            thickness_nm=setting("grid.thickness_nm"),
            convergence_mrad=setting("grid.convergence_mrad"),
            mistilt_mrad=setting("grid.mistilt_mrad"),
            azimuth_deg=setting("grid.azimuth_deg"),
            azimuth_step_deg=setting("grid.azimuth_step_deg"),
            pixels=setting("stack.pixels"),
            max_angle_mrad=planned("max_angle_mrad"),
            plane_spacing_nm=setting("simulation.plane_spacing_nm"),
            cells=setting("simulation.scan.cells"),
            samples_per_pixel=setting("simulation.scan.samples_per_pixel"),
            configurations=setting("simulation.scan.configurations"),
            seed=setting("simulation.scan.seed"),
        ),
    script:
        "../scripts/simulate_scan_block.py"
