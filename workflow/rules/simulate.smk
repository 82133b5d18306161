rule check_convergence:
    input:
        cell="results/{system}/structure/cell.json",
        slices="results/{system}/structure/slices.npz",
        numerics="results/{system}/structure/numerics.json",
        # Slices of other depths are made anew from the file.
        cif=setting("crystal.cif"),
    output:
        findings="results/{system}/simulation/convergence.json",
        plot=report(
            "results/{system}/simulation/convergence.png",
            caption="../report/convergence.rst",
            category="{system}",
            subcategory="Simulation",
            labels={"what": "convergence of the numerics"},
        ),
    log:
        "results/{system}/logs/check_convergence.log",
    benchmark:
        "results/{system}/benchmarks/check_convergence.jsonl"
    threads: 1
    resources:
        mem_mb=needed("block_mb"),
        runtime=needed("block_minutes"),
    params:
        stage_version=STAGE_VERSIONS["check_convergence"],
        settings=settings(
            thickness_max_nm=planned("thickness_max_nm"),
            alpha_max_mrad=planned("alpha_max_mrad"),
            tau_max_mrad=planned("tau_max_mrad"),
            max_angle_mrad=planned("max_angle_mrad"),
            direction_pitch_mrad=setting("simulation.direction_pitch_mrad"),
            plane_spacing_nm=setting("simulation.plane_spacing_nm"),
            propagator=setting("simulation.propagator"),
            tolerance=setting("simulation.tolerance"),
        ),
    script:
        "../scripts/check_convergence.py"


rule simulate_rocking_block:
    input:
        cell="results/{system}/structure/cell.json",
        slices="results/{system}/structure/slices.npz",
        numerics="results/{system}/structure/numerics.json",
        # Plans differ from run to run, what they compute does not.
        plans=ancient("results/{system}/structure/fft_plans.json"),
    output:
        block=directory("results/{system}/simulation/blocks/{block}"),
    log:
        "results/{system}/logs/simulate_rocking_block/{block}.log",
    benchmark:
        "results/{system}/benchmarks/simulate_rocking_block/{block}.jsonl"
    threads: 1
    resources:
        mem_mb=needed("block_mb"),
        runtime=needed("block_minutes"),
        gpu=gpus,
    params:
        stage_version=STAGE_VERSIONS["simulate_rocking_block"],
        settings=settings(
            blocks=block_count,
            thickness_max_nm=planned("thickness_max_nm"),
            cone_mrad=planned("cone_mrad"),
            field_mrad=planned("field_mrad"),
            direction_pitch_mrad=setting("simulation.direction_pitch_mrad"),
            plane_spacing_nm=setting("simulation.plane_spacing_nm"),
            propagator=setting("simulation.propagator"),
            termination=setting("crystal.termination"),
            batch=setting("simulation.batch"),
            device=setting("simulation.device"),
            phonons=displacements,
        ),
    script:
        "../scripts/simulate_rocking_block.py"


rule gather_rocking_table:
    input:
        blocks=all_blocks("results/{system}/simulation/blocks/{block}"),
    output:
        table=directory("results/{system}/simulation/rocking"),
    log:
        "results/{system}/logs/gather_rocking_table.log",
    benchmark:
        "results/{system}/benchmarks/gather_rocking_table.jsonl"
    # Beams are worked on side by side; the table does not depend on how many.
    threads: 2
    resources:
        mem_mb=needed("gather_mb"),
        runtime=needed("gather_minutes"),
    params:
        stage_version=STAGE_VERSIONS["gather_rocking_table"],
    script:
        "../scripts/gather_rocking_table.py"
