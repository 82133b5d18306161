# Better physics, on request: `simulation.referee.phonons: true`, or ask for the file by name. It warns and refuses nothing.
rule referee_phonons:
    input:
        cell="results/{system}/structure/cell.json",
        slices="results/{system}/structure/slices.npz",
        table="results/{system}/simulation/rocking",
        # Atoms are displaced, so they are read again.
        cif=setting("crystal.cif"),
    output:
        findings="results/{system}/simulation/referee_b.json",
        plot=report(
            "results/{system}/simulation/referee_b.png",
            caption="../report/referee_phonons.rst",
            category="{system}",
            subcategory="Simulation",
            labels={"what": "rocking table against frozen phonons"},
        ),
    log:
        "results/{system}/logs/referee_phonons.log",
    benchmark:
        "results/{system}/benchmarks/referee_phonons.jsonl"
    threads: 1
    resources:
        mem_mb=needed("phonons_mb"),
        runtime=needed("phonons_minutes"),
    params:
        stage_version=STAGE_VERSIONS["referee_phonons"],
        settings=settings(
            cells=setting("simulation.phonons.cells"),
            configurations=setting("simulation.phonons.configurations"),
            pool=setting("simulation.phonons.pool"),
            seed=setting("simulation.phonons.seed"),
            convergence_mrad=setting("grid.convergence_mrad"),
            thickness_max_nm=planned("thickness_max_nm"),
            tau_max_mrad=planned("tau_max_mrad"),
            max_angle_mrad=planned("max_angle_mrad"),
        ),
    script:
        "../scripts/referee_phonons.py"
