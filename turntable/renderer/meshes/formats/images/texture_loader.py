"""Loading of texture images, checked before they are decoded and left out with a warning if unusable."""

import io
import warnings
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from turntable.errors import MeshError, format_text
from turntable.renderer.meshes.formats.files import ObjectFiles
from turntable.renderer.meshes.formats.images import image_checks
from turntable.renderer.meshes.formats.images.cut_images import complete_image
from turntable.renderer.meshes.formats.images.image_pixels import Mode, decode_pixels
from turntable.renderer.meshes.formats.images.tiff_samples import open_tiff_samples
from turntable.renderer.meshes.limits import TOO_LARGE
from turntable.renderer.meshes.mesh import Filter, Texture, Wrap

FORMATS = ("PNG", "JPEG", "JPEG2000", "WEBP", "BMP", "TGA", "GIF", "TIFF", "DDS", "PPM")
"""Formats that are decoded: none that runs another program (EPS) or opens further files."""

FALLBACK_TEXT = "the material's own color is used"
"""End of warnings about textures that are left out."""

PIXEL_WEIGHTS = {"WEBP": 3, "JPEG2000": 8}
"""Cost of a pixel by format, where it is not 1: these decoders hold several copies of the image."""

MAX_SIDE_PX = 2**16
"""Longest side of an image in pixels. Decoders keep a pointer for each row, so height costs memory."""


