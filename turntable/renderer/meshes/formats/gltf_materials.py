"""The materials of a glTF file: the parts of them that the scene shows."""

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.formats.colours import tinted
from turntable.renderer.meshes.formats.gltf_file import GltfFile, JsonObject
from turntable.renderer.meshes.formats.textures import INSTEAD, Mode, Textures
from turntable.renderer.meshes.mesh import Material, Texture

OLD_STYLE = "KHR_materials_pbrSpecularGlossiness"


@dataclass(frozen=True, slots=True, eq=False)
class TextureUse:
    """Which texture coordinates a material takes, and how they are moved."""

    coordinates: int = 0
    offset: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    scale: NDArray[np.float64] = field(default_factory=lambda: np.ones(2))
    rotation_rad: float = 0.0

    def moved(self, uv: NDArray[np.float64]) -> NDArray[np.float64]:
        """Texture coordinates [N, 2], with v downwards as the file has them."""
        cos, sin = np.cos(self.rotation_rad), np.sin(self.rotation_rad)
        turn = np.array([[cos, sin], [-sin, cos]])
        return (uv * self.scale) @ turn.T + self.offset


@dataclass(slots=True)
class GltfMaterials:
    """Materials by number, each made once."""

    file: GltfFile
    textures: Textures
    _made: dict[int | None, tuple[Material, TextureUse]] = field(default_factory=dict)

    def get(self, index: object) -> tuple[Material, TextureUse]:
        """A material and how it takes its texture; glTF's default without a number."""
        table = {} if index is None else self.file.item("materials", index)
        number = cast("int | None", index)
        if number not in self._made:
            self._made[number] = self._make(table)
        return self._made[number]

    def _make(self, table: JsonObject) -> tuple[Material, TextureUse]:
        old = self.file.table(self.file.table(table, "extensions"), OLD_STYLE)
        pbr = self.file.table(table, "pbrMetallicRoughness")
        factor = self._numbers(old or pbr, "diffuseFactor" if old else "baseColorFactor", 4, 1.0)
        gloss = self._number(old, "glossinessFactor", 1.0) if old else None
        transparent = table.get("alphaMode") in ("BLEND", "MASK")
        image = self.file.table(old or pbr, "diffuseTexture" if old else "baseColorTexture")
        texture = self._texture(image, "RGBA" if transparent else "RGB") if image else None
        material = Material(
            name=str(table.get("name", "default"))[:80],
            base_color=(float(factor[0]), float(factor[1]), float(factor[2])),
            roughness=self._number(pbr, "roughnessFactor", 1.0) if gloss is None else 1 - gloss,
            alpha=float(factor[3]) if transparent else 1.0,
            texture=None if texture is None else self._tinted(texture, factor[:3]),
        )
        return material, self._use(image)

    def _texture(self, info: JsonObject, mode: Mode) -> Texture | None:
        texture = self.file.item("textures", info.get("index"))
        webp = self.file.table(self.file.table(texture, "extensions"), "EXT_texture_webp")
        source = webp.get("source", texture.get("source"))
        if source is None:
            self.textures.note(f"a texture in a format that is not read; {INSTEAD}")
            return None
        image = self.file.item("images", source)
        uri = str(image.get("uri", ""))
        if "bufferView" not in image and not uri.startswith("data:"):
            return self.textures.from_file(self.file.path.parent, self.file.file_name(uri), mode)
        # By what holds the bytes: any number of images may name the same.
        key = uri if "bufferView" not in image else self.file.number(image, "bufferView")
        return self.textures.embedded(key, lambda: self._bytes(image, uri), f"image {source}", mode)

    def _bytes(self, image: JsonObject, uri: str) -> bytes:
        if "bufferView" in image:
            return bytes(self.file.view(image["bufferView"])[0])
        return self.file.uri(uri) or b""

    def _tinted(self, texture: Texture, factor: NDArray[np.float64]) -> Texture | None:
        """Return the texture times a linear color [3]."""
        if np.all(factor == 1):
            return texture
        key = (id(texture), *factor.tolist())
        return self.textures.derived(key, texture, lambda: tinted(texture.pixels, factor))

    def _use(self, info: JsonObject) -> TextureUse:
        moved = self.file.table(self.file.table(info, "extensions"), "KHR_texture_transform")
        coordinates = self.file.number(moved, "texCoord", self.file.number(info, "texCoord", 0))
        return TextureUse(
            coordinates,
            self._numbers(moved, "offset", 2, 0.0),
            self._numbers(moved, "scale", 2, 1.0),
            self._number(moved, "rotation", 0.0, None),
        )

    def _number(self, table: JsonObject, name: str, default: float, most: float | None = 1.0) -> float:
        value = float(self._numbers({name: [table.get(name, default)]}, name, 1, default)[0])
        return value if most is None else min(max(value, 0.0), most)

    def _numbers(self, table: JsonObject, name: str, count: int, default: float) -> NDArray[np.float64]:
        value: Any = table.get(name, [default] * count)
        if not isinstance(value, list) or len(cast("list[Any]", value)) != count:
            self.file.broken(f"{name} has not {count} numbers")
        return finite(self.file, cast("list[Any]", value), name)


def finite(file: GltfFile, values: list[Any], name: str) -> NDArray[np.float64]:
    """Numbers of the JSON.

    Raises:
        MeshError: They are none, or not finite.
    """
    if not all(isinstance(value, (int, float)) for value in values):
        file.broken(f"{name} holds what is no number")
    numbers = np.array([float(value) if abs(value) < 1e300 else np.inf for value in values])
    if not np.isfinite(numbers).all():
        file.broken(f"{name} is not finite")
    return numbers
