"""The part that sources share which change another source."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from turntable.datasets.molecules import MoleculeFacts
from turntable.renderer.meshes.sources.source import MeshSource, find_molecule_facts, find_source_arrays


@dataclass(frozen=True, slots=True)
class WrappedSource:
    """A source around another one, whose name, license and folder it has."""

    source: MeshSource
    """Source of the meshes."""

    @property
    def name(self) -> str:
        """Name of the source in recipes and manifests."""
        return self.source.name

    @property
    def license(self) -> str:
        """License of the meshes as a whole."""
        return self.source.license

    def find_arrays(self, object_id: str) -> Mapping[str, NDArray[Any]]:
        """Return the arrays that the source has of an object by name."""
        return find_source_arrays(self.source, object_id)

    def find_molecule(self, object_id: str) -> MoleculeFacts | None:
        """Return the facts that the source has about a molecule, if the object is one."""
        return find_molecule_facts(self.source, object_id)

    @property
    def root(self) -> Path | None:
        """Folder of the meshes, if they lie in one."""
        root = getattr(self.source, "root", None)
        return root if isinstance(root, Path) else None

    @property
    def links_under(self) -> tuple[Path, ...]:
        """Folders that links below the root may lead into, besides the root."""
        return getattr(self.source, "links_under", ())
