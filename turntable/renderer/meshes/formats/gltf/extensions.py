"""The glTF extensions that a file may use or require, and what becomes of the others."""

import re
from typing import Any, cast

from turntable.errors import format_text
from turntable.renderer.meshes.formats.gltf import meshopt
from turntable.renderer.meshes.formats.gltf.file import GltfFile
from turntable.renderer.meshes.limits import raise_mesh_error

DRACO = "KHR_draco_mesh_compression"
"""Extension of primitives whose data is compressed with Draco."""
INSTANCING = "EXT_mesh_gpu_instancing"
"""Extension of a node that draws its mesh many times."""
VISIBILITY = "KHR_node_visibility"
"""Extension of a node that hides it and everything below it."""

_READ = (
    *(DRACO, *meshopt.NAMES, INSTANCING, VISIBILITY),
    *("KHR_mesh_quantization", "KHR_texture_transform", "KHR_texture_basisu", "EXT_texture_webp"),
    *("EXT_texture_avif", "MSFT_texture_dds"),
)
"""Extensions that are read, or whose parts that are not read have warnings of their own."""
_READ_MATERIALS = (
    *("anisotropy", "clearcoat", "diffuse_transmission", "dispersion", "emissive_strength", "ior"),
    *("iridescence", "pbrSpecularGlossiness", "sheen", "specular", "transmission", "unlit", "variants"),
    "volume",
)
"""Extensions of materials that are read or have warnings of their own, without ``KHR_materials_``."""
_HARMLESS = re.compile(
    "|".join(
        (
            r"KHR_materials_(" + "|".join(_READ_MATERIALS) + ")",
            r"(KHR|EXT)_lights_\w+",
            r"KHR_animation\w*",
            r"KHR_audio\w*",
            r"KHR_character\w*",
            r"KHR_interactivity\w*",
            r"KHR_node_(hover|select)ability",
            r"KHR_(physics|collision|implicit_shapes)\w*",
            r"KHR_xmp\w*",
            r"EXT_(instance_features|mesh_features|mesh_manifold|structural_metadata)",
            r"(AGI|OMI|GODOT|HUBS|VRMC_(springBone|node_constraint))_\w+|MOZ_(hubs_components|lightmap)",
            r"CESIUM_primitive_outline|FB_(ngon_encoding|geometry_metadata)|MSFT_(lod|packing_\w+|screencoverage)",
            r"VRM|VRMC_vrm\w*|SKETCHFAB_\w+",
        )
    )
)
"""Extensions that leave the picture of the scene at rest as it is, or are read with the materials."""
_MATERIAL = re.compile(r"KHR_materials_\w+")
"""Extensions of materials: a file that requires one that is not known is drawn without it."""


def check_extensions(file: GltfFile) -> None:
    """Refuse a file that requires an unknown extension, and add a warning for each unknown one it uses.

    Raises:
        MeshError: The file requires an extension that is not known.
    """
    for name in _list_names(file, "extensionsRequired"):
        if not (_is_known(name) or _MATERIAL.fullmatch(name)):
            raise_mesh_error(
                f"{file.path} needs {format_text(name, 80)}, which is not supported; export it without "
                "that extension",
                "unsupported",
            )
    for name in _list_names(file, "extensionsUsed"):
        if not _is_known(name):
            detail = f"the extension {format_text(name, 80)} is not known"
            file.log.add("extension-skipped", detail, "the file is drawn without it")


def _is_known(name: str) -> bool:
    """Return True if an extension is read or leaves the picture as it is."""
    return name in _READ or _HARMLESS.fullmatch(name) is not None


def _list_names(file: GltfFile, key: str) -> list[str]:
    """List the names of extensions at the top level of the file."""
    names = file.document.get(key) or []
    if not isinstance(names, list):
        file.raise_unreadable(f"{key} is not a list")
    return list(dict.fromkeys(str(name) for name in cast("list[Any]", names)))
