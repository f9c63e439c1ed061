"""Materials of a glTF file, reduced to what the renderer draws."""

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.formats.colors import tint_pixels
from turntable.renderer.meshes.formats.gltf_file import GltfFile, JsonObject
from turntable.renderer.meshes.formats.texture_loader import FALLBACK_TEXT, Mode, TextureLoader
from turntable.renderer.meshes.mesh import Material, Texture

SPECULAR_GLOSSINESS = "KHR_materials_pbrSpecularGlossiness"
"""Older extension that describes a material by diffuse color and glossiness."""


@dataclass(frozen=True, slots=True, eq=False)
class TextureMapping:
    """The texture coordinates that a material uses, and the transform applied to them."""

    texcoord_set: int = 0
    """Number of the set of texture coordinates (``TEXCOORD_n``)."""
    offset: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    """[2] offset, applied last."""
    scale: NDArray[np.float64] = field(default_factory=lambda: np.ones(2))
    """[2] scale, applied first."""
    rotation_rad: float = 0.0
    """Rotation about the origin in radians, by the convention of ``KHR_texture_transform``."""

    def transform_texcoords(self, uv: NDArray[np.float64]) -> NDArray[np.float64]:
        """Transform texture coordinates [N, 2], with v downward as in the file."""
        cos, sin = np.cos(self.rotation_rad), np.sin(self.rotation_rad)
        rotation = np.array([[cos, sin], [-sin, cos]])
        return (uv * self.scale) @ rotation.T + self.offset


@dataclass(slots=True)
class GltfMaterials:
    """The materials of a glTF file, each built once."""

    file: GltfFile
    """File the materials are read from."""
    texture_loader: TextureLoader
    """Loader of the images."""
    _cache: dict[int | None, tuple[Material, TextureMapping]] = field(default_factory=dict)
    """Materials built so far, by index."""

    def get(self, index: object) -> tuple[Material, TextureMapping]:
        """Return a material and its texture mapping; glTF's default material if ``index`` is None.

        Raises:
            MeshError: There is no such material, or it cannot be read.
        """
        table = {} if index is None else self.file.get_item("materials", index)
        number = cast("int | None", index)
        if number not in self._cache:
            self._cache[number] = self._build_material(table)
        return self._cache[number]

    def _build_material(self, table: JsonObject) -> tuple[Material, TextureMapping]:
        """Build a material from its JSON."""
        glossy = self.file.get_dict(self.file.get_dict(table, "extensions"), SPECULAR_GLOSSINESS)
        pbr = self.file.get_dict(table, "pbrMetallicRoughness")
        factor = self._parse_numbers(glossy or pbr, "diffuseFactor" if glossy else "baseColorFactor", 4, 1.0)
        glossiness = self._parse_number(glossy, "glossinessFactor", 1.0) if glossy else None
        transparent = table.get("alphaMode") in ("BLEND", "MASK")
        image = self.file.get_dict(glossy or pbr, "diffuseTexture" if glossy else "baseColorTexture")
        texture = self._load_texture(image, "RGBA" if transparent else "RGB") if image else None
        material = Material(
            name=str(table.get("name", "default"))[:80],
            base_color=(float(factor[0]), float(factor[1]), float(factor[2])),
            roughness=self._parse_number(pbr, "roughnessFactor", 1.0)
            if glossiness is None
            else 1 - glossiness,
            alpha=float(factor[3]) if transparent else 1.0,
            texture=None if texture is None else self._tint_texture(texture, factor[:3]),
        )
        return material, self._parse_mapping(image)

    def _load_texture(self, info: JsonObject, mode: Mode) -> Texture | None:
        """Load the texture of a material. Return None, with a warning, if it cannot be used."""
        texture = self.file.get_item("textures", info.get("index"))
        webp = self.file.get_dict(self.file.get_dict(texture, "extensions"), "EXT_texture_webp")
        source = webp.get("source", texture.get("source"))
        if source is None:
            detail = "a texture has an unsupported format"
            self.file.object_files.log.add("file-unreadable", detail, FALLBACK_TEXT)
            return None
        image = self.file.get_item("images", source)
        uri = str(image.get("uri", ""))
        if "bufferView" not in image and not uri.startswith("data:"):
            return self.texture_loader.load_file(
                self.file.path.parent, self.file.resolve_file_name(uri), mode
            )
        # Cached by what holds the bytes, since any number of images may refer to the same bytes.
        key = uri if "bufferView" not in image else self.file.get_int(image, "bufferView")
        return self.texture_loader.load_embedded(
            key, lambda: self._read_image_bytes(image, uri), f"image {source}", mode
        )

    def _read_image_bytes(self, image: JsonObject, uri: str) -> bytes:
        """Read the bytes of an embedded image."""
        if "bufferView" in image:
            return bytes(self.file.get_buffer_view(image["bufferView"])[0])
        return self.file.read_uri(uri) or b""

    def _tint_texture(self, texture: Texture, factor: NDArray[np.float64]) -> Texture | None:
        """Multiply a texture by a linear color [3]."""
        if np.all(factor == 1):
            return texture
        key = (id(texture), *factor.tolist())
        return self.texture_loader.derive_texture(key, texture, lambda: tint_pixels(texture.pixels, factor))

    def _parse_mapping(self, info: JsonObject) -> TextureMapping:
        """Parse the texture mapping of a texture reference."""
        transform = self.file.get_dict(self.file.get_dict(info, "extensions"), "KHR_texture_transform")
        texcoord_set = self.file.get_int(transform, "texCoord", self.file.get_int(info, "texCoord", 0))
        return TextureMapping(
            texcoord_set,
            self._parse_numbers(transform, "offset", 2, 0.0),
            self._parse_numbers(transform, "scale", 2, 1.0),
            self._parse_number(transform, "rotation", 0.0, None),
        )

    def _parse_number(
        self, table: JsonObject, name: str, default: float, max_value: float | None = 1.0
    ) -> float:
        """Parse a number, clamped to [0, max_value] unless ``max_value`` is None."""
        value = float(self._parse_numbers({name: [table.get(name, default)]}, name, 1, default)[0])
        return value if max_value is None else min(max(value, 0.0), max_value)

    def _parse_numbers(self, table: JsonObject, name: str, count: int, default: float) -> NDArray[np.float64]:
        """Parse a list of ``count`` numbers, each ``default`` if the file leaves the list out."""
        value: Any = table.get(name, [default] * count)
        if not isinstance(value, list) or len(cast("list[Any]", value)) != count:
            self.file.raise_unreadable(f"{name} is not a list of {count} numbers")
        return parse_finite_numbers(self.file, cast("list[Any]", value), name)


def parse_finite_numbers(file: GltfFile, values: list[Any], name: str) -> NDArray[np.float64]:
    """Convert values of the JSON to finite numbers.

    Raises:
        MeshError: A value is not a number, or is not finite.
    """
    if not all(isinstance(value, (int, float)) for value in values):
        file.raise_unreadable(f"{name} holds something that is not a number")
    # JSON integers can be too large for a float; float() would raise OverflowError.
    numbers = np.array([float(value) if abs(value) < 1e300 else np.inf for value in values])
    if not np.isfinite(numbers).all():
        file.raise_unreadable(f"{name} is not finite")
    return numbers
