rule assemble_stack:
    input:
        cell="results/{system}/structure/cell.json",
        table="results/{system}/simulation/rocking",
        accepted="results/{system}/simulation/accepted.json",
        # None with the engine plane_wave.
        blocks=all_scan_blocks("results/{system}/simulation/scan/{block}"),
    output:
        # The Zarr store lies inside: Snakemake puts a stamp file into a directory() and must not spoil the store.
        stack=directory("results/{system}/stack"),
    log:
        "results/{system}/logs/assemble_stack.log",
    benchmark:
        "results/{system}/benchmarks/assemble_stack.jsonl"
    # Series are rendered side by side; the threads wait for the disk soon.
    threads: 2
    resources:
        mem_mb=needed("assembly_mb"),
        runtime=needed("stack_minutes"),
        disk_mb=needed("stack_mb"),
    params:
        stage_version=STAGE_VERSIONS["assemble_stack"],
        settings=settings(
            thickness_nm=setting("grid.thickness_nm"),
            convergence_mrad=setting("grid.convergence_mrad"),
            mistilt_mrad=setting("grid.mistilt_mrad"),
            azimuth_deg=setting("grid.azimuth_deg"),
            azimuth_step_deg=setting("grid.azimuth_step_deg"),
            max_angle_mrad=planned("max_angle_mrad"),
            pixels=setting("stack.pixels"),
            validation_fraction=setting("stack.validation_fraction"),
            seed=setting("stack.seed"),
        ),
    script:
        "../scripts/assemble_stack.py"


rule train_network:
    input:
        table="results/{system}/simulation/rocking",
        stack="results/{system}/stack",
        accepted="results/{system}/simulation/accepted.json",
        # None where training begins with random weights.
        begun_with=begun_with,
    output:
        networks=expand("results/{{system}}/models/{task}.keras", task=TASKS),
        descriptions=expand("results/{{system}}/models/{task}.json", task=TASKS),
        histories=expand("results/{{system}}/models/{task}_history.csv", task=TASKS),
        curves=report(
            expand("results/{{system}}/models/{task}_curves.png", task=TASKS),
            caption="../report/curves.rst",
            category="{system}",
            subcategory="Training",
        ),
    log:
        "results/{system}/logs/train_network.log",
    benchmark:
        "results/{system}/benchmarks/train_network.jsonl"
    threads: 2
    resources:
        mem_mb=needed("training_mb"),
        runtime=needed("training_minutes"),
        gpu=0,
    params:
        stage_version=STAGE_VERSIONS["train_network"],
        # Undeclared on purpose: Snakemake deletes declared outputs before a re-run, and this must survive a kill.
        state_dir="results/{system}/models/.state",
        settings=settings(
            thickness_nm=setting("grid.thickness_nm"),
            convergence_mrad=setting("grid.convergence_mrad"),
            mistilt_mrad=setting("grid.mistilt_mrad"),
            max_angle_mrad=planned("max_angle_mrad"),
            recipe=setting("training.recipe"),
            pixels=setting("training.pixels"),
            samples=setting("training.samples"),
            validation_samples=setting("training.validation_samples"),
            epochs=setting("training.epochs"),
            batch_size=setting("training.batch_size"),
            learning_rate=setting("training.learning_rate"),
            scale_range=setting("training.scale_range"),
            scale_step=setting("training.scale_step"),
            noise_max=setting("training.noise_max"),
            seed=setting("training.seed"),
            weights=setting("training.weights"),
            start_from=setting("training.start_from"),
            freeze=setting("training.freeze"),
            fine_tuning=setting("training.fine_tuning"),
        ),
    script:
        "../scripts/train_network.py"


rule export_networks:
    input:
        networks=expand("results/{{system}}/models/{task}.keras", task=TASKS),
        descriptions=expand("results/{{system}}/models/{task}.json", task=TASKS),
        table="results/{system}/simulation/rocking",
    output:
        networks=expand("results/{{system}}/models/{task}.onnx", task=TASKS),
        parity="results/{system}/models/parity.json",
    log:
        "results/{system}/logs/export_networks.log",
    benchmark:
        "results/{system}/benchmarks/export_networks.jsonl"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=15,
    params:
        stage_version=STAGE_VERSIONS["export_networks"],
    script:
        "../scripts/export_networks.py"
