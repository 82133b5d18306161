rule evaluate:
    input:
        table="results/{system}/simulation/rocking",
        stack="results/{system}/stack",
        networks=expand("results/{{system}}/models/{task}.onnx", task=TASKS),
        descriptions=expand("results/{{system}}/models/{task}.json", task=TASKS),
    output:
        errors="results/{system}/evaluation/errors.json",
        answers="results/{system}/evaluation/answers.csv",
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
        mem_mb=needed("gather_mb"),
        runtime=needed("evaluation_minutes"),
    params:
        stage_version=STAGE_VERSIONS["evaluate"],
        settings=settings(
            noise_levels=setting("evaluation.noise_levels"),
            patterns=setting("evaluation.patterns"),
            seed=setting("evaluation.seed"),
        ),
    script:
        "../scripts/evaluate.py"
