"""The code of the render process, which the service starts with ``open_render_worker``.

It runs apart from the service, so that a crash in a graphics driver does not end the service.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np

from turntable.datasets import Recipe
from turntable.datasets.labels import MoleculeRule
from turntable.errors import MeshError
from turntable.renderer import (
    LRUCache,
    encode_views,
    open_backend,
    open_source,
    pose_parts,
    quality_from_recipe,
)
from turntable.renderer.backends import Backend, select_backend
from turntable.renderer.meshes import Mesh
from turntable.renderer.meshes.sources import MeshSource, load_mesh, with_twins
from turntable.renderer.scene import scenes_from_labels
from turntable.service.rendering.jobs import RenderJob

MAX_MESHES = 32
"""Number of meshes that are kept for further views of the same objects."""
_SourceKey: TypeAlias = tuple[str, str | None, int, bool, MoleculeRule | None]
"""The name of a source, its folder, the number of its objects, True if they have parts, and the rule of
molecules."""


class RenderWorker:
    """A renderer of jobs that keeps its backend, mesh sources and latest meshes.

    Args:
        backend: Name of a render backend, or "auto".
        device: Device of the backend, or "auto".
        links_under: Folders into which links in the folders of the meshes may lead.
    """

    def __init__(self, backend: str, device: str, links_under: tuple[Path, ...] = ()) -> None:
        self._choice, self._links_under = (backend, device), links_under
        self._backend: Backend | None = None
        self._sources: dict[_SourceKey, MeshSource] = {}
        self._meshes = LRUCache[tuple[_SourceKey, bool, str], Mesh](MAX_MESHES)

    def render_jpeg(self, job: RenderJob) -> bytes:
        """Render one view and return it as JPEG.

        Raises:
            MeshError: The mesh cannot be used, or is not the one of the data set.
            InvalidInputError: The recipe or the label is wrong.
            DeviceError: The backend or its device cannot be used.
        """
        recipe = Recipe.from_dict(job.recipe, "in manifest.json")
        mesh = self._get_mesh(recipe, job)
        schema = recipe.schema
        label = schema.select_scene_columns(np.array([job.label], dtype=np.float32))
        scenes = scenes_from_labels(schema.scene_names, label)
        parts = pose_parts(recipe, job.object, mesh, np.array([job.view]), scenes.object_to_world)
        scenes = scenes if parts is None else parts.add_to_scenes(mesh, scenes)
        views = self._get_backend().render(mesh, scenes, job.size_px, quality_from_recipe(recipe), ("rgb",))
        return encode_views(recipe, views.rgb)[0]

    def _get_backend(self) -> Backend:
        if self._backend is None:
            choice = select_backend(*self._choice)
            self._backend = open_backend(choice.backend, choice.devices[0])
        return self._backend

    def _get_mesh(self, recipe: Recipe, job: RenderJob) -> Mesh:
        source_key = recipe.source, job.meshes, job.objects, recipe.parts, recipe.molecules
        mesh_key = source_key, recipe.mirrored, job.object
        mesh = self._meshes.get(mesh_key)
        if mesh is None:
            mesh = self._load_mesh(source_key, job, mirrored=recipe.mirrored)
            self._meshes.put(mesh_key, mesh, 1)
        return mesh

    def _load_mesh(self, source_key: _SourceKey, job: RenderJob, *, mirrored: bool) -> Mesh:
        if source_key not in self._sources:
            name, folder, num_objects, with_parts, molecules = source_key
            path = None if folder is None else Path(folder)
            self._sources[source_key] = open_source(
                name,
                path,
                num_objects,
                links_under=self._links_under,
                with_parts=with_parts,
                molecules=molecules,
            )
        source = with_twins(self._sources[source_key], mirrored=mirrored)
        mesh = load_mesh(source, job.object)
        if job.sha256 and source.compute_digest(job.object, mesh) != job.sha256:
            raise MeshError(
                f"the mesh of {job.object} is not the one that the data set was rendered from; "
                "start the service with the original meshes",
                reason="it is not the mesh that the data set was rendered from",
            )
        return mesh


def open_render_worker(
    backend: str, device: str, links_under: tuple[Path, ...] = ()
) -> Callable[[RenderJob], bytes]:
    """Return the function that renders jobs, for the process of an IsolatedWorker.

    Args:
        backend: Name of a render backend, or "auto".
        device: Device of the backend, or "auto".
        links_under: Folders into which links in the folders of the meshes may lead.
    """
    return RenderWorker(backend, device, links_under).render_jpeg
