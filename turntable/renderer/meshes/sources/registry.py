"""The sources of meshes by the names that recipes and the command line use."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, get_args

from turntable.choices import GENERATED_SOURCES, SOURCES_OF_GLTF, SourceName, check_choice
from turntable.datasets import Manifest, Recipe, read_manifest_recipe
from turntable.datasets.labels import DEFAULT_MOLECULE_RULE, DynamicsRule, MoleculeRule
from turntable.errors import IntegrityError, InvalidInputError
from turntable.home import expand_home
from turntable.renderer.meshes.sources.articulated import ArticulatedSource
from turntable.renderer.meshes.sources.folder import FolderSource
from turntable.renderer.meshes.sources.gso import GsoSource
from turntable.renderer.meshes.sources.molecules import MoleculeSource
from turntable.renderer.meshes.sources.objaverse import ObjaverseSource
from turntable.renderer.meshes.sources.particles import ParticleSource
from turntable.renderer.meshes.sources.scene_composers import make_composer
from turntable.renderer.meshes.sources.scene_source import DEFAULT_SCENES, SCENE_COUNTS, SceneSource
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource
from turntable.renderer.meshes.sources.shapenetsem import ShapeNetSemSource
from turntable.renderer.meshes.sources.solids import SolidsSource
from turntable.renderer.meshes.sources.source import MeshSource
from turntable.renderer.meshes.sources.zoo import ZooSource

_FOLDER_SOURCES: dict[str, Callable[..., MeshSource]] = {
    "shapenet": ShapeNetSource,
    "shapenet-v1": partial(ShapeNetSource, version="v1"),
    "shapenetsem": ShapeNetSemSource,
    "objaverse": ObjaverseSource,
    "gso": GsoSource,
    "folder": FolderSource,
}
"""Sources that read a folder, by name."""
DEFAULT_OBJECTS = 320
"""Number of objects of a source that generates its meshes, if none is given."""
DEFAULT_SOLIDS = 275
"""Number of solids if none is given: 25 instances of each."""

_MAX_GENERATED_CATEGORIES = 64
"""A number of categories that no source that generates its meshes exceeds."""


def open_source(
    name: str,
    meshes_path: Path | None,
    num_objects: int | None = None,
    *,
    links_under: Iterable[str | Path] = (),
    dynamics: DynamicsRule | None = None,
    with_parts: bool = False,
    molecules: MoleculeRule | None = None,
) -> MeshSource:
    """Open a source of meshes.

    Args:
        name: Name of the source, one of ``choices.SourceName``.
        meshes_path: Folder of the meshes. Sources that generate their meshes need none.
        num_objects: Number of objects of a source that generates them. Other sources ignore it.
        links_under: Folders that links below the folder of the meshes may lead into, besides that folder.
        dynamics: Rule of the recipe, which says the law and the number of particles. Without one, particles
            are listed as five charged ones; systems with any id are loaded.
        with_parts: True for assemblies of what animations and skins move. Other sources ignore it.
        molecules: Rule of the recipe, which chooses molecules; without one, ``DEFAULT_MOLECULE_RULE``.

    Raises:
        InvalidInputError: No source has this name, or the folder is missing, or a source that generates its
            meshes was given one.
    """
    if name in GENERATED_SOURCES:
        if meshes_path is not None:
            shown = "the zoo" if name == "zoo" else f"source {name!r}"
            raise InvalidInputError(
                f"{shown} generates its meshes and reads none from {meshes_path}; leave --meshes out, "
                "or choose a recipe whose source is shapenet or folder"
            )
        if name == "molecules":
            return MoleculeSource(molecules or DEFAULT_MOLECULE_RULE, num_objects)
        return _open_generated(name, num_objects, dynamics)
    check_choice("source of meshes", name, get_args(SourceName))
    if meshes_path is None:
        raise InvalidInputError(f"source {name!r} needs the folder of its meshes: give --meshes DIR")
    options: dict[str, Any] = {"with_parts": True} if with_parts and name in SOURCES_OF_GLTF else {}
    links = tuple(map(expand_home, links_under))
    return _FOLDER_SOURCES[name](expand_home(meshes_path), links_under=links, **options)


def open_recipe_source(
    recipe: Recipe,
    meshes_path: Path | None,
    num_objects: int | None = None,
    *,
    num_base_objects: int | None = None,
    links_under: Iterable[str | Path] = (),
) -> MeshSource:
    """Open the source of meshes that a recipe names, composed into scenes if the recipe says so.

    Args:
        recipe: Recipe of the data set.
        meshes_path: Folder of the meshes. The zoo needs none.
        num_objects: Number of scenes, or of objects of the zoo. Other sources ignore it.
        num_base_objects: Largest number of objects to compose scenes of; all of them if None.
        links_under: Folders that links below the folder of the meshes may lead into, besides that folder.

    Raises:
        InvalidInputError: The folder is missing, or the zoo was given one, or ``num_base_objects`` was given
            for a recipe without scenes.
    """
    if make_composer(recipe) is not None:
        num_generated = _count_generated(recipe, num_base_objects)
        base = _open_for_recipe(recipe, recipe.source, meshes_path, num_generated, links_under)
        num_scenes = DEFAULT_SCENES if num_objects is None else num_objects
        return SceneSource(base, recipe, num_scenes, num_base_objects)
    if num_base_objects is not None:
        raise InvalidInputError(
            f"--base-objects {num_base_objects}: the recipe {recipe.name} composes no scenes; leave the "
            "option out, or choose a recipe with a table [scene] or [street]"
        )
    return _open_for_recipe(recipe, recipe.source, meshes_path, num_objects, links_under)


def reopen_source(
    manifest: Manifest, name: str, meshes_path: Path | None, *, links_under: Iterable[str | Path] = ()
) -> MeshSource:
    """Open the source of the meshes of a finished data set, with its scenes if it has some.

    Args:
        manifest: Manifest of the data set.
        name: Name of the source of the meshes.
        meshes_path: Folder of the meshes. The zoo needs none.
        links_under: Folders that links below the folder of the meshes may lead into, besides that folder.

    Raises:
        InvalidInputError: The folder is missing, or the zoo was given one.
        IntegrityError: The manifest does not say of what its scenes were composed.
    """
    recipe = read_manifest_recipe(manifest)
    if make_composer(recipe) is None:
        return _open_for_recipe(recipe, name, meshes_path, None, links_under)
    num_scenes, num_base_objects = (manifest.source.get(key) for key in SCENE_COUNTS)
    if not isinstance(num_scenes, int) or not isinstance(num_base_objects, int):
        raise IntegrityError(
            f"{manifest.name}: its manifest does not give {' and '.join(SCENE_COUNTS)} of its source, so its "
            "scenes cannot be composed again; verify it without rendering views"
        )
    changed = recipe.replace(source=name)
    return open_recipe_source(
        changed, meshes_path, num_scenes, num_base_objects=num_base_objects, links_under=links_under
    )


def _open_for_recipe(
    recipe: Recipe,
    name: str,
    meshes_path: Path | None,
    num_objects: int | None,
    links_under: Iterable[str | Path],
) -> MeshSource:
    """Open the source of this name by the rules of the recipe."""
    return open_source(
        name,
        meshes_path,
        num_objects,
        links_under=links_under,
        dynamics=recipe.dynamics,
        with_parts=recipe.parts,
        molecules=recipe.molecules,
    )


def _count_generated(recipe: Recipe, num_base_objects: int | None) -> int | None:
    """Return how many objects a generated source needs to have so many of a street's categories."""
    if recipe.street is None or num_base_objects is None:
        return num_base_objects
    return max(DEFAULT_OBJECTS, _MAX_GENERATED_CATEGORIES * num_base_objects)


def _open_generated(name: str, num_objects: int | None, dynamics: DynamicsRule | None) -> MeshSource:
    if num_objects is None:
        num_objects = DEFAULT_SOLIDS if name == "solids" else DEFAULT_OBJECTS
    if name == "zoo":
        return ZooSource(num_objects)
    if name == "solids":
        return SolidsSource(num_objects)
    if name == "articulated":
        return ArticulatedSource(num_objects)
    if dynamics is None:
        return ParticleSource(num_objects)
    return ParticleSource(num_objects, dynamics.law, dynamics.bodies)
