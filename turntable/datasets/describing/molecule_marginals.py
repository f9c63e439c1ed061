"""The histograms of the molecules of a split, for the manifest."""

from collections.abc import Iterator

from turntable.datasets.molecules import MoleculeArrays, MoleculeStatistics, count_molecules
from turntable.datasets.split import Split


def compute_molecule_statistics(split: Split) -> MoleculeStatistics:
    """Count the atoms and bonds of all molecules of a split, whose data set has their arrays.

    Raises:
        IntegrityError: A shard is not as it was written.
    """
    return count_molecules(_iter_molecules(split))


def _iter_molecules(split: Split) -> Iterator[MoleculeArrays]:
    for row in range(split.num_objects):
        elements, charges, bonds = (
            split.read_array(row, name) for name in ("elements", "formal_charges", "bonds")
        )
        if elements is not None and charges is not None and bonds is not None:
            yield elements, charges, bonds
