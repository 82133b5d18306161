"""What a measured crystal hardly ever has, and programs write: sites that are all empty, one displacement for all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pacbed.crystal.identity import Pairs
from pacbed.crystal.reading.contradictions import SPLIT_A, Content, Contradiction
from pacbed.crystal.reading.displacements import B_OVER_U
from pacbed.crystal.reading.sites import Site

# ASSUME: where all atoms are disordered over alternatives, each takes one of at most three (estimate).
EMPTIEST_SITE = 0.3
SAME_U_A2 = 1e-6


def emptiness(content: Content, pairs: Pairs) -> list[Contradiction]:
    """Sites that are all nearly empty, their alternatives counted; `pairs` are the neighbours of the content."""
    filled = content.occupancy.copy()
    near = pairs.distance < SPLIT_A
    np.add.at(filled, pairs.first[near], content.occupancy[pairs.second[near]])
    fullest = filled.max()
    if fullest >= EMPTIEST_SITE:
        return []
    got = f"{fullest:.3g} in the fullest of {len(content.first_of_sites())} sites"
    advice = (
        f"{EMPTIEST_SITE:g} or more somewhere, as a rule 1; is the occupancy divided by the number of operations, or "
        "multiplied by a multiplicity? Write 1 for a full site"
    )
    return [Contradiction("density", "_atom_site_occupancy, no site is filled", got, advice)]


def overall_displacement(
    sites: list[Site], stars: np.ndarray, lattice: np.ndarray, given: Mapping[str, float]
) -> list[str]:
    """A note where several elements of a file share one isotropic value above 0.

    Parameters
    ----------
    sites : list of Site
    stars : ndarray, shape (site, 3, 3)
        U* as `read_displacements` gives them.
    lattice : ndarray, shape (3, 3)
        Lattice vectors as rows [Å].
    given : mapping of str to float
        What the configuration gives, which is no value of the file.
    """
    tensors = lattice.T @ stars @ lattice
    u_iso = float(np.trace(tensors[0])) / 3
    same = np.abs(tensors - u_iso * np.eye(3)).max() < SAME_U_A2
    if given or not same or u_iso < SAME_U_A2 or len({site.element for site in sites}) < 2:
        return []
    return [
        f"all sites have U = {u_iso:.3g} Å^2 (B = {B_OVER_U * u_iso:.3g} Å^2): an overall value, or one that a program "
        "wrote where none was known"
    ]
