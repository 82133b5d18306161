rule orient_structure:
    input:
        cif=setting("crystal.cif"),
    output:
        cell="results/{system}/structure/cell.json",
        slices="results/{system}/structure/slices.npz",
        group="results/{system}/structure/beam_group.json",
        picture=report(
            "results/{system}/structure/structure.png",
            caption="../report/structure.rst",
            category="{system}",
            subcategory="Simulation",
            labels={"what": "projected potential"},
        ),
    log:
        "results/{system}/logs/orient_structure.log",
    benchmark:
        "results/{system}/benchmarks/orient_structure.jsonl"
    threads: 1
    resources:
        mem_mb=needed("structure_mb"),
        runtime=needed("structure_minutes"),
    params:
        stage_version=STAGE_VERSIONS["orient_structure"],
        zone_axis=setting("crystal.zone_axis"),
        thermal_model=setting("crystal.thermal_model"),
        parametrization=setting("crystal.parametrization"),
        energy_kev=setting("beam.energy_kev"),
        grid_px=setting("simulation.grid_px"),
        slice_depth_nm=setting("simulation.slice_depth_nm"),
        thickness_max_nm=planned("thickness_max_nm"),
        cone_mrad=planned("cone_mrad"),
        field_mrad=planned("field_mrad"),
        propagator=setting("simulation.propagator"),
    script:
        "../scripts/orient_structure.py"
