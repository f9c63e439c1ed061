"""Molecules in data sets: the facts of their records, their statistics, and rdkit's view of them."""

from turntable.datasets.molecules.chemistry import Chemistry, build_molecule, find_chemistry
from turntable.datasets.molecules.facts import MoleculeFacts

__all__ = ["Chemistry", "MoleculeFacts", "build_molecule", "find_chemistry"]
