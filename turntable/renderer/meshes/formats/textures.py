"""Images of textures: looked at before they are decoded, left out with a note where they cannot be used."""

import io
import warnings
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from turntable.errors import MeshError, shown
from turntable.renderer.meshes.formats import image_bytes
from turntable.renderer.meshes.formats.confined import Confined
from turntable.renderer.meshes.mesh import Texture

Mode = Literal["RGB", "RGBA"]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TGA", "GIF", "TIFF", "DDS", "PPM")
"""What is decoded at all: no format that asks for another program (EPS) or for files of its own."""

INSTEAD = "the material's own colour is used"

WEIGHTS = {"WEBP": 3}
"""Formats of which a pixel costs as much as several, since their decoders hold copies of the canvas."""

LONGEST_SIDE_PX = 2**16
"""A decoder keeps a pointer for each row."""
STRIP_PIXELS = 2**22
"""Pixels that are converted at once."""


@dataclass(slots=True)
class Textures:
    """The images of one object, each decoded once; notes say what is missing."""

    files: Confined
    pixels: int = 0
    """Decoded so far."""
    _loaded: dict[tuple[Hashable, Mode], Texture | None] = field(default_factory=dict)
    _derived: dict[Hashable, Texture | None] = field(default_factory=dict)
    _cost: int = 0
    """Pixels, each as often as it weighs."""
    _bytes: int = 0
    """Bytes of all images that were looked at: many may name the same ones."""
    _notes: dict[str, None] = field(default_factory=dict)
    _unsaid: int = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """List what is missing, each thing once; of very many, the first ones."""
        more = (f"and {self._unsaid:,} more warnings",) if self._unsaid else ()
        return (*self._notes, *more)

    def from_file(self, folder: Path, name: str, mode: Mode = "RGB") -> Texture | None:
        """The image of a file, or None with a note."""
        path = self.files.find(folder, name)
        if path is None:
            self.note(f"texture {shown(name)} is missing; {INSTEAD}")
            return None
        if (path, mode) not in self._loaded:
            made = self._or_note(lambda: self._decoded(self.files.read(path), path.name, mode))
            self._loaded[path, mode] = made
        return self._loaded[path, mode]

    def embedded(
        self, key: Hashable, read: Callable[[], bytes], name: str, mode: Mode = "RGB"
    ) -> Texture | None:
        """The image of some bytes, or None with a note.

        Args:
            key: Stands for the bytes: they are read and decoded once.
            read: Gives the bytes; where it cannot, the object is refused.
            name: What notes call the image.
            mode: The channels that are wanted.
        """
        if (key, mode) not in self._loaded:
            data = read()
            self._loaded[key, mode] = self._or_note(lambda: self._decoded(data, name, mode))
        return self._loaded[key, mode]

    def derived(
        self, key: Hashable, texture: Texture, make: Callable[[], NDArray[np.uint8]]
    ) -> Texture | None:
        """A texture computed from another one, once a key; None with a note where that is one too many."""
        if key not in self._derived:
            self._derived[key] = self._or_note(lambda: self._made(texture, make))
        return self._derived[key]

    def note(self, text: str) -> None:
        """Remember what is missing, once."""
        if text not in self._notes:
            if len(self._notes) < self.files.limits.notes:
                self._notes[text] = None
            else:
                self._unsaid += 1

    def _or_note(self, make: Callable[[], Texture]) -> Texture | None:
        try:
            return make()
        except MeshError as error:
            self.note(f"{error}; {INSTEAD}")
            return None

    def _made(self, texture: Texture, make: Callable[[], NDArray[np.uint8]]) -> Texture:
        height, width = texture.pixels.shape[:2]
        self._pay(height * width, 1, "with another tint or cut-out")
        return Texture(make())

    def _decoded(self, data: bytes, name: str, mode: Mode) -> Texture:
        self._look(data, name)
        try:
            data = image_bytes.bare(data)
            with warnings.catch_warnings():  # Pillow's own limit is not ours
                warnings.simplefilter("ignore")
                with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                    self._check_size(image, data, name)
                    return Texture(_pixels(image, data, mode))
        except MeshError:
            raise
        except Exception as error:  # a broken image makes a decoder raise anything
            raise MeshError(f"texture {shown(name)} cannot be read ({_words(error, data)})") from error

    def _look(self, data: bytes, name: str) -> None:
        """Count the bytes of an image; in both modes each may be wanted twice, and no more often."""
        self._bytes += len(data)
        if self._bytes > 2 * self.files.bytes_read:
            raise MeshError(f"texture {shown(name)} shares its bytes with too many others")

    def _check_size(self, image: Image.Image, data: bytes, name: str) -> None:
        size, most = image.width * image.height, self.files.limits.texture_pixels
        if size > most or max(image.size) > LONGEST_SIDE_PX:
            raise MeshError(
                f"texture {shown(name)} has {image.width} x {image.height} pixels, and at most {most} are "
                f"read, no side longer than {LONGEST_SIDE_PX}; scale it down"
            )
        image_bytes.check(image, data, shown(name))
        self._pay(size, WEIGHTS.get(image.format or "", 1), shown(name))

    def _pay(self, size: int, weight: int, name: str) -> None:
        """Count pixels before there is memory for them."""
        limits = self.files.limits
        if self.pixels + size > limits.object_pixels:
            raise MeshError(
                f"texture {name} is one too many: all textures of an object have at most "
                f"{limits.object_pixels} pixels; scale them down"
            )
        if self._cost + size * weight > limits.pixels.most(self.files.bytes_read):
            raise MeshError(
                f"texture {name} is one too many: files of {self.files.bytes_read:,} bytes may have at most "
                f"{limits.pixels.most(self.files.bytes_read):,} pixels; scale them down"
            )
        self.pixels += size
        self._cost += size * weight


def _pixels(image: Image.Image, data: bytes, mode: Mode) -> NDArray[np.uint8]:
    if image.format == "JPEG" and image.mode == "RGB" and mode == "RGB":
        try:  # the same library's work, in half of the time
            return simplejpeg.decode_jpeg(data, "RGB", strict=True)
        except ValueError:
            pass
    pixels = np.empty((image.height, image.width, len(mode)), dtype=np.uint8)
    rows = max(STRIP_PIXELS // max(image.width, 1), 1)
    for top in range(0, image.height, rows):  # not all at once: Pillow would copy it three times
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        pixels[top : top + rows] = np.asarray(strip if strip.mode == mode else strip.convert(mode))
    return pixels


def _words(error: Exception, data: bytes) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is no image of a known format"
    return str(error).replace(repr(data), "")[:120] or type(error).__name__
