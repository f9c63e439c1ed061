"""The Chemical Component Dictionary of the wwPDB, as it lies in the wheel of biotite.

Westbrook et al., Bioinformatics 2015. The wheel holds the atoms and bonds of every component, with ideal
coordinates in angstroms. They are read once in each process, in two to three seconds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import ATOMIC_NUMBERS, HYDROGEN, MoleculeRule
from turntable.errors import MeshError
from turntable.extras import explain_import_errors
from turntable.renderer.meshes.molecules.molecule import Molecule
from turntable.renderer.meshes.molecules.ring_classes import name_ring_classes

_ORDERS = {"SING": 1, "DOUB": 2, "TRIP": 3}
"""Orders of bonds by their names in the dictionary."""


@dataclass(frozen=True, slots=True, eq=False)
class _Dictionary:
    """The columns of the dictionary that are used. Rows of one component are adjacent."""

    ids: tuple[str, ...]
    """Ids of the components, in the order of the file."""
    names: Mapping[str, str]
    """Names of the components by id."""
    atom_rows: Mapping[str, slice]
    """Rows of each component's atoms by id."""
    bond_rows: Mapping[str, slice]
    """Rows of each component's bonds by id; components without bonds are not there."""
    atom_names: NDArray[np.bytes_]
    positions: NDArray[np.float32]
    """[A, 3] ideal coordinates; NaN where the file has none."""
    elements: NDArray[np.uint8]
    """[A] atomic numbers; 0 for elements of which no molecules are made."""
    formal_charges: NDArray[np.int8]
    atom_is_aromatic: NDArray[np.bool_]
    bond_ends: NDArray[np.bytes_]
    """[B, 2] names of the bonds' atoms."""
    orders: NDArray[np.uint8]
    bond_is_aromatic: NDArray[np.bool_]


def iter_components(rule: MoleculeRule) -> Iterator[tuple[str, str]]:
    """Iterate over the ids and ring classes of the components that a rule chooses, sorted by id.

    Components without coordinates are among them.

    Raises:
        MissingExtraError: The library biotite is not installed.
    """
    table = _read_dictionary()
    rows = [table.atom_rows[name] for name in table.ids]
    owner = np.repeat(np.arange(len(rows)), [item.stop - item.start for item in rows])
    num_atoms = np.bincount(owner, minlength=len(rows))
    num_heavy = _count(owner, table.elements != HYDROGEN, len(rows))
    allowed = np.isin(table.elements, [HYDROGEN, *(ATOMIC_NUMBERS[name] for name in rule.elements)])
    chosen = _count(owner, allowed, len(rows)) == num_atoms
    chosen &= (num_heavy >= rule.min_heavy_atoms) & (num_heavy <= rule.max_heavy_atoms)
    bonds = [table.bond_rows.get(name, slice(0, 0)) for name in table.ids]
    classes = name_ring_classes(
        num_rings=np.array([item.stop - item.start for item in bonds]) - num_atoms + 1,
        num_aromatic=_count(owner, table.atom_is_aromatic, len(rows)),
        num_hetero=_count(owner, table.atom_is_aromatic & (table.elements != ATOMIC_NUMBERS["C"]), len(rows)),
    )
    yield from sorted((table.ids[row], classes[row]) for row in np.flatnonzero(chosen).tolist())


def read_component(component_id: str, object_id: str) -> Molecule:
    """Read a component, with hydrogen and the coordinates of the dictionary.

    Args:
        component_id: Id of the component: "ATP".
        object_id: Id of the object, for messages.

    Raises:
        MeshError: There is no such component, or it has no atoms, or of elements that are not covered.
        MissingExtraError: The library biotite is not installed.
    """
    table = _read_dictionary()
    if component_id not in table.names:
        raise MeshError(
            f"{object_id}: the dictionary has no such component; ids are those of the wwPDB, such as ccd/ATP",
            reason="unknown component",
        )
    rows = table.atom_rows.get(component_id, slice(0, 0))
    elements = table.elements[rows]
    if not elements.all():
        raise MeshError(
            f"{object_id}: it has atoms of other elements than {', '.join(ATOMIC_NUMBERS)}; leave it out",
            reason="other elements",
        )
    bonds = table.bond_rows.get(component_id, slice(0, 0))
    orders, is_aromatic = _read_bonds(table, rows, bonds)
    return Molecule(
        table.positions[rows].astype(np.float64),
        elements,
        table.formal_charges[rows],
        orders,
        is_aromatic,
        table.names[component_id],
    )


