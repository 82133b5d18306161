rule referee_simulation:
    input:
        cell="results/{system}/structure/cell.json",
        slices="results/{system}/structure/slices.npz",
        table="results/{system}/simulation/rocking",
    output:
        findings="results/{system}/simulation/referee.json",
        plot=report(
            "results/{system}/simulation/referee.png",
            caption="../report/referee.rst",
            category="{system}",
            subcategory="Simulation",
            labels={"what": "rocking table against direct simulation"},
        ),
    log:
        "results/{system}/logs/referee_simulation.log",
    benchmark:
        "results/{system}/benchmarks/referee_simulation.jsonl"
    # Parts of the raster and batches of directions run side by side; two is what the stated times are for.
    threads: 2
    resources:
        mem_mb=needed("referee_mb"),
        runtime=needed("referee_minutes"),
    params:
        stage_version=STAGE_VERSIONS["referee_simulation"],
        settings=settings(
            cells=setting("simulation.referee.cells"),
            patterns=setting("simulation.referee.patterns"),
            max_thickness_nm=setting("simulation.referee.max_thickness_nm"),
            full_thickness=setting("simulation.referee.full_thickness"),
            seed=setting("simulation.referee.seed"),
            tolerance=setting("simulation.referee.tolerance"),
            thickness_max_nm=planned("thickness_max_nm"),
            alpha_max_mrad=planned("alpha_max_mrad"),
            tau_max_mrad=planned("tau_max_mrad"),
        ),
    script:
        "../scripts/referee_simulation.py"


# A failing job loses its outputs, so the referee's evidence is written by the rule above and judged by this one.
rule accept_simulation:
    input:
        referee="results/{system}/simulation/referee.json",
        convergence="results/{system}/simulation/convergence.json",
    output:
        accepted="results/{system}/simulation/accepted.json",
    log:
        "results/{system}/logs/accept_simulation.log",
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        stage_version=STAGE_VERSIONS["accept_simulation"],
    script:
        "../scripts/accept_simulation.py"
