"""TIFF images that Pillow does not know: of several channels with more than 8 bits each, or of other numbers.

Pillow's decoder unpacks them nevertheless, as an image of single bytes. The numbers are made from the bytes
here.
"""

import io
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from turntable.renderer.meshes.formats.images.image_pixels import STRIP_PIXELS, Mode, add_alpha, to_levels

_SHORT, _LONG = 3, 4
"""Types of the numbers of a tag: 2 and 4 bytes."""
_TYPES = {1: "B", _SHORT: "H", _LONG: "I"}
"""Letters of the types in the notation of ``struct``."""
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIP_OFFSETS, _NUM_SAMPLES, _STRIP_ROWS, _STRIP_BYTES = 273, 277, 278, 279
_PLANAR, _PREDICTOR, _TILE_WIDTH, _TILE_OFFSETS = 284, 317, 322, 324
_EXTRA_SAMPLES, _SAMPLE_FORMAT = 338, 339
"""Tags that are read."""
_COMPRESSIONS = (1, 5, 8, 32773, 32946)
"""Compressions that keep bytes: none, LZW, Deflate, PackBits and the older Deflate."""
_WHITE_IS_ZERO, _RGB = 0, 2
"""Photometric interpretations: a small number is white, and red, green and blue. 1 is gray."""
_HORIZONTAL, _FLOATING = 2, 3
"""Predictors: differences of neighbors, and differences of the bytes of floats."""
_KINDS = {1: "u", 2: "i", 3: "f"}
"""Letters of the sample formats in the notation of numpy."""