def _read_bonds(
    table: _Dictionary, atoms: slice, bonds: slice
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the orders [n, n] of a component's bonds, and a mask [n, n] of the aromatic ones."""
    place = {name: index for index, name in enumerate(table.atom_names[atoms].tolist())}
    ends = np.array([place[name] for name in table.bond_ends[bonds].ravel().tolist()], dtype=np.intp)
    first, second = ends.reshape(-1, 2).T
    orders = np.zeros((len(place), len(place)), dtype=np.uint8)
    is_aromatic = np.zeros(orders.shape, dtype=np.bool_)
    for here, there in ((first, second), (second, first)):
        orders[here, there] = table.orders[bonds]
        is_aromatic[here, there] = table.bond_is_aromatic[bonds]
    return orders, is_aromatic


def _count(owner: NDArray[np.intp], selected: NDArray[np.bool_], num_owners: int) -> NDArray[np.intp]:
    """Return for each of the owners of some rows how many of its rows are selected."""
    return np.bincount(owner[selected], minlength=num_owners)


@cache
def _read_dictionary() -> _Dictionary:
    with explain_import_errors("biotite"):
        from biotite.structure.info import get_ccd
    block = get_ccd()
    components, atoms, bonds = (block[f"chem_comp{suffix}"] for suffix in ("", "_atom", "_bond"))
    atom_rows, bond_rows = _group_rows(atoms["comp_id"].as_array()), _group_rows(bonds["comp_id"].as_array())
    axes = [_read_numbers(atoms[f"pdbx_model_Cartn_{axis}_ideal"]) for axis in "xyz"]
    names = zip(components["id"].as_array().tolist(), components["name"].as_array().tolist(), strict=True)
    table = _Dictionary(
        ids=tuple(atom_rows),
        names=dict(names),
        atom_rows=atom_rows,
        bond_rows=bond_rows,
        atom_names=_to_bytes(atoms["atom_id"].as_array()),
        positions=np.stack(axes, axis=-1),
        elements=_map_words(atoms["type_symbol"].as_array(), _list_symbols()),
        formal_charges=atoms["charge"].as_array().astype(np.int8),
        atom_is_aromatic=atoms["pdbx_aromatic_flag"].as_array() == "Y",
        bond_ends=np.stack([_to_bytes(bonds[f"atom_id_{end}"].as_array()) for end in (1, 2)], axis=-1),
        orders=_map_words(bonds["value_order"].as_array(), _ORDERS),
        bond_is_aromatic=bonds["pdbx_aromatic_flag"].as_array() == "Y",
    )
    get_ccd.cache_clear()  # it holds every column of the dictionary, in several times the memory of ours
    return table


def _to_bytes(words: NDArray[np.str_]) -> NDArray[np.bytes_]:
    """Return words of ASCII as bytes, ten times as fast as ``astype`` does."""
    letters = np.ascontiguousarray(words).view(np.uint32).astype(np.uint8)
    return letters.view(f"S{letters.size // len(words)}")


def _list_symbols() -> dict[str, int]:
    """Return the atomic numbers by symbol in capitals, as the dictionary writes it."""
    return {symbol.upper(): number for symbol, number in ATOMIC_NUMBERS.items()}


def _map_words(words: NDArray[np.str_], codes: Mapping[str, int]) -> NDArray[np.uint8]:
    """Return the code of each word; 0 for words without one."""
    mapped = np.zeros(len(words), dtype=np.uint8)
    for word, code in codes.items():
        mapped[words == word] = code
    return mapped


def _read_numbers(column: Any) -> NDArray[np.float32]:
    """Return a column of numbers; NaN where the file has none."""
    values = column.as_array().astype(np.float32)
    return values if column.mask is None else np.where(column.mask.array == 0, values, np.float32("nan"))


def _group_rows(ids: NDArray[np.str_]) -> dict[str, slice]:
    """Return the rows of each id of a column in which equal ids are adjacent."""
    starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
    ends = np.append(starts[1:], len(ids))
    rows = zip(ids[starts].tolist(), starts.tolist(), ends.tolist(), strict=True)
    return {name: slice(start, end) for name, start, end in rows}
