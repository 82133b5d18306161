"""Version of every stage of the workflow, bumped by hand when a stage computes something else.

Snakemake does not see the package's code. Each rule passes the number of its stage through `params`, so a corrected
calculation runs again, with everything that depends on it, and a reworded comment does not. The numbers lie here, not
in the modules of the stages, because reading the Snakefile must not import TensorFlow or abTEM.
"""

from types import MappingProxyType

STAGE_VERSIONS = MappingProxyType(
    {
        "orient_structure": 8,
        "check_convergence": 4,
        "simulate_rocking_block": 4,
        "gather_rocking_table": 3,
        "referee_simulation": 2,
        "referee_phonons": 2,
        "accept_simulation": 1,
        "simulate_scan_block": 1,
        "assemble_stack": 5,
        "train_network": 3,
        "export_networks": 2,
        "evaluate": 6,
        "model_error": 4,
        "pack_bundle": 5,
        "predict_pattern": 6,
        "map_dataset": 5,
    }
)
