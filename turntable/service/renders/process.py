"""The process that draws views on request: apart from the service, which outlives whatever happens here."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from turntable.datasets import Recipe
from turntable.errors import MeshError
from turntable.renderer import Recent, encode_views, open_backend, open_source, recipe_quality
from turntable.renderer.backends import Backend, choose
from turntable.renderer.meshes import Mesh
from turntable.renderer.meshes.sources import MeshSource, load_mesh
from turntable.renderer.scene import scenes_from_labels
from turntable.service.renders.job import RenderJob

MOST_MESHES = 32
"""Kept for the next view of the same object."""


class Studio:
    """Draws jobs, and keeps what the next one may need."""

    def __init__(self, backend: str, device: str) -> None:
        self._wanted = backend, device
        self._backend: Backend | None = None
        self._sources: dict[tuple[str, str | None, int], MeshSource] = {}
        self._meshes = Recent[tuple[str, str | None, int, str], Mesh](MOST_MESHES)

    def draw(self, job: RenderJob) -> bytes:
        """A JPEG. Raises MeshError, InvalidInputError or DeviceError."""
        recipe = Recipe.from_dict(job.recipe, "in manifest.json")
        mesh = self._mesh(recipe, job)
        schema = recipe.schema
        label = schema.scene_columns(np.array([job.label], dtype=np.float32))
        scenes = scenes_from_labels(schema.scene_names, label)
        drawn = self._device().render(mesh, scenes, job.size_px, recipe_quality(recipe), ("rgb",))
        return encode_views(recipe, drawn.rgb)[0]

    def _device(self) -> Backend:
        if self._backend is None:
            choice = choose(*self._wanted)
            self._backend = open_backend(choice.backend, choice.devices[0])
        return self._backend

    def _mesh(self, recipe: Recipe, job: RenderJob) -> Mesh:
        place = recipe.source, job.meshes, job.objects
        mesh = self._meshes.get((*place, job.object))
        if mesh is None:
            mesh = self._load(place, job)
            self._meshes.put((*place, job.object), mesh, 1)
        return mesh

    def _load(self, place: tuple[str, str | None, int], job: RenderJob) -> Mesh:
        if place not in self._sources:
            name, folder, objects = place
            self._sources[place] = open_source(name, None if folder is None else Path(folder), objects)
        source = self._sources[place]
        mesh = load_mesh(source, job.object)
        if job.sha256 and source.digest(job.object, mesh) != job.sha256:
            raise MeshError(
                f"the mesh of {job.object} is not the one that the data set was drawn from; "
                "serve with the meshes it was made of",
                reason="not the one that the data set was drawn from",
            )
        return mesh


def open_studio(backend: str, device: str) -> Callable[[RenderJob], bytes]:
    """Return what draws jobs, for a process that answers them.

    Args:
        backend: What draws: a name of the renderer's, or "auto".
        device: Of it.
    """
    return Studio(backend, device).draw
