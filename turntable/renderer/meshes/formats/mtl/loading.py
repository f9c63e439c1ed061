"""Wavefront MTL files and their textures, read as Blender's importer makes Principled materials of them.

Kd is taken as linear, and a ``map_Kd`` texture replaces it. Specular is mean(Ks), roughness is
1 - sqrt(Ns / 1000). Without Ks and Ns, ``illum`` of 2 and above means a mirror-smooth highlight, and any
other value no highlight at all.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from turntable.errors import format_text
from turntable.renderer.meshes.formats.files import ObjectFiles
from turntable.renderer.meshes.formats.images import TextureLoader
from turntable.renderer.meshes.formats.mtl.blocks import MtlBlock, read_library
from turntable.renderer.meshes.formats.mtl.losses import report_losses
from turntable.renderer.meshes.formats.mtl.textures import NO_MOVE, TexcoordMove, load_textures
from turntable.renderer.meshes.formats.mtl.values import parse_color, parse_value
from turntable.renderer.meshes.mesh import Material


@dataclass(frozen=True, slots=True, eq=False)
class LoadedMaterials:
    """The materials of an OBJ file, and what they ask of its faces."""

    materials: tuple[Material, ...]
    """The default material at index 0, followed by those of the file in the order of their numbers."""
    undefined: frozenset[int]
    """Indices of the materials that no file defines."""
    moves: dict[int, TexcoordMove]
    """Moves of the texture coordinates of the faces of a material, by its index."""


def load_materials(
    obj_path: Path, libraries: Iterable[str], names: Mapping[str, int], object_files: ObjectFiles
) -> LoadedMaterials:
    """Load the materials of an OBJ file. What is missing is in the log of the object's files.

    Args:
        obj_path: Path of the OBJ file.
        libraries: Texts of its ``mtllib`` lines.
        names: Index of each material by name, from 1.
        object_files: Access to the files of the object.
    """
    textures, libraries = TextureLoader(object_files), tuple(libraries)
    library = read_library(obj_path, libraries, names, object_files)
    materials, undefined, moves = [Material()], {0}, dict[int, TexcoordMove]()
    for index, name in enumerate(sorted(names, key=lambda key: names[key]), 1):
        block = library.find(name)
        if block is None:
            materials.append(replace(Material(), name=name))
            undefined.add(index)
            # If a whole file is missing, one warning says so already.
            if library.is_whole and libraries:
                detail = f"material {format_text(name, 80)} is not defined"
                object_files.log.add("material-missing", detail, "it is gray")
        else:
            material, move = _build_material(block, name, obj_path.parent, textures)
            materials.append(material)
            if move != NO_MOVE:
                moves[index] = move
    if names and not libraries and len(undefined) == len(materials):
        detail = f"{len(names):,} materials are used, and no material file is named"
        object_files.log.add("material-missing", detail, "they are gray")
    return LoadedMaterials(tuple(materials), frozenset(undefined), moves)


def _build_material(
    block: MtlBlock, name: str, folder: Path, textures: TextureLoader
) -> tuple[Material, TexcoordMove]:
    """Build a material from its block, and return it with the move of its texture coordinates."""
    values, log = block.values, textures.object_files.log
    glossy = parse_value(values.get("illum"), 0.0) >= 2
    specular_color = parse_color(values.get("ks"))
    exponent = values.get("ns")
    roughness = 1 - math.sqrt(min(max(parse_value(exponent, 0.0), 0.0), 1000.0) / 1000)
    if exponent is None:
        roughness = float(not glossy)
    base_color = parse_color(values.get("kd")) or Material().base_color
    found = load_textures(block, folder, base_color, textures)
    emission = parse_color(values.get("ke")) or (0.0, 0.0, 0.0)
    if found.emission is not None and not any(emission):
        emission = (1.0, 1.0, 1.0)
    material = Material(
        name=name,
        base_color=base_color,
        specular=float(glossy) if specular_color is None else sum(specular_color) / 3,
        roughness=min(max(parse_value(values.get("pr"), roughness), 0.0), 1.0),
        alpha=_parse_alpha(values),
        emission=emission,
        texture=found.color,
        emission_texture=found.emission,
    )
    report_losses(block, material, textures.object_files.format_path(block.path), log)
    return material, found.move


def _parse_alpha(values: Mapping[str, str]) -> float:
    """Parse the opacity: ``d``, or 1 - ``Tr`` without one.

    ``Tr 1`` alone is opaque: MeshLab and others write it so for what they show opaque.
    """
    text = values.get("d", "").removeprefix("-halo")
    default = 1.0
    if "d" not in values and parse_value(values.get("tr"), 0.0) < 1:
        default = 1 - parse_value(values.get("tr"), 0.0)
    return min(max(parse_value(text, default), 0.0), 1.0)
