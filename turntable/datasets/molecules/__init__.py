"""Molecules in data sets: the facts of their records, their statistics, and rdkit's view of them."""

from turntable.datasets.molecules.chemistry import Chemistry, build_molecule, find_chemistry
from turntable.datasets.molecules.facts import MoleculeFacts
from turntable.datasets.molecules.statistics import (
    MoleculeArrays,
    MoleculeStatistics,
    ValencyCount,
    count_molecules,
)

__all__ = [
    "Chemistry",
    "MoleculeArrays",
    "MoleculeFacts",
    "MoleculeStatistics",
    "ValencyCount",
    "build_molecule",
    "count_molecules",
    "find_chemistry",
]
