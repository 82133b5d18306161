"""A bundle without what can be made again: no rocking table, no held-out sample, networks in half the bytes."""

from __future__ import annotations

from pathlib import Path

from pacbed.bundle.archive import STRUCTURE, TABLE, VALIDATION, Archive, write_bundle
from pacbed.bundle.gate.contents import check_contents
from pacbed.bundle.pretrained.half_weights import halve_weights
from pacbed.bundle.recipe import Recipe
from pacbed.config.values import BUNDLE_SUFFIX
from pacbed.errors import bad_value
from pacbed.outputs import scratch_folder


def slim_bundle(bundle: str | Path, out_bundle: str | Path) -> None:
    """Write a bundle that holds everything but its rocking table and its sample of the stack; networks are rounded.

    Parameters
    ----------
    bundle : path
    out_bundle : path
        The new ``.pacbed`` file; complete or absent.

    Raises
    ------
    FormatError
        The bundle is damaged, or does not say how its table is made.
    ParameterError
        The new bundle would replace a file that is there, or its table cannot be made from what it holds.
    """
    whole, out = Archive(bundle), Path(out_bundle)
    if out.suffix != BUNDLE_SUFFIX or out.exists():
        raise bad_value("out", str(out), "a new .pacbed file")
    if whole.meta.crystal.get("thermal_model") == "frozen_phonons":
        raise bad_value("bundle", str(bundle), "a table that its slice potentials make again; displaced atoms do not")
    check_contents(whole)
    whole.verify()
    with scratch_folder(out.with_name(f"{out.name}.folder.part")) as folder:
        whole.extract(folder, without=(TABLE, VALIDATION))
        Recipe.load(folder / STRUCTURE)
        for network in folder.glob("*.onnx"):
            network.write_bytes(halve_weights(network.read_bytes()))
        write_bundle(folder, whole.meta, out)
