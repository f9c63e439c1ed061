"""Sources whose objects do harm to those who load or draw them; a spawned process can import them."""

import os
import signal
import time
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from turntable.errors import MeshError, MissingExtraError
from turntable.renderer.meshes import Material, Mesh
from turntable.renderer.meshes.sources import SourceObject, ZooSource


class DeadlyMaterial(Material):
    """Kills whoever asks for its texture, except the one that loads; with a marker, once."""

    marker: Path | None = None
    made_in: int | None = None
    """The process that loads it, which comes to no harm; None in all others."""

    def __getattribute__(self, name: str) -> Any:
        marker = object.__getattribute__(self, "marker")
        is_loaded = object.__getattribute__(self, "made_in") == os.getpid()
        if name == "texture" and not is_loaded and not (marker and marker.exists()):
            if marker:
                marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return object.__getattribute__(self, name)

    def __reduce__(self) -> tuple[Any, ...]:
        values = {item.name: object.__getattribute__(self, item.name) for item in fields(Material)}
        return deadly, (Material(**values), object.__getattribute__(self, "marker"))


def deadly(material: Material, marker: Path | None, made_in: int | None = None) -> DeadlyMaterial:
    """The material, made deadly; it remembers the marker, also in another process."""
    made = DeadlyMaterial(**{item.name: getattr(material, item.name) for item in fields(Material)})
    object.__setattr__(made, "marker", marker)
    object.__setattr__(made, "made_in", made_in)
    return made


@dataclass(frozen=True)
class DeadlySource(ZooSource):
    """A zoo in which drawing one object kills the process."""

    victim: str = ""
    marker: Path | None = None

    def load(self, object_id: str) -> Mesh:
        mesh = super().load(object_id)
        if object_id != self.victim:
            return mesh
        return replace(
            mesh, materials=tuple(deadly(item, self.marker, os.getpid()) for item in mesh.materials)
        )

    def compute_digest(self, object_id: str, mesh: Mesh) -> str:
        return super().compute_digest(object_id, super().load(object_id))


@dataclass(frozen=True)
class Misbehaving(ZooSource):
    """Loading "kill", "exit", "hang", "swell", "refuse" does that; "… once" only the first time."""

    folder: Path = Path()
    names: tuple[str, ...] = ()

    def list_objects(self) -> tuple[SourceObject, ...]:
        return tuple(SourceObject(name, "unsorted") for name in self.names)

    def load(self, object_id: str) -> Mesh:
        word, *more = object_id.split()
        (self.folder / f"process {os.getpid()}").touch()
        if more != ["once"] or self._first(object_id):
            self._do(word)
        return super().load("mug/000000")

    def compute_digest(self, object_id: str, mesh: Mesh) -> str:
        return f"digest of {object_id}"

    def _first(self, object_id: str) -> bool:
        mark = self.folder / f"first {object_id}"
        if mark.exists():
            return False
        mark.touch()
        return True

    def _do(self, word: str) -> None:
        if word == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "exit":
            os._exit(7)
        if word == "hang":
            time.sleep(60)
        if word == "swell":
            np.ones(2**40, dtype=np.uint8)
        if word == "refuse":
            raise MeshError("no faces here", reason="no faces")
        if word == "stumble":
            raise KeyError("a parser's own")
        if word == "need":
            raise MissingExtraError("trimesh", "render")
