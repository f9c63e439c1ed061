"""Properties of glTF materials that the renderer draws as a plain surface, and the warnings about them."""

from collections.abc import Iterator

from turntable.renderer.meshes.formats.gltf.file import GltfFile, JsonObject
from turntable.renderer.meshes.formats.gltf.numbers import parse_number, parse_numbers

PLAIN = "a plain surface is drawn"
"""End of warnings about surfaces."""
WITHOUT_MAP = "the surface is drawn without it"
"""End of warnings about textures that are not drawn."""
DIELECTRIC_F0 = 0.04
"""Reflection of a surface seen head on, where a file says nothing."""
_NOTICEABLE = 0.01
"""Factor from which a property can be seen."""
_FACTORS = {
    "clearcoat": ("clearcoatFactor", 0.0),
    "iridescence": ("iridescenceFactor", 0.0),
    "anisotropy": ("anisotropyStrength", 0.0),
    "diffuse_transmission": ("diffuseTransmissionFactor", 0.0),
}
"""Extensions by the end of their names, with the factor that switches each on, and its default."""
_MAPS = ("normalTexture", "occlusionTexture")
"""Textures of a material that are not drawn."""


def warn_about_surface(file: GltfFile, material: JsonObject, owner: str) -> None:
    """Add a warning for each property of a material that is not drawn as the file says.

    Args:
        file: File with the log of warnings.
        material: Material in the JSON of the file.
        owner: Description of the material: "material 3".
    """
    for name in _iter_maps(file, material):
        file.log.add("map-skipped", f"{name} of {owner}", WITHOUT_MAP)
    for name in _iter_surfaces(file, material, owner):
        file.log.add("surface-approximated", f"{name} of {owner}", PLAIN)


def _iter_maps(file: GltfFile, material: JsonObject) -> Iterator[str]:
    """Yield the names of the textures of a material that are not drawn."""
    glossy = file.get_extension(material, "KHR_materials_pbrSpecularGlossiness")
    yield from (name for name in _MAPS if material.get(name))
    if glossy is not None:
        yield from (name for name in ("specularGlossinessTexture",) if glossy.get(name))
        return
    if file.get_dict(material, "pbrMetallicRoughness").get("metallicRoughnessTexture"):
        yield "metallicRoughnessTexture"
    for name in ("clearcoat", "iridescence", "anisotropy", "diffuse_transmission", "sheen", "specular"):
        extension = file.get_extension(material, f"KHR_materials_{name}") or {}
        if name in _FACTORS and not extension.get(_FACTORS[name][0]):
            continue  # its factor is 0, so its textures have no effect
        yield from (key for key in extension if key.endswith("Texture"))


def _iter_surfaces(file: GltfFile, material: JsonObject, owner: str) -> Iterator[str]:
    """Yield the names of the properties of a material that are drawn as a plain surface."""
    glossy = file.get_extension(material, "KHR_materials_pbrSpecularGlossiness")
    if glossy is not None:
        reflection = parse_numbers(file, glossy, "specularFactor", [1.0, 1.0, 1.0], owner)
        if abs(reflection - DIELECTRIC_F0).max() > _NOTICEABLE:
            yield "specularFactor"
        return
    pbr = file.get_dict(material, "pbrMetallicRoughness")
    has_map = bool(pbr.get("metallicRoughnessTexture"))  # has a warning of its own
    if not has_map and parse_number(file, pbr, "metallicFactor", 1.0, owner) > _NOTICEABLE:
        yield "metallicFactor"
    for name, (key, default) in _FACTORS.items():
        extension = file.get_extension(material, f"KHR_materials_{name}") or {}
        if abs(parse_number(file, extension, key, default, owner, None)) > _NOTICEABLE:
            yield key
    sheen = file.get_extension(material, "KHR_materials_sheen") or {}
    if parse_numbers(file, sheen, "sheenColorFactor", [0.0, 0.0, 0.0], owner).max() > _NOTICEABLE:
        yield "sheenColorFactor"
    specular = file.get_extension(material, "KHR_materials_specular") or {}
    tint = parse_numbers(file, specular, "specularColorFactor", [1.0, 1.0, 1.0], owner)
    if tint.max() - tint.min() > _NOTICEABLE:
        yield "specularColorFactor"


def compute_specular(file: GltfFile, material: JsonObject, owner: str) -> float:
    """Compute the renderer's specular value of a dielectric: its reflection seen head on, divided by 0.08."""
    index = file.get_extension(material, "KHR_materials_ior")
    specular = file.get_extension(material, "KHR_materials_specular")
    if index is None and specular is None:
        return DIELECTRIC_F0 / 0.08
    ior = parse_number(file, index or {}, "ior", 1.5, owner, 1e6)
    reflection = ((ior - 1) / (ior + 1)) ** 2
    factor = parse_number(file, specular or {}, "specularFactor", 1.0, owner)
    tint = parse_numbers(file, specular or {}, "specularColorFactor", [1.0, 1.0, 1.0], owner)
    # A colored reflection is drawn in the gray of the same mean.
    return round(float(min(max(reflection * tint.mean(), 0.0), 1.0) * factor / 0.08), 9)
