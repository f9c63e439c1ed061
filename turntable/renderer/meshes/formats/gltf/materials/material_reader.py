"""Materials of a glTF file, reduced to what the renderer draws."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError, format_text
from turntable.renderer.meshes.formats.colors import tint_pixels
from turntable.renderer.meshes.formats.gltf.file import GltfFile, JsonObject
from turntable.renderer.meshes.formats.gltf.materials.surfaces import compute_specular, warn_about_surface
from turntable.renderer.meshes.formats.gltf.materials.textures import GltfTextures, TextureMapping
from turntable.renderer.meshes.formats.gltf.numbers import (
    parse_number,
    parse_numbers,
    to_finite_numbers,
)
from turntable.renderer.meshes.limits import TOO_LARGE
from turntable.renderer.meshes.mesh import Material, Texture

SPECULAR_GLOSSINESS = "KHR_materials_pbrSpecularGlossiness"
"""Older extension that describes a material by diffuse color and glossiness."""
UNLIT = "KHR_materials_unlit"
"""Extension of a material whose color does not depend on the light."""
EMISSIVE_STRENGTH = "KHR_materials_emissive_strength"
"""Extension of a material that emits more light than its color says."""
GLASS_OPACITY = 0.05
"""Opacity of perfectly clear glass, so that an object of glass does not vanish."""


@dataclass(frozen=True, slots=True, eq=False)
class MappedMaterial:
    """A material, and what decides how the attributes of vertices are applied to it."""

    material: Material
    """Material that is drawn."""
    mapping: TextureMapping
    """Mapping of its textures."""
    is_opaque: bool
    """True if the opacities of vertices do not count."""

    @property
    def has_texture(self) -> bool:
        """True if texture coordinates count."""
        return self.material.texture is not None or self.material.emission_texture is not None


@dataclass(slots=True)
class GltfMaterials:
    """The materials of a glTF file, each built once."""

    textures: GltfTextures
    """Textures of the file."""
    _cache: dict[int | None, MappedMaterial] = field(default_factory=dict)
    """Materials built so far, by index."""
    _is_shadeless: bool | None = None
    """True if all materials of the file only shine, once that is known."""

    @property
    def file(self) -> GltfFile:
        """File the materials are read from."""
        return self.textures.file

    def get(self, index: object) -> MappedMaterial:
        """Return a material; glTF's default material if ``index`` is None or cannot be read."""
        number = index if type(index) is int else None
        if index is not None and number is None:
            detail = f"a material is no index ({format_text(str(index), 20)})"
            self.file.log.add("reference-skipped", detail, "the default material is drawn")
        if number not in self._cache:
            self._cache[number] = self._build_or_warn(number)
        return self._cache[number]

    def _build_or_warn(self, number: int | None) -> MappedMaterial:
        """Build a material. A broken one is the default material, with a warning."""
        try:
            if number is not None:
                table = self.file.get_item("materials", number)
                builder = _MaterialBuilder(self.textures, table, f"material {number}")
                return builder.build(is_shadeless=self._find_shadeless())
        except MeshError as error:
            if error.reason == TOO_LARGE:
                raise
            detail = f"material {number} cannot be read ({self.file.describe(error)})"
            self.file.log.add("reference-skipped", detail, "the default material is drawn")
        return MappedMaterial(
            Material(base_color=(1.0, 1.0, 1.0), roughness=1.0), TextureMapping(), is_opaque=True
        )

    def _find_shadeless(self) -> bool:
        """Return True if every material of the file only shines: the file is a shadeless export.

        Such files, as some services write them, mean a surface of that color and not a lamp. One lamp of an
        object has neighbors that do not shine.
        """
        if self._is_shadeless is None:
            self._is_shadeless = all(map(self._is_shining_only, self.file.get_list("materials")))
        return self._is_shadeless

    def _is_shining_only(self, table: JsonObject) -> bool:
        """Return True if a material is unlit, or black and emits its color at the usual strength."""
        try:
            extensions = self.file.get_dict(table, "extensions")
            pbr = self.file.get_dict(table, "pbrMetallicRoughness")
        except MeshError:
            return False
        if UNLIT in extensions:
            return True
        base = to_finite_numbers(pbr.get("baseColorFactor"), 4)
        light = to_finite_numbers(table.get("emissiveFactor"), 3)
        if base is None or light is None or base[:3].any() or not light.any():
            return False
        strength = extensions.get(EMISSIVE_STRENGTH)
        is_usual = strength is None or strength in ({}, {"emissiveStrength": 1})
        return is_usual and SPECULAR_GLOSSINESS not in extensions


