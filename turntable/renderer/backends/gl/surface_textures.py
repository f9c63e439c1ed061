"""The textures of a mesh's materials in the device's memory, and the triangles that are drawn with each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes import Material, Texture

if TYPE_CHECKING:
    import moderngl

SRGB8 = 0x8C41
SRGB8_ALPHA8 = 0x8C43


class TexturePair(NamedTuple):
    """The textures that a material reads."""

    color: Texture | None
    emission: Texture | None


@dataclass(frozen=True, slots=True)
class TextureGroup:
    """A range of triangles with the same textures, drawn by one call."""

    first: int
    """Index of the first corner."""
    num_corners: int
    textures: TexturePair


def number_texture_pairs(
    materials: tuple[Material, ...],
) -> tuple[NDArray[np.intp], tuple[TexturePair, ...]]:
    """Return the number of each material's textures among the distinct pairs, and these pairs.

    Materials without textures have the number -1, and the last pair is theirs.
    """
    nothing = TexturePair(None, None)
    pairs: dict[tuple[int, int], TexturePair] = {}
    number_by_ids = {(id(None), id(None)): -1}
    numbers: list[int] = []
    for pair in _iter_pairs(materials):
        ids = (id(pair.color), id(pair.emission))
        if ids not in number_by_ids:
            number_by_ids[ids], pairs[ids] = len(pairs), pair
        numbers.append(number_by_ids[ids])
    return np.array(numbers, dtype=np.intp), (*pairs.values(), nothing)


def group_by_texture(
    number_of_triangle: NDArray[np.intp], pairs: tuple[TexturePair, ...]
) -> tuple[TextureGroup, ...]:
    """Return the groups of triangles sorted by the number [T] of their pair of textures."""
    starts = np.flatnonzero(np.diff(number_of_triangle, prepend=-2))
    ends = np.append(starts[1:], len(number_of_triangle))
    return tuple(
        TextureGroup(int(3 * start), int(3 * (end - start)), pairs[number_of_triangle[start]])
        for start, end in zip(starts, ends, strict=True)
    )


class DeviceTextures:
    """The textures of one mesh in the device's memory."""

    def __init__(self, context: "moderngl.Context", materials: tuple[Material, ...]) -> None:
        pairs = list(_iter_pairs(materials))
        distinct = {id(texture): texture for pair in pairs for texture in pair if texture is not None}
        self.are_emissive = any(pair.emission is not None for pair in pairs)
        """True if there are textures of emission."""
        self.are_mirrored = any("mirror" in texture.wrap for texture in distinct.values())
        """True if some texture is continued by its mirror image."""
        self._uploaded = {key: _upload_texture(context, texture) for key, texture in distinct.items()}
        self._blank = context.texture((1, 1), 4, b"\xff" * 4)

    def get_inputs(self, textures: TexturePair) -> dict[str, Any]:
        """Return the shaders' inputs for triangles with these textures; white stands for none."""
        inputs: dict[str, Any] = {"color_texture": self._get(textures.color)}
        if self.are_emissive:
            inputs["emission_texture"] = self._get(textures.emission)
        if self.are_mirrored:
            inputs["color_mirrors"] = _build_mirrors(textures.color)
            inputs["emission_mirrors"] = _build_mirrors(textures.emission)
        return inputs

    def release(self) -> None:
        """Free the memory on the device."""
        for texture in (*self._uploaded.values(), self._blank):
            texture.release()

    def _get(self, texture: Texture | None) -> "moderngl.Texture":
        return self._blank if texture is None else self._uploaded[id(texture)]


def _iter_pairs(materials: tuple[Material, ...]) -> Iterator[TexturePair]:
    for material in materials:
        # A texture that multiplies no light is none.
        yield TexturePair(material.texture, material.emission_texture if any(material.emission) else None)


def _build_mirrors(texture: Texture | None) -> tuple[float, float]:
    """Return 1 for each axis along which a texture is continued by its mirror image, else 0."""
    u, v = ("repeat", "repeat") if texture is None else texture.wrap
    return float(u == "mirror"), float(v == "mirror")


def _upload_texture(context: "moderngl.Context", source: Texture) -> "moderngl.Texture":
    pixels = source.pixels
    limit = int(context.info["GL_MAX_TEXTURE_SIZE"])
    # Take every second texel of a texture that the device cannot hold. Views are far smaller than that.
    while max(pixels.shape[:2]) > limit:
        pixels = pixels[::2, ::2]
    height, width, channels = pixels.shape
    # OpenGL's first row is the bottom one, at v = 0; a picture's first row is the top one.
    data = np.ascontiguousarray(pixels[::-1]).tobytes()
    # sRGB formats: the device then interpolates and builds mipmaps in linear light.
    gl_format = SRGB8_ALPHA8 if channels == 4 else SRGB8
    texture = context.texture((width, height), channels, data, alignment=1, internal_format=gl_format)
    texture.build_mipmaps()
    # Shaders fold the coordinates of mirrored textures into the image, which then ends at its edges.
    texture.repeat_x, texture.repeat_y = (wrap == "repeat" for wrap in source.wrap)
    near = context.NEAREST if source.magnified == "nearest" else context.LINEAR
    texture.filter = (context.LINEAR_MIPMAP_LINEAR, near)
    # No anisotropic filtering: llvmpipe (Mesa 22.3) loops forever where a texture's derivatives are huge.
    return texture
