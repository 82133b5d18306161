from snakemake.utils import min_version

min_version("9.27")


# No `configfile:` on purpose: `--configfile config/a.yaml config/b.yaml` says which systems to build.
include: "workflow/rules/common.smk"
include: "workflow/rules/structure.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/accept.smk"
include: "workflow/rules/phonons.smk"
include: "workflow/rules/scan.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/bundle.smk"
include: "workflow/rules/predict.smk"


report: "workflow/report/workflow.rst"


localrules:
    all,


rule all:
    default_target: True
    input:
        final_targets(SYSTEMS),
