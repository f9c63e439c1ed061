"""Facts about a molecule, as the object's record holds them besides its arrays."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from turntable.datasets.files import JsonFields

_MAX_TEXT_LENGTH = 4_000
"""Maximum length of a name or SMILES."""
_MAX_ATOMS = 100_000
_MAX_ANGSTROMS = 1e4


@dataclass(frozen=True, slots=True)
class MoleculeFacts:
    """Facts about a molecule, and where its picture shows its atoms.

    An atom at p angstroms, in the frame of ``atom_positions``, is at ``diagonals_per_angstrom`` times
    ``p - center`` in the object's frame, in which the mesh, its point cloud and its pictures show it.
    """

    name: str
    """Name in its collection."""
    smiles: str
    """Canonical SMILES without hydrogen and stereochemistry; "" if rdkit refuses the molecule."""
    scaffold: str
    """Canonical SMILES of the Murcko scaffold; "" for a molecule without rings, and as above."""
    heavy_atoms: int
    """Number of atoms besides hydrogen."""
    rotatable_bonds: int
    """Number of rotatable bonds in rdkit's strict definition; 0 if rdkit refuses the molecule."""
    diagonals_per_angstrom: float
    """Length in the picture's unit of an angstrom."""
    center: tuple[float, float, float]
    """The point in angstroms that is the origin of the object's frame: the middle of its bounding box."""

    def mirror(self) -> "MoleculeFacts":
        """Return the facts of the mirror image, x to -x."""
        x, y, z = self.center
        return replace(self, center=(-x + 0.0, y, z))

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as a table for JSON."""
        return asdict(self) | {"center": list(self.center)}

    @classmethod
    def from_fields(cls, fields: JsonFields) -> "MoleculeFacts":
        """Read what ``to_dict`` wrote, from untrusted JSON. Raises FieldError."""
        x, y, z = fields.get_numbers("center", 3, -_MAX_ANGSTROMS, _MAX_ANGSTROMS)
        return cls(
            name=fields.get_text("name", _MAX_TEXT_LENGTH),
            smiles=fields.get_text("smiles", _MAX_TEXT_LENGTH),
            scaffold=fields.get_text("scaffold", _MAX_TEXT_LENGTH),
            heavy_atoms=fields.get_integer("heavy_atoms", 0, _MAX_ATOMS),
            rotatable_bonds=fields.get_integer("rotatable_bonds", 0, _MAX_ATOMS),
            diagonals_per_angstrom=fields.get_number("diagonals_per_angstrom", 0, _MAX_ANGSTROMS),
            center=(x, y, z),
        )
