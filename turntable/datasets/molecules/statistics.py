"""Histograms of the molecules of a data set: the marginals that models of molecules begin with."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import JsonFields
from turntable.datasets.labels import BOND_NAMES, BOND_ORDERS, ELEMENT_SYMBOLS

MoleculeArrays = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
"""The arrays ``elements`` [n], ``formal_charges`` [n] and ``bonds`` [n, n] of a molecule."""
_MAX_COUNT = 2**62
_MAX_ROWS = 10_000
"""Maximum number of rows of the table of valencies."""
_MAX_CHARGE = 127
_NUMBER = re.compile(r"-?\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ValencyCount:
    """The number of atoms of an element and a charge that have a valency."""

    element: str
    formal_charge: int
    valency: float
    """Sum of the orders of the atom's bonds, 1.5 for an aromatic one; without hydrogen that is left out."""
    count: int


@dataclass(frozen=True, slots=True)
class MoleculeStatistics:
    """Histograms over all molecules of a split."""

    atoms: Mapping[int, int]
    """Number of molecules by their number of atoms."""
    elements: Mapping[str, int]
    """Number of atoms by the symbol of their element."""
    formal_charges: Mapping[int, int]
    """Number of atoms by their formal charge."""
    bonds: Mapping[str, int]
    """Number of ordered pairs of two atoms of one molecule by their bond, "none" included."""
    valencies: tuple[ValencyCount, ...]
    """Number of atoms by element, charge and valency, sorted."""

    @classmethod
    def from_fields(cls, fields: JsonFields) -> "MoleculeStatistics":
        """Read what the manifest holds, from untrusted JSON. Raises FieldError."""
        statistics = cls(
            _read_numbered_counts(fields, "atoms"),
            _read_counts(fields, "elements"),
            _read_numbered_counts(fields, "formal_charges"),
            _read_counts(fields, "bonds"),
            tuple(_read_valency(item) for item in fields.iter_fields("valencies", _MAX_ROWS)),
        )
        fields.check_all_read()
        return statistics


def count_molecules(molecules: Iterable[MoleculeArrays]) -> MoleculeStatistics:
    """Count the atoms and bonds of molecules, in any order."""
    atoms: Counter[int] = Counter()
    kinds: Counter[tuple[int, int, float]] = Counter()
    bonds = np.zeros(len(BOND_NAMES), dtype=np.int64)
    for elements, formal_charges, codes in molecules:
        atoms[len(elements)] += 1
        valencies = np.array(BOND_ORDERS)[codes].sum(axis=1)
        kinds.update(zip(elements.tolist(), formal_charges.tolist(), valencies.tolist(), strict=True))
        bonds += np.bincount(codes.ravel(), minlength=len(bonds))
        bonds[0] -= len(elements)  # an atom and itself are no pair
    rows = sorted(kinds.items())
    return MoleculeStatistics(
        dict(sorted(atoms.items())),
        {ELEMENT_SYMBOLS[number]: count for number, count in _sum_by(rows, 0).items()},
        _sum_by(rows, 1),
        {name: count for name, count in zip(BOND_NAMES, bonds.tolist(), strict=True) if count},
        tuple(
            ValencyCount(ELEMENT_SYMBOLS[number], charge, valency, count)
            for (number, charge, valency), count in rows
        ),
    )


def _sum_by(rows: Iterable[tuple[tuple[int, int, float], int]], place: int) -> dict[int, int]:
    """Return the sum of the counts for each element (place 0) or charge (place 1), sorted."""
    sums: Counter[int] = Counter()
    for kind, count in rows:
        sums[int(kind[place])] += count
    return dict(sorted(sums.items()))


def _read_counts(fields: JsonFields, name: str) -> dict[str, int]:
    counts = fields.get_fields(name)
    return {key: counts.get_integer(key, 0, _MAX_COUNT) for key in counts.list_names()}


def _read_numbered_counts(fields: JsonFields, name: str) -> dict[int, int]:
    counts = _read_counts(fields, name)
    if not all(_NUMBER.fullmatch(key) for key in counts):
        fields.raise_error(name, "counts by whole numbers")
    return {int(key): count for key, count in counts.items()}


def _read_valency(fields: JsonFields) -> ValencyCount:
    row = ValencyCount(
        fields.get_choice("element", tuple(ELEMENT_SYMBOLS.values())),
        fields.get_integer("formal_charge", -_MAX_CHARGE, _MAX_CHARGE),
        fields.get_number("valency", 0, _MAX_COUNT),
        fields.get_integer("count", 1, _MAX_COUNT),
    )
    fields.check_all_read()
    return row