@dataclass(frozen=True, slots=True, eq=False)
class _MaterialBuilder:
    """A builder of one material."""

    textures: GltfTextures
    """Textures of the file."""
    table: JsonObject
    """Material in the JSON of the file."""
    owner: str
    """Description of the material, for warnings."""

    @property
    def file(self) -> GltfFile:
        """File the material is read from."""
        return self.textures.file

    def build(self, *, is_shadeless: bool) -> MappedMaterial:
        """Build the material.

        Args:
            is_shadeless: True if what the material emits stands for the color of its surface.
        """
        mode = self._parse_alpha_mode()
        glossy = self.file.get_extension(self.table, SPECULAR_GLOSSINESS)
        pbr = self.file.get_dict(self.table, "pbrMetallicRoughness")
        source, prefix = (pbr, "baseColor") if glossy is None else (glossy, "diffuse")
        factor = self._parse_numbers(source, f"{prefix}Factor", [1.0, 1.0, 1.0, 1.0])
        image = self.file.get_dict(source, f"{prefix}Texture")
        texture = self.textures.load(image, "RGB" if mode == "OPAQUE" else "RGBA") if image else None
        mapping = self.textures.parse_mapping(image, self.owner)
        material = Material(
            name=str(self.table.get("name", "default"))[:80],
            base_color=(float(factor[0]), float(factor[1]), float(factor[2])),
            roughness=self._parse_number(pbr, "roughnessFactor", 1.0)
            if glossy is None
            else 1 - self._parse_number(glossy, "glossinessFactor", 1.0),
            alpha=1.0 if mode == "OPAQUE" else float(factor[3]),
            texture=None if texture is None else self._tint_texture(texture, factor[:3]),
            alpha_cutoff=self._parse_number(self.table, "alphaCutoff", 0.5, None) if mode == "MASK" else None,
        )
        if self.file.get_extension(self.table, UNLIT) is not None:
            return MappedMaterial(self._make_matt(material), mapping, is_opaque=mode == "OPAQUE")
        if is_shadeless:
            material, mapping = self._color_by_emission(material)
            return MappedMaterial(self._make_matt(material), mapping, is_opaque=mode == "OPAQUE")
        material, mapping = self._add_emission(material, mapping)
        material = self._add_transmission(material)
        if glossy is None:
            material = replace(material, specular=compute_specular(self.file, self.table, self.owner))
        warn_about_surface(self.file, self.table, self.owner)
        return MappedMaterial(material, mapping, is_opaque=mode == "OPAQUE")

    def _parse_alpha_mode(self) -> str:
        """Return the alpha mode: "OPAQUE", "MASK" or "BLEND"."""
        mode = self.table.get("alphaMode", "OPAQUE")
        if mode in ("OPAQUE", "MASK", "BLEND"):
            return str(mode)
        detail = f"{self.owner} has the alphaMode {format_text(str(mode), 20)}"
        self.file.log.add("statement-skipped", detail, "the material is drawn opaque")
        return "OPAQUE"

    def _tint_texture(self, texture: Texture, factor: NDArray[np.float64]) -> Texture | None:
        """Multiply a texture by a linear color [3]."""
        if np.all(factor == 1):
            return texture
        # The same pixels may be sampled in several ways; they are tinted once.
        key = (id(texture.pixels), *factor.tolist())
        loader = self.textures.loader
        tinted = loader.derive_texture(key, texture, lambda: tint_pixels(texture.pixels, factor))
        return tinted and loader.with_sampling(tinted, wrap=texture.wrap, magnified=texture.magnified)

    def _make_matt(self, material: Material) -> Material:
        """Return a material that is to look the same in any light: a matt surface, in the light of the scene.

        What shines by itself would look cut out, and brighter than everything around it.
        """
        detail = f"{self.owner} is unlit (it only shines in its own color)"
        self.file.log.add(
            "surface-approximated", detail, "a matt surface of that color is drawn in the light"
        )
        return replace(material, specular=0.0, roughness=1.0)

    def _color_by_emission(self, material: Material) -> tuple[Material, TextureMapping]:
        """Return a black material with the color that it emits, and the mapping of its texture."""
        light = self._parse_numbers(self.table, "emissiveFactor", [0.0, 0.0, 0.0]).clip(0, 1)
        image = self.file.get_dict(self.table, "emissiveTexture")
        texture = self.textures.load(image, "RGB") if image else None
        color = (float(light[0]), float(light[1]), float(light[2]))
        tinted = None if texture is None else self._tint_texture(texture, light)
        if tinted is not None and material.texture is not None:
            tinted = self._add_opacity(tinted, material.texture)
        mapping = self.textures.parse_mapping(image, self.owner)
        return replace(material, base_color=color, texture=tinted), mapping

    def _add_opacity(self, texture: Texture, other: Texture) -> Texture | None:
        """Return a texture with the opacity of another one of the same size, if that has any."""
        if other.pixels.shape[2] < 4:
            return texture
        if texture.pixels.shape[:2] != other.pixels.shape[:2]:
            detail = f"the textures of {self.owner} differ in size"
            self.file.log.add("transparency-approximated", detail, "the material is drawn opaque")
            return texture
        key = "opacity", id(texture.pixels), id(other.pixels)
        loader = self.textures.loader
        joined = loader.derive_texture(key, texture, lambda: _join_opacity(texture, other))
        return joined and loader.with_sampling(joined, wrap=texture.wrap, magnified=texture.magnified)

    def _add_emission(self, material: Material, mapping: TextureMapping) -> tuple[Material, TextureMapping]:
        """Return the material with its emission, and the mapping of its textures."""
        factor = self._parse_numbers(self.table, "emissiveFactor", [0.0, 0.0, 0.0])
        strength = self.file.get_extension(self.table, EMISSIVE_STRENGTH) or {}
        light = np.maximum(factor, 0) * self._parse_number(strength, "emissiveStrength", 1.0, 1e6)
        if not light.any():
            return material, mapping
        emission = (float(light[0]), float(light[1]), float(light[2]))
        image = self.file.get_dict(self.table, "emissiveTexture")
        texture = self.textures.load(image, "RGB") if image else None
        if texture is None:
            return replace(material, emission=emission), mapping
        own_mapping = self.textures.parse_mapping(image, self.owner)
        material = replace(material, emission=emission, emission_texture=texture)
        is_black = material.base_color == (0.0, 0.0, 0.0) and material.alpha_cutoff is None
        if material.texture is None or (is_black and material.texture.pixels.shape[2] == 3):
            return replace(material, texture=None), own_mapping
        if not mapping.is_same_as(own_mapping):
            detail = f"emissiveTexture of {self.owner} has texture coordinates of its own"
            self.file.log.add(
                "texcoords-approximated", detail, "it is drawn at those of the base color texture"
            )
        return material, mapping

    def _add_transmission(self, material: Material) -> Material:
        """Return the material with light passing through it, as an opacity."""
        extension = self.file.get_extension(self.table, "KHR_materials_transmission")
        factor = self._parse_number(extension or {}, "transmissionFactor", 0.0)
        if not factor or extension is None:
            return material
        image = self.file.get_dict(extension, "transmissionTexture")
        if image:
            texture = self.textures.load(image, "RGB")
            share = 1.0 if texture is None else float(texture.pixels[..., 0].mean()) / 255
            self.file.log.add("map-skipped", f"transmissionTexture of {self.owner}", "its mean is used")
            factor *= share
        detail = f"{self.owner} is of glass (KHR_materials_transmission)"
        self.file.log.add("transparency-approximated", detail, "it is drawn transparent, without refraction")
        return replace(material, alpha=material.alpha * (1 - (1 - GLASS_OPACITY) * factor), alpha_cutoff=None)

    def _parse_number(
        self, table: JsonObject, name: str, default: float, max_value: float | None = 1.0
    ) -> float:
        """Parse a number, clamped to [0, max_value] unless ``max_value`` is None."""
        return parse_number(self.file, table, name, default, self.owner, max_value)

    def _parse_numbers(self, table: JsonObject, name: str, default: list[float]) -> NDArray[np.float64]:
        """Parse a list of numbers, each its default if the file leaves the list out."""
        return parse_numbers(self.file, table, name, default, self.owner)


def _join_opacity(texture: Texture, other: Texture) -> NDArray[np.uint8]:
    """Return the pixels [H, W, 4] with the colors of one texture and the opacity of another."""
    return np.concatenate([texture.pixels[..., :3], other.pixels[..., 3:]], axis=2)