@dataclass(frozen=True, slots=True)
class TiffSamples:
    """The first image of a TIFF file, whose samples have more than 8 bits each."""

    data: bytes
    """Bytes of the file."""
    order: str
    """Byte order: "<" or ">"."""
    tags: Mapping[int, tuple[int, ...]]
    """Numbers of the tags."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.get(_WIDTH), self.get(_HEIGHT)

    @property
    def num_samples(self) -> int:
        """Number of channels."""
        return self.get(_NUM_SAMPLES, 1)

    @property
    def sample_type(self) -> np.dtype[np.generic]:
        """Type of a sample as it lies in the file.

        Raises:
            ValueError: No such type is read.
        """
        kind, bits = _KINDS.get(self.get(_SAMPLE_FORMAT, 1), ""), self.get(_BITS, 1)
        if f"{kind}{bits}" not in ("u16", "u32", "i16", "i32", "f16", "f32", "f64"):
            raise ValueError(f"samples of {bits} bits are not read")
        return np.dtype(f"{self.order}{kind}{bits // 8}")

    def get(self, tag: int, default: int = 0) -> int:
        """Return the first number of a tag."""
        return self.tags.get(tag, (default,))[0]

    def decode(self, mode: Mode) -> NDArray[np.uint8]:
        """Decode the image to [H, W, channels of the mode].

        Raises:
            ValueError: A strip is cut off, or says otherwise than the tags.
        """
        samples = self._read_samples()
        width, height = self.size
        pixels = np.empty((height, width, len(mode)), dtype=np.uint8)
        rows = max(STRIP_PIXELS // width, 1)
        for top in range(0, height, rows):
            pixels[top : top + rows] = self._convert(samples[top : top + rows], mode)
        return pixels

    def _convert(self, samples: NDArray[np.generic], mode: Mode) -> NDArray[np.uint8]:
        """Convert samples [H, W, samples] to the channels of a mode."""
        values = _scale(samples)
        if self.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
            values[..., 0] = 1 - values[..., 0]
        num_colors = 3 if self.get(_PHOTOMETRIC) == _RGB else 1
        colors = to_levels(values[..., :num_colors])
        if num_colors == 1:
            colors = np.repeat(colors, 3, axis=2)
        # Of a sample beyond the colors, the file says whether it is an opacity.
        if mode == "RGBA" and values.shape[2] > num_colors and self.get(_EXTRA_SAMPLES, 2):
            return np.dstack([colors, to_levels(values[..., num_colors])])
        return add_alpha(colors, mode)

    def check(self) -> None:
        """Check that the image is of a kind that is read.

        Raises:
            ValueError: It is of another kind.
        """
        num_colors = 3 if self.get(_PHOTOMETRIC) == _RGB else 1
        if self.get(_PHOTOMETRIC, 9) > _RGB or not num_colors <= self.num_samples <= 16:
            raise ValueError("its colors are of a kind that is not read")
        if self.get(_COMPRESSION, 1) not in _COMPRESSIONS:
            raise ValueError("its compression is not read")
        if _STRIP_OFFSETS not in self.tags or _STRIP_BYTES not in self.tags:
            raise ValueError("it has tiles of more than 8 bits a channel, which are not read")
        if len(set(self.tags.get(_BITS, (1,)))) > 1:
            raise ValueError("its channels differ in bits")
        if min(self.size) < 1 or self.sample_type.itemsize < 1:
            raise ValueError("it has no pixels")

    def _read_samples(self) -> NDArray[np.generic]:
        """Read the samples [H, W, samples]."""
        width, height = self.size
        offsets, counts = self.tags[_STRIP_OFFSETS], self.tags[_STRIP_BYTES]
        if self.get(_PLANAR, 1) == 1:
            return self._read_plane(offsets, counts, self.num_samples)
        rows = self.get(_STRIP_ROWS, height) or height
        step = -(-height // min(rows, height))
        planes = [
            self._read_plane(offsets[start : start + step], counts[start : start + step], 1)
            for start in range(0, step * self.num_samples, step)
        ]
        return np.concatenate(planes, axis=2).reshape(height, width, -1)

    def _read_plane(
        self, offsets: Sequence[int], counts: Sequence[int], num_samples: int
    ) -> NDArray[np.generic]:
        """Read the samples [H, W, num_samples] of some strips."""
        (width, height), kind = self.size, self.sample_type
        with Image.open(
            io.BytesIO(self._as_bytes_image(offsets, counts, num_samples)), formats=("TIFF",)
        ) as image:
            rows = np.asarray(image)
        predictor = self.get(_PREDICTOR, 1)
        if predictor == _FLOATING:
            # Bytes are differences to those of the sample before; the most significant ones of a row come
            # first, then the next.
            added = np.cumsum(rows.reshape(height, -1, num_samples), axis=1, dtype=np.uint8)
            planes = added.reshape(height, kind.itemsize, width * num_samples)
            big = np.ascontiguousarray(planes.transpose(0, 2, 1)).view(kind.newbyteorder(">"))
            return big.reshape(height, width, num_samples)
        samples = np.ascontiguousarray(rows).view(kind).reshape(height, width, num_samples)
        if predictor == _HORIZONTAL:
            unsigned = np.dtype(f"u{kind.itemsize}")
            native = samples.view(np.dtype(f"{self.order}u{kind.itemsize}")).astype(unsigned)
            return np.cumsum(native, axis=1, dtype=unsigned).view(kind.newbyteorder("="))
        return samples

    def _as_bytes_image(self, offsets: Sequence[int], counts: Sequence[int], num_samples: int) -> bytes:
        """Return the file with another directory, of a gray image whose pixels are single bytes."""
        width, height = self.size
        directory_start = len(self.data) + len(self.data) % 2
        entries: dict[int, Sequence[int]] = {
            _WIDTH: (width * num_samples * self.sample_type.itemsize,),
            _HEIGHT: (height,),
            _BITS: (8,),
            _COMPRESSION: (self.get(_COMPRESSION, 1),),
            _PHOTOMETRIC: (1,),
            _STRIP_OFFSETS: offsets,
            _NUM_SAMPLES: (1,),
            _STRIP_ROWS: (self.get(_STRIP_ROWS, height),),
            _STRIP_BYTES: counts,
        }
        arrays_start = directory_start + 2 + 12 * len(entries) + 4
        directory, arrays = struct.pack(f"{self.order}H", len(entries)), b""
        for tag, values in entries.items():
            content = struct.pack(f"{self.order}{len(values)}I", *values)
            if len(values) > 1:
                arrays += content
                content = struct.pack(f"{self.order}I", arrays_start + len(arrays) - len(content))
            directory += struct.pack(f"{self.order}HHI", tag, _LONG, len(values)) + content
        head = self.data[:4] + struct.pack(f"{self.order}I", directory_start)
        return head + self.data[8:].ljust(directory_start - 8, b"\0") + directory + bytes(4) + arrays


def open_tiff_samples(data: bytes) -> TiffSamples | None:
    """Read the tags of a TIFF file; None for any other file."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 8:
        return None
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    if start + 2 > len(data):
        return None
    (count,) = struct.unpack_from(f"{order}H", data, start)
    tags: dict[int, tuple[int, ...]] = {}
    for at in range(start + 2, min(start + 2 + 12 * count, len(data) - 11), 12):
        tag, kind, length = struct.unpack_from(f"{order}HHI", data, at)
        size = struct.calcsize(_TYPES.get(kind, "B")) * length
        place = at + 8 if size <= 4 else struct.unpack_from(f"{order}I", data, at + 8)[0]
        if kind in _TYPES and length and place + size <= len(data):
            tags[tag] = struct.unpack_from(f"{order}{length}{_TYPES[kind]}", data, place)
    return TiffSamples(data, order, tags)


def _scale(samples: NDArray[np.generic]) -> NDArray[np.float64]:
    """Scale samples to 1 for white. Floats are sRGB as they are, as Blender takes them."""
    values = samples.astype(np.float64)
    return values if samples.dtype.kind == "f" else values / np.iinfo(samples.dtype.str).max
