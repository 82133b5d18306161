# Needs Python 3.11 or newer, make and git; uv and the locked environment are fetched if they are missing.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help env demo test test-service service-pictures test-slurm test-faults serve gms-client lint clean distclean

# uv from PATH, else a private one below .tools.
UV := $(shell command -v uv 2>/dev/null)
ifeq ($(UV),)
UV := .tools/bin/uv
UV_NEEDED := $(UV)
endif

RUN := $(UV) run --frozen --extra workflow --extra dev --extra service
SYNCED := .venv/.synced

help:
	@echo "make demo       from a CIF file to the thickness of three patterns (six minutes on two cores)"
	@echo "make test       all tests"
	@echo "make test-slurm runs the workflow on a Slurm of two virtual nodes (Debian, as root; at most ten minutes)"
	@echo "make test-faults kills runs, fills disks, damages files (at most six minutes)"
	@echo "make serve      the look-up service, on this machine (docs/service.md)"
	@echo "make test-service  the tests of the service alone, its pages in a real browser as well"
	@echo "make service-pictures  draws the pages into docs/images/"
	@echo "make gms-client zips the client for Gatan's GMS, a folder to copy (docs/clients.md)"
	@echo "make lint       ruff, mypy, snakefmt, snakemake --lint, import rules"
	@echo "make bench-X    runs benchmarks/X.py"
	@echo "make pretrained-X  makes the bundle of config/X.yaml and puts it, slim, into pretrained/"
	@echo "make clean      removes results/ and caches; make distclean also the environment"

# A system without python3-venv (Debian) still has pip as a rule.
.tools/bin/uv:
	@echo "no uv on PATH: installing one below .tools"
	@python3 -m venv .tools 2>/dev/null && .tools/bin/python -m pip install --quiet uv \
	  || { rm -rf .tools && python3 -m pip install --quiet --target .tools uv; } \
	  || { echo "could not install uv: see https://docs.astral.sh/uv/getting-started/installation/" >&2; exit 1; }

# --inexact keeps what you added by hand; bytecode now saves TensorFlow's import seconds in every job.
$(SYNCED): pyproject.toml uv.lock | $(UV_NEEDED)
	$(UV) sync --frozen --inexact --compile-bytecode --extra workflow --extra dev --extra service
	@touch $@

env: $(SYNCED)

demo: $(SYNCED)
	$(RUN) snakemake --cores 2 --configfile config/demo.yaml
	$(RUN) snakemake --report results/demo/report.html --configfile config/demo.yaml
	$(RUN) python -m pacbed.evaluation.demo_summary

# A file's tests stay together, because they share what takes long to make.
test: $(SYNCED)
	$(RUN) pytest -n 2 --dist loadfile

# SIGINT, so that pytest ends the daemons by their numbers whatever happens.
LIMITED := timeout --signal=INT --kill-after=60

test-slurm: $(SYNCED)
	.ci/slurm_packages
	$(LIMITED) 600 $(RUN) --extra cluster pytest -v -rP tests/slurm

test-faults: $(SYNCED)
	$(LIMITED) 360 $(RUN) pytest -v tests/faults

test-service: $(SYNCED)
	$(RUN) pytest -n 2 --dist loadfile tests/unit/service tests/unit/cli/service tests/unit/bundle/gate tests/browser

# With the bundle that ships; its table is made first where the cache has none.
service-pictures: $(SYNCED)
	PACBED_PICTURES=docs/images $(RUN) pytest -v tests/browser/test_pictures.py

serve: $(SYNCED)
	$(RUN) pacbed serve

gms-client: $(SYNCED)
	$(RUN) python clients/pack_gms.py dist/pacbed-gms-client.zip

lint: $(SYNCED)
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(RUN) snakefmt --line-length 120 --check Snakefile workflow/rules
	$(RUN) python .ci/snakemake_lint.py config/demo.yaml
	$(RUN) lint-imports

bench-%: benchmarks/%.py $(SYNCED)
	$(RUN) python $<

CONFIGURED = $(or $(wildcard config/$*.yaml),config/catalogue/$*.yaml)
pretrained-%: $(SYNCED)
	$(RUN) snakemake --cores 2 results/$*/bundle/$*.pacbed --configfile $(CONFIGURED)
	$(RUN) pacbed slim results/$*/bundle/$*.pacbed --out pretrained/$*.new.pacbed
	mv pretrained/$*.new.pacbed pretrained/$*.pacbed

# Conda users install the same versions through pip; a test keeps this file in step with the lock.
environment.yml: .ci/conda_environment.py pyproject.toml uv.lock | $(SYNCED)
	$(RUN) python $< > $@.part && mv $@.part $@

clean:
	rm -rf results .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests workflow -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf .venv .tools
