"""The molecules of a recipe, and the codes of elements and bonds in their arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

MoleculeDataset = Literal["ccd", "nci"]
"""A collection of molecules. "ccd": the Chemical Component Dictionary of the wwPDB, with ideal coordinates.
"nci": the first 5,000 compounds of the NCI's open database, with computed conformers."""
ElementName = Literal["B", "C", "N", "O", "F", "P", "S", "Cl", "Br", "I"]
"""Symbol of an element besides hydrogen that a molecule may have."""
HEAVY_ELEMENTS: tuple[ElementName, ...] = get_args(ElementName)
ATOMIC_NUMBERS: Mapping[str, int] = {
    "H": 1,
    "B": 5,
    "C": 6,
    "N": 7,
    "O": 8,
    "F": 9,
    "P": 15,
    "S": 16,
    "Cl": 17,
    "Br": 35,
    "I": 53,
}
"""Atomic numbers of the elements by symbol: the array ``elements`` holds them."""
ELEMENT_SYMBOLS: Mapping[int, str] = {number: symbol for symbol, number in ATOMIC_NUMBERS.items()}
"""Symbols of the elements by atomic number."""
HYDROGEN = 1
"""Atomic number of hydrogen."""
AROMATIC_BOND = 4
"""Code of an aromatic bond in the array ``bonds``; 1 to 3 are its orders, and 0 is no bond."""
BOND_NAMES: tuple[str, ...] = ("none", "single", "double", "triple", "aromatic")
"""Names of the codes of bonds, in their order."""
BOND_ORDERS: tuple[float, ...] = (0.0, 1.0, 2.0, 3.0, 1.5)
"""Valence that a bond of each code takes of either atom."""
DEFAULT_MAX_HEAVY_ATOMS = 30
MAX_HEAVY_ATOMS = 200
"""Number of atoms besides hydrogen of the dictionary's largest molecule."""


@dataclass(frozen=True, slots=True)
class MoleculeRule:
    """The rule that chooses molecules, as in a recipe's table [molecules]."""

    dataset: MoleculeDataset = "ccd"
    """Collection of molecules."""
    min_heavy_atoms: int = 1
    """Smallest number of atoms besides hydrogen."""
    max_heavy_atoms: int = DEFAULT_MAX_HEAVY_ATOMS
    """Largest number of atoms besides hydrogen."""
    hydrogens: bool = True
    """True if hydrogen atoms are kept."""
    aromatic: bool = True
    """True if bonds of aromatic rings have a code of their own; False for single and double ones in turn."""
    elements: tuple[ElementName, ...] = HEAVY_ELEMENTS
    """Elements that a molecule may have besides hydrogen, in the order of ``HEAVY_ELEMENTS``."""

    def __str__(self) -> str:
        """Return the rule as a text."""
        size = f"{self.min_heavy_atoms} to {self.max_heavy_atoms} atoms of {', '.join(self.elements)}"
        hydrogen = "with hydrogen" if self.hydrogens else "without hydrogen"
        bonds = "aromatic bonds" if self.aromatic else "single and double bonds in aromatic rings"
        return f"{self.dataset}: {size}, {hydrogen}, {bonds}"

    def to_dict(self) -> dict[str, Any]:
        """Return the table [molecules] of a recipe."""
        return {
            "dataset": self.dataset,
            "min_heavy_atoms": self.min_heavy_atoms,
            "max_heavy_atoms": self.max_heavy_atoms,
            "hydrogens": self.hydrogens,
            "aromatic": self.aromatic,
            "elements": list(self.elements),
        }


DEFAULT_MOLECULE_RULE = MoleculeRule()
"""The rule of a recipe without a table [molecules]."""
