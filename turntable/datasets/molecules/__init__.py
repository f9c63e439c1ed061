"""Molecules in data sets: the facts of their records, their statistics, and rdkit's view of them."""

from turntable.datasets.molecules.chemistry import build_molecule, find_chemistry
from turntable.datasets.molecules.facts import MoleculeFacts
from turntable.datasets.molecules.statistics import (
    MoleculeArrays,
    MoleculeStatistics,
    count_molecules,
)

__all__ = [
    "MoleculeArrays",
    "MoleculeFacts",
    "MoleculeStatistics",
    "build_molecule",
    "count_molecules",
    "find_chemistry",
]