@dataclass(slots=True)
class TextureLoader:
    """The images of one object, each decoded once. Those left out are in the log of the object's files."""

    object_files: ObjectFiles
    """Access to the files of the object."""
    pixels_decoded: int = 0
    """Pixels decoded so far."""
    _loaded: dict[tuple[Hashable, Mode], Texture | None] = field(default_factory=dict)
    """Images by path or key, and mode. None for an image that cannot be used."""
    _derived: dict[Hashable, Texture | None] = field(default_factory=dict)
    """Textures computed from other textures, by key."""
    _sampled: dict[Hashable, tuple[Texture, Texture]] = field(default_factory=dict)
    """Textures and their copies with another wrap or filter, by the identity of the texture and both.

    The texture is kept too, so that no other one gets its identity.
    """
    _cost: int = 0
    """Pixels decoded so far, each counted with its weight."""
    _bytes_seen: int = 0
    """Bytes of all images seen so far. A file may name the same bytes as many images."""

    def load_file(self, folder: Path, name: str, mode: Mode = "RGB") -> Texture | None:
        """Load the image of a file. Return None, with a warning, if it cannot be used.

        Args:
            folder: Folder that the name is relative to.
            name: Path of the image as the mesh file gives it.
            mode: Channels to decode.
        """
        path = self.object_files.find_or_warn(folder, name, "texture", FALLBACK_TEXT)
        if path is None:
            return None
        if (path, mode) not in self._loaded:
            self._loaded[path, mode] = self._try_or_warn(
                lambda: self._decode_image(self.object_files.read(path), path.name, mode)
            )
        return self._loaded[path, mode]

    def load_embedded(
        self, key: Hashable, read: Callable[[], bytes], name: str, mode: Mode = "RGB"
    ) -> Texture | None:
        """Load an image from bytes. Return None, with a warning, if it cannot be used.

        Args:
            key: Key that identifies the bytes, so that they are read and decoded once.
            read: Function that returns the bytes. If it raises, the whole object is refused.
            name: Name of the image in warnings.
            mode: Channels to decode.
        """
        if (key, mode) not in self._loaded:
            data = read()
            self._loaded[key, mode] = self._try_or_warn(lambda: self._decode_image(data, name, mode))
        return self._loaded[key, mode]

    def derive_texture(
        self, key: Hashable, texture: Texture, make: Callable[[], NDArray[np.uint8]]
    ) -> Texture | None:
        """Return a texture computed from another one, computed once for each key.

        Args:
            key: Key that identifies the result.
            texture: Texture of the same size, which counts toward the limits on pixels.
            make: Function that computes the pixels.

        Returns:
            The texture. None, with a warning, if it exceeds a limit.
        """
        if key not in self._derived:
            self._derived[key] = self._try_or_warn(lambda: self._make_texture(texture, make))
        return self._derived[key]

    def with_sampling(
        self, texture: Texture, wrap: tuple[Wrap, Wrap], magnified: Filter = "linear"
    ) -> Texture:
        """Return the texture with another wrap and filter: the same pixels, and one object for each request.

        Args:
            texture: Texture made by this loader.
            wrap: Continuation of the image along u and along v.
            magnified: Filter where a texel is larger than a pixel.
        """
        if (texture.wrap, texture.magnified) == (wrap, magnified):
            return texture
        key = id(texture), wrap, magnified
        if key not in self._sampled:
            self._sampled[key] = texture, replace(texture, wrap=wrap, magnified=magnified)
        return self._sampled[key][1]

    def _try_or_warn(self, make: Callable[[], Texture]) -> Texture | None:
        """Call a function. Return None, with a warning, if it raises a ``MeshError``."""
        try:
            return make()
        except MeshError as error:
            kind = "image-limit" if error.reason == TOO_LARGE else "file-unreadable"
            self.object_files.log.add(kind, self.object_files.format_error(error), FALLBACK_TEXT)
            return None

    def _make_texture(self, texture: Texture, make: Callable[[], NDArray[np.uint8]]) -> Texture:
        """Compute a derived texture after counting its pixels."""
        height, width = texture.pixels.shape[:2]
        self._count_pixels(height * width, 1, "with another tint or cutout")
        return Texture(make())

    def _decode_image(self, data: bytes, name: str, mode: Mode) -> Texture:
        """Decode an image after checking its size."""
        self._count_bytes(data, name)
        data = image_checks.strip_png(data)
        try:
            with warnings.catch_warnings():
                # Pillow warns about images larger than a limit; _check_size has stricter limits.
                warnings.simplefilter("ignore")
                return Texture(self._decode_pixels(data, name, mode))
        except MeshError:
            raise
        except Exception as error:  # decoders raise many different errors for broken images
            cause = image_checks.describe_unsupported(data) or _format_error(error, data)
            raise MeshError(f"texture {format_text(name)} cannot be read ({cause})") from error

    def _decode_pixels(self, data: bytes, name: str, mode: Mode) -> NDArray[np.uint8]:
        """Decode an image to [H, W, channels of the mode], as far as it goes if it is cut off."""
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        except UnidentifiedImageError:
            return self._decode_samples(data, name, mode)
        with image:
            self._check_size(image, data, name)
            try:
                pixels, is_cut = decode_pixels(image, data, mode)
            except Exception:
                pixels, is_cut = _decode_completed(data, image.size, mode), True
                if pixels is None:
                    raise
        if is_cut:
            detail = f"texture {format_text(name)} is cut off"
            self.object_files.log.add("image-cut", detail, "it is used as far as it goes")
        return pixels

    def _decode_samples(self, data: bytes, name: str, mode: Mode) -> NDArray[np.uint8]:
        """Decode a TIFF image of a kind that Pillow does not know."""
        samples = open_tiff_samples(data)
        if samples is None:
            raise UnidentifiedImageError
        samples.check()
        self._check_sides(samples.size, name)
        weight = samples.num_samples * samples.sample_type.itemsize // 2  # a copy or two of so many bytes
        self._count_pixels(samples.size[0] * samples.size[1], weight, format_text(name))
        return samples.decode(mode)

    def _count_bytes(self, data: bytes, name: str) -> None:
        """Count the bytes of an image, and raise if too many images share the same bytes.

        Each byte may be decoded twice, once for each mode.
        """
        self._bytes_seen += len(data)
        if self._bytes_seen > 2 * self.object_files.bytes_read:
            raise MeshError(
                f"texture {format_text(name)} shares its bytes with too many other textures", TOO_LARGE
            )

    def _check_size(self, image: Image.Image, data: bytes, name: str) -> None:
        """Raise if an image is too large, too costly to decode, or one too many."""
        self._check_sides(image.size, name)
        image_checks.check_image(image, data, format_text(name))
        weight = PIXEL_WEIGHTS.get(image.format or "", 1)
        self._count_pixels(image.width * image.height, weight, format_text(name))

    def _check_sides(self, size: tuple[int, int], name: str) -> None:
        """Raise if an image of this width and height is too large."""
        (width, height), max_pixels = size, self.object_files.limits.texture_pixels
        if width * height > max_pixels or max(size) > MAX_SIDE_PX:
            raise MeshError(
                f"texture {format_text(name)} has {width} x {height} pixels, and at most "
                f"{max_pixels} are read, no side longer than {MAX_SIDE_PX}; scale it down",
                TOO_LARGE,
            )

    def _count_pixels(self, size: int, weight: int, name: str) -> None:
        """Count pixels before memory is allocated for them, and raise if they exceed a limit."""
        limits = self.object_files.limits
        if self.pixels_decoded + size > limits.object_pixels:
            raise MeshError(
                f"texture {name} is one too many: all textures of an object together may have at most "
                f"{limits.object_pixels} pixels; scale them down",
                TOO_LARGE,
            )
        if self._cost + size * weight > limits.pixels.compute_max(self.object_files.bytes_read):
            raise MeshError(
                f"texture {name} is one too many: textures of an object whose files have "
                f"{self.object_files.bytes_read:,} bytes may have at most "
                f"{limits.pixels.compute_max(self.object_files.bytes_read):,} pixels; scale them down",
                TOO_LARGE,
            )
        self.pixels_decoded += size
        self._cost += size * weight


def _decode_completed(data: bytes, size: tuple[int, int], mode: Mode) -> NDArray[np.uint8] | None:
    """Decode an image that is cut off as far as it goes; None if it cannot be read at all."""
    for whole in complete_image(data, size):
        try:
            with Image.open(io.BytesIO(whole), formats=FORMATS) as image:
                if image.size == size:
                    return decode_pixels(image, whole, mode)[0]
        except Exception:
            continue
    return None


def _format_error(error: Exception, data: bytes) -> str:
    """Return the text of a decoder's error, without the bytes of the image."""
    if isinstance(error, UnidentifiedImageError):
        return "it is not an image of a supported format"
    return str(error).replace(repr(data), "")[:120] or type(error).__name__
