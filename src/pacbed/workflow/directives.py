"""Hands the configuration to Snakemake's rules: one function per directive, nothing but plain values in them.

Snakemake compares the values of `params` with those of the last run, so each rule asks for exactly what it uses. It
compares them as a set, without their names: `settings` puts names and values into one.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pacbed.config.plan import plan
from pacbed.config.system import SystemConfig
from pacbed.config.values import BUNDLE_SUFFIX, TASKS, Range, Section, ValueList
from pacbed.outputs import plain_json
from pacbed.workflow import needs, table_size

Systems = Mapping[str, SystemConfig]
Directive = Callable[[Any], Any]


def plain_setting(value: Any) -> Any:
    """Reduce a configuration value to plain values: a range to the list of its values, a section to a dict.

    Numbers stay as they were written or left out, ``3`` and not ``3.0``: Snakemake takes another text for a change.
    """
    if isinstance(value, Range | ValueList):
        return value.values()
    if isinstance(value, Section):
        return {name: plain_setting(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {key: plain_setting(item) for key, item in value.items()}
    return plain_json(value)


def setting(systems: Systems, key: str) -> Directive:
    """Input or parameter function for one key of the configuration.

    Parameters
    ----------
    systems : mapping of str to SystemConfig
        The validated systems.
    key : str
        Dotted key below the system; wildcards of the rule stand in braces: ``training.epochs.{task}``.

    Returns
    -------
    callable
        Takes Snakemake's wildcards, returns the value for their system.
    """

    def value(wildcards: Any) -> Any:
        found: Any = systems[wildcards.system]
        for part in key.split("."):
            name = part.format(**dict(wildcards.items()))
            found = found[name] if isinstance(found, Mapping) else getattr(found, name)
        return plain_setting(found)

    return value


def given(systems: Systems, key: str) -> Directive:
    """Input function for a file that the configuration may name, its key written as for `setting`; else no file."""
    named = setting(systems, key)

    def paths(wildcards: Any) -> list[str]:
        path = named(wildcards)
        return [] if path is None else [path]

    return paths


def settings(**values: Any) -> Directive:
    """Parameter function that joins the values of a rule into one dict.

    Snakemake stores the values of `params` without their names and compares them as sets
    (`snakemake.persistence.params_changed`): a value that changes to what another parameter already holds would go
    unnoticed. One dict holds the names as well.

    Parameters
    ----------
    **values
        Plain values, or functions such as `setting` and `planned` return.

    Returns
    -------
    callable
        Takes Snakemake's wildcards, returns the dict of plain values.
    """
    return lambda wildcards: {name: value(wildcards) if callable(value) else value for name, value in values.items()}


def planned(systems: Systems, name: str) -> Directive:
    """Parameter function for one number that `pacbed.config.plan` derives from the grid, such as ``cone_mrad``."""
    return lambda wildcards: getattr(plan(systems[wildcards.system]), name)


def needed(systems: Systems, name: str) -> Callable[..., int]:
    """Resource function for one estimate of `pacbed.workflow.needs`; a second attempt gets twice as much.

    Parameters
    ----------
    systems : mapping of str to SystemConfig
        The validated systems.
    name : str
        One of its functions, such as ``block_mb``.
    """
    estimate: Callable[..., int] = getattr(needs, name)

    def amount(wildcards: Any, attempt: int) -> int:
        return attempt * estimate(systems[wildcards.system])

    return amount


def gpus(systems: Systems) -> Callable[[Any], int]:
    """Resource function for the GPUs that one block of a rocking table takes: one, or none."""
    return lambda wildcards: int(systems[wildcards.system].simulation.device == "gpu")


def displacements(systems: Systems) -> Directive:
    """Parameter function for the displaced atoms of a table; none where its atoms are not displaced."""

    def value(wildcards: Any) -> Any:
        system = systems[wildcards.system]
        return plain_setting(system.simulation.phonons) if system.crystal.thermal_model == "frozen_phonons" else None

    return value


def block_count(systems: Systems) -> Directive:
    """Parameter function for the number of blocks of a system's rocking table."""
    return lambda wildcards: table_size.block_count(systems[wildcards.system])


def blocks(systems: Systems, path: str) -> Directive:
    """Input function that scatters: one path per block of a system's rocking table."""
    return _scattered(systems, path, table_size.block_count)


def scan_blocks(systems: Systems, path: str) -> Directive:
    """Input function of the stack: one path per block of the scan engine, none where the table fills the stack."""
    return _scattered(
        systems,
        path,
        lambda system: system.simulation.scan.blocks if system.simulation.engine == "scan" else 0,
    )


def networks(systems: Systems, path: str) -> Directive:
    """Input function for files of the networks, named with or without their task; none with the recipe none."""

    def paths(wildcards: Any) -> list[str]:
        tasks = () if systems[wildcards.system].training.recipe == "none" else TASKS
        return list(dict.fromkeys(path.format(system=wildcards.system, task=task) for task in tasks))

    return paths


def begun_with(systems: Systems) -> Directive:
    """Input function for the files of weights that a training begins with; none where they are random."""

    def paths(wildcards: Any) -> list[str]:
        training = systems[wildcards.system].training
        found = [] if training.weights is None else [training.weights]
        if training.start_from is not None and training.start_from.suffix == BUNDLE_SUFFIX:
            found.append(training.start_from)
        elif training.start_from is not None:
            found += [training.start_from / f"{task}.{end}" for task in TASKS for end in ("keras", "json")]
        return [str(path) for path in found]

    return paths


def _scattered(systems: Systems, path: str, count: Callable[[SystemConfig], int]) -> Directive:
    def paths(wildcards: Any) -> list[str]:
        total = count(systems[wildcards.system])
        return [path.format(system=wildcards.system, block=block) for block in range(total)]

    return paths


def final_targets(systems: Systems) -> list[str]:
    """Everything a run is asked for: the bundle of each system, and what its patterns and data sets say."""
    targets = []
    for name, system in systems.items():
        folder = f"results/{name}"
        targets.append(f"{folder}/bundle/{name}.pacbed")
        if system.simulation.referee.phonons:
            targets.append(f"{folder}/simulation/referee_b.json")
        targets += [f"{folder}/predictions/{pattern}.json" for pattern in system.patterns]
        targets += [f"{folder}/maps/{dataset}.png" for dataset in system.datasets]
    return targets
