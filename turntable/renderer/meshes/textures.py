"""Images of textures: looked at before they are decoded, left out with a note where they cannot be used."""

import io
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from turntable.errors import MeshError
from turntable.renderer.meshes.confined import Confined
from turntable.renderer.meshes.mesh import Texture

Mode = Literal["RGB", "RGBA"]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TGA", "GIF", "TIFF", "DDS", "PPM")
"""What is decoded at all: no format that asks for another program (EPS) or for files of its own."""

INSTEAD = "the material's own colour is used"


@dataclass(slots=True)
class Textures:
    """The images of one object, each decoded once; notes say what is missing."""

    files: Confined
    notes: list[str] = field(default_factory=list)
    pixels: int = 0
    """Decoded so far."""
    _loaded: dict[tuple[object, Mode], Texture | None] = field(default_factory=dict)

    def from_file(self, folder: Path, name: str, mode: Mode = "RGB") -> Texture | None:
        """The image of a file, or None with a note."""
        path = self.files.find(folder, name)
        if path is None:
            self.note(f"texture {_short(name)} is missing; {INSTEAD}")
            return None
        if (path, mode) not in self._loaded:
            try:
                self._loaded[path, mode] = self._decoded(self.files.read(path), path.name, mode)
            except MeshError as error:
                self.note(f"{error}; {INSTEAD}")
                self._loaded[path, mode] = None
        return self._loaded[path, mode]

    def from_bytes(self, data: bytes, name: str, mode: Mode = "RGB") -> Texture | None:
        """An embedded image, or None with a note; ``name`` stands for its bytes."""
        if (name, mode) not in self._loaded:
            try:
                self._loaded[name, mode] = self._decoded(data, name, mode)
            except MeshError as error:
                self.note(f"{error}; {INSTEAD}")
                self._loaded[name, mode] = None
        return self._loaded[name, mode]

    def note(self, text: str) -> None:
        """Remember what is missing, once."""
        if text not in self.notes:
            self.notes.append(text)

    def _decoded(self, data: bytes, name: str, mode: Mode) -> Texture:
        try:
            with warnings.catch_warnings():  # Pillow's own limit is not ours
                warnings.simplefilter("ignore")
                with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                    self._check_size(image, name)
                    return Texture(_pixels(image, data, mode))
        except MeshError:
            raise
        except Exception as error:  # a broken image makes a decoder raise anything
            words = str(error).replace(repr(data), "")[:120] or type(error).__name__
            raise MeshError(f"texture {_short(name)} cannot be read ({words})") from error

    def _check_size(self, image: Image.Image, name: str) -> None:
        size, limits = image.width * image.height, self.files.limits
        if size > limits.texture_pixels:
            raise MeshError(
                f"texture {_short(name)} has {image.width} x {image.height} pixels, and at most "
                f"{limits.texture_pixels} are read; scale it down"
            )
        if self.pixels + size > limits.object_pixels:
            raise MeshError(
                f"texture {_short(name)} is one too many: all textures of an object have at most "
                f"{limits.object_pixels} pixels; scale them down"
            )
        self.pixels += size


def _pixels(image: Image.Image, data: bytes, mode: Mode) -> NDArray[np.uint8]:
    if image.format == "JPEG" and image.mode == "RGB" and mode == "RGB":
        try:  # the same library's work, in half of the time
            return simplejpeg.decode_jpeg(data, "RGB", strict=True)
        except ValueError:
            pass
    return np.asarray(image.convert(mode))


def _short(name: str) -> str:
    return name if len(name) <= 120 else f"{name[:120]}…"
