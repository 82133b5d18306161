rule predict_pattern:
    input:
        bundle="results/{system}/bundle/{system}.pacbed",
        pattern=setting("patterns.{name}.path"),
        mask=given("patterns.{name}.mask"),
        vacuum=given("patterns.{name}.vacuum"),
    output:
        result="results/{system}/predictions/{name}.json",
        sheet=report(
            "results/{system}/predictions/{name}.png",
            caption="../report/sheet.rst",
            category="{system}",
            subcategory="Predictions",
            labels={"what": "validation sheet", "pattern": "{name}"},
        ),
        pdf="results/{system}/predictions/{name}.pdf",
        match="results/{system}/predictions/{name}_match.tif",
    log:
        "results/{system}/logs/predict_pattern/{name}.log",
    benchmark:
        "results/{system}/benchmarks/predict_pattern/{name}.jsonl"
    threads: 1
    resources:
        mem_mb=needed("reading_mb"),
        runtime=15,
    params:
        stage_version=STAGE_VERSIONS["predict_pattern"],
        settings=settings(
            convergence_mrad=setting("patterns.{name}.convergence_mrad"),
            energy_kev=setting("patterns.{name}.energy_kev"),
            pixel_mrad=setting("patterns.{name}.pixel_mrad"),
            dataset=setting("patterns.{name}.dataset"),
            frame=setting("patterns.{name}.frame"),
            scan_shape=setting("patterns.{name}.scan_shape"),
            mirrored=setting("patterns.{name}.mirrored"),
            mask=setting("patterns.{name}.mask"),
            refine_from_nm=setting("patterns.{name}.refine_from_nm"),
            vacuum=setting("patterns.{name}.vacuum"),
            exposure_ratio=setting("patterns.{name}.exposure_ratio"),
            zero_loss_nm=setting("patterns.{name}.zero_loss_nm"),
        ),
    script:
        "../scripts/predict_pattern.py"


rule map_dataset:
    input:
        bundle="results/{system}/bundle/{system}.pacbed",
        data=setting("datasets.{name}.path"),
        mask=given("datasets.{name}.mask"),
    output:
        maps=directory("results/{system}/maps/{name}"),
        picture=report(
            "results/{system}/maps/{name}.png",
            caption="../report/map.rst",
            category="{system}",
            subcategory="Predictions",
            labels={"what": "thickness map", "pattern": "{name}"},
        ),
    log:
        "results/{system}/logs/map_dataset/{name}.log",
    benchmark:
        "results/{system}/benchmarks/map_dataset/{name}.jsonl"
    # A map is many independent fits, a process each; profiles ask for more than the two cores that every node has.
    threads: 2
    resources:
        mem_mb=needed("mapping_mb"),
        runtime=720,
    params:
        stage_version=STAGE_VERSIONS["map_dataset"],
        settings=settings(
            convergence_mrad=setting("datasets.{name}.convergence_mrad"),
            energy_kev=setting("datasets.{name}.energy_kev"),
            pixel_mrad=setting("datasets.{name}.pixel_mrad"),
            dataset=setting("datasets.{name}.dataset"),
            scan_shape=setting("datasets.{name}.scan_shape"),
            mirrored=setting("datasets.{name}.mirrored"),
            mask=setting("datasets.{name}.mask"),
            window=setting("datasets.{name}.window"),
            scan_step_nm=setting("datasets.{name}.scan_step_nm"),
        ),
    script:
        "../scripts/map_dataset.py"
