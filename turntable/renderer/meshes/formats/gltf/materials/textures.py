"""Textures of glTF materials: which image stands for one, how it is sampled, and at which coordinates."""

from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError, format_text
from turntable.renderer.meshes.formats.gltf.file import GltfFile, JsonObject
from turntable.renderer.meshes.formats.gltf.numbers import parse_number, parse_numbers
from turntable.renderer.meshes.formats.gltf.uris import is_data_uri, resolve_file_name
from turntable.renderer.meshes.formats.images import FALLBACK_TEXT, Mode, TextureLoader
from turntable.renderer.meshes.limits import TOO_LARGE
from turntable.renderer.meshes.mesh import Filter, Texture, Wrap

_WRAPS: dict[int, Wrap] = {10497: "repeat", 33648: "mirror", 33071: "clamp"}
"""Continuation of an image by the number that a sampler gives."""
_NEAREST = 9728
"""Filter of a sampler that takes the nearest texel."""
_NEAREST_MINIFIED = (9728, 9984, 9986)
"""Filters of a sampler for small texels that take the nearest texel of one or two sizes."""
_SOURCE_EXTENSIONS = ("EXT_texture_avif", "MSFT_texture_dds", "KHR_texture_basisu")
"""Extensions with an image in a format of their own, in the order of trial after ``source``."""


@dataclass(frozen=True, slots=True, eq=False)
class TextureMapping:
    """The texture coordinates that a texture uses, and the transform applied to them."""

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

    def is_same_as(self, other: "TextureMapping") -> bool:
        """Return True if both mappings give the same texture coordinates."""
        return (
            self.texcoord_set == other.texcoord_set
            and self.rotation_rad == other.rotation_rad
            and np.array_equal(self.offset, other.offset)
            and np.array_equal(self.scale, other.scale)
        )


@dataclass(frozen=True, slots=True, eq=False)
class GltfTextures:
    """The textures of a glTF file."""

    file: GltfFile
    """File the textures are read from."""
    loader: TextureLoader
    """Loader of the images."""

    def parse_mapping(self, info: JsonObject, owner: str) -> TextureMapping:
        """Parse the texture mapping of a texture reference.

        Args:
            info: Reference to a texture in the JSON of a material.
            owner: Description of the material, for warnings.
        """
        transform = self.file.get_extension(info, "KHR_texture_transform") or {}
        texcoord_set = self.file.get_int(transform, "texCoord", self.file.get_int(info, "texCoord", 0))
        return TextureMapping(
            texcoord_set,
            parse_numbers(self.file, transform, "offset", [0.0, 0.0], owner),
            parse_numbers(self.file, transform, "scale", [1.0, 1.0], owner),
            parse_number(self.file, transform, "rotation", 0.0, owner, None),
        )

    def load(self, info: JsonObject, mode: Mode) -> Texture | None:
        """Load the texture that a reference names. Return None, with a warning, if it cannot be used."""
        try:
            texture = self.file.get_item("textures", info.get("index"))
            image = self._load_image(texture, mode)
        except MeshError as error:
            if error.reason == TOO_LARGE:
                raise
            self.file.log.add(
                "reference-skipped", f"a texture cannot be used ({self.file.describe(error)})", FALLBACK_TEXT
            )
            return None
        return None if image is None else self._apply_sampler(image, texture)

    def _load_image(self, texture: JsonObject, mode: Mode) -> Texture | None:
        """Load the image of a texture."""
        source = self._find_source(texture)
        if source is None:
            self.file.log.add("file-unreadable", "a texture has no image", FALLBACK_TEXT)
            return None
        image = self.file.get_item("images", source)
        uri = image.get("uri", "")
        kind = str(image.get("mimeType", ""))
        if "ktx2" in kind or (isinstance(uri, str) and uri.lower().endswith((".ktx2", ".basis"))):
            detail = f"image {source} is compressed as KTX2 (KHR_texture_basisu), which is not read"
            self.file.log.add("file-unreadable", detail, FALLBACK_TEXT)
            return None
        if "bufferView" not in image and not isinstance(uri, str):
            self.file.raise_unreadable(f"the URI of image {source} is not a string")
        if "bufferView" not in image and not is_data_uri(uri):
            folder = self.file.path.parent
            return self.loader.load_file(
                folder, resolve_file_name(self.loader.object_files, folder, uri), mode
            )
        # Cached by what holds the bytes, since any number of images may refer to the same bytes.
        key: Hashable = uri if "bufferView" not in image else self.file.get_int(image, "bufferView")
        name = f"image {format_text(str(source), 20)}"
        return self.loader.load_embedded(key, lambda: self._read_image_bytes(image, uri), name, mode)

    def _find_source(self, texture: JsonObject) -> object:
        """Find the index of the image to load, or None if there is none.

        WebP comes first. Other formats are there for graphics cards, and usually of lower quality.
        """
        webp = self.file.get_extension(texture, "EXT_texture_webp") or {}
        others = (self.file.get_extension(texture, name) or {} for name in _SOURCE_EXTENSIONS)
        sources = (webp.get("source"), texture.get("source"), *(other.get("source") for other in others))
        return next((source for source in sources if source is not None), None)

    def _read_image_bytes(self, image: JsonObject, uri: str) -> bytes:
        """Read the bytes of an embedded image."""
        if "bufferView" in image:
            return bytes(self.file.get_buffer_view(image["bufferView"])[0])
        return self.file.read_uri(uri, "image") or b""

    def _apply_sampler(self, image: Texture, texture: JsonObject) -> Texture:
        """Return an image with the wrap modes and the filter of its texture's sampler."""
        if texture.get("sampler") is None:
            return image
        try:
            sampler = self.file.get_item("samplers", texture["sampler"])
        except MeshError as error:
            self.file.log.add(
                "reference-skipped",
                f"a sampler cannot be used ({self.file.describe(error)})",
                "the image repeats, filtered",
            )
            return image
        # Where a sampler leaves out the filter for large texels, Blender looks at the one for small texels.
        magnified, minified = sampler.get("magFilter"), sampler.get("minFilter")
        nearest = magnified == _NEAREST or (magnified is None and minified in _NEAREST_MINIFIED)
        filter_name: Filter = "nearest" if nearest else "linear"
        wrap = self._parse_wrap(sampler, "wrapS"), self._parse_wrap(sampler, "wrapT")
        return self.loader.with_sampling(image, wrap=wrap, magnified=filter_name)

    def _parse_wrap(self, sampler: JsonObject, name: str) -> Wrap:
        """Parse a wrap mode."""
        value = sampler.get(name, 10497)
        wrap = _WRAPS.get(value) if type(value) is int else None
        if wrap is None:
            self.file.log.add("number-repaired", f"{name} of a sampler is no wrap mode", "the image repeats")
        return wrap or "repeat"
