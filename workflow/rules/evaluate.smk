rule evaluate:
    input:
        # Some truths are summed from plane waves through the slices themselves.
        cell="results/{system}/structure/cell.json",
        slices="results/{system}/structure/slices.npz",
        table="results/{system}/simulation/rocking",
        stack="results/{system}/stack",
        # None with the recipe none.
        networks=all_networks("results/{system}/models/{task}.onnx"),
        descriptions=all_networks("results/{system}/models/{task}.json"),
    output:
        errors="results/{system}/evaluation/errors.json",
        answers="results/{system}/evaluation/answers.csv",
        examples="results/{system}/evaluation/patterns.npz",
        plot=report(
            "results/{system}/evaluation/errors.png",
            caption="../report/evaluation.rst",
            category="{system}",
            subcategory="Evaluation",
            labels={"what": "error against noise"},
        ),
    log:
        "results/{system}/logs/evaluate.log",
    benchmark:
        "results/{system}/benchmarks/evaluate.jsonl"
    threads: 1
    resources:
        mem_mb=needed("evaluation_mb"),
        runtime=needed("evaluation_minutes"),
    params:
        stage_version=STAGE_VERSIONS["evaluate"],
        # Undeclared on purpose: answers must survive a kill.
        state_file="results/{system}/evaluation/.answers.jsonl",
        settings=settings(
            noise_levels=setting("evaluation.noise_levels"),
            electrons=setting("evaluation.electrons"),
            patterns=setting("evaluation.patterns"),
            direct_patterns=setting("evaluation.direct_patterns"),
            seed=setting("evaluation.seed"),
        ),
    script:
        "../scripts/evaluate.py"


rule model_error:
    input:
        cell="results/{system}/structure/cell.json",
        slices="results/{system}/structure/slices.npz",
        numerics="results/{system}/structure/numerics.json",
        # Varied crystals are made anew from the file.
        cif=setting("crystal.cif"),
        accepted="results/{system}/simulation/accepted.json",
    output:
        budget="results/{system}/evaluation/model_error.json",
        plot=report(
            "results/{system}/evaluation/model_error.png",
            caption="../report/model_error.rst",
            category="{system}",
            subcategory="Evaluation",
            labels={"what": "thickness budget"},
        ),
    log:
        "results/{system}/logs/model_error.log",
    benchmark:
        "results/{system}/benchmarks/model_error.jsonl"
    threads: 1
    resources:
        mem_mb=needed("model_error_mb"),
        runtime=needed("model_error_minutes"),
    params:
        stage_version=STAGE_VERSIONS["model_error"],
        # Undeclared on purpose: finished variations must survive a kill.
        state_dir="results/{system}/evaluation/.model_error_state",
        settings=settings(
            thickness_max_nm=planned("thickness_max_nm"),
            grid_convergence_mrad=setting("grid.convergence_mrad"),
            field_mrad=planned("field_mrad"),
            direction_pitch_mrad=setting("simulation.direction_pitch_mrad"),
            plane_spacing_nm=setting("simulation.plane_spacing_nm"),
            propagator=setting("simulation.propagator"),
            batch=setting("simulation.batch"),
            choices=setting("evaluation.model_error"),
        ),
    script:
        "../scripts/model_error.py"
