rule pack_bundle:
    input:
        cell="results/{system}/structure/cell.json",
        slices="results/{system}/structure/slices.npz",
        accepted="results/{system}/simulation/accepted.json",
        table="results/{system}/simulation/rocking",
        stack="results/{system}/stack",
        # None with the recipe none.
        networks=all_networks("results/{system}/models/{task}.onnx"),
        descriptions=all_networks("results/{system}/models/{task}.json"),
        parity=all_networks("results/{system}/models/parity.json"),
        evaluation="results/{system}/evaluation/errors.json",
        examples="results/{system}/evaluation/patterns.npz",
        model_error="results/{system}/evaluation/model_error.json",
    output:
        bundle="results/{system}/bundle/{system}.pacbed",
    log:
        "results/{system}/logs/pack_bundle.log",
    benchmark:
        "results/{system}/benchmarks/pack_bundle.jsonl"
    threads: 1
    resources:
        mem_mb=needed("pack_mb"),
        runtime=needed("pack_minutes"),
    params:
        stage_version=STAGE_VERSIONS["pack_bundle"],
        settings=settings(
            thickness_nm=setting("grid.thickness_nm"),
            convergence_mrad=setting("grid.convergence_mrad"),
            mistilt_mrad=setting("grid.mistilt_mrad"),
            max_angle_mrad=planned("max_angle_mrad"),
        ),
    script:
        "../scripts/pack_bundle.py"
