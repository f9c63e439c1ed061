"""Images made by tests, PNG files by their specification among them, and their pixels as textures."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from turntable.renderer.meshes import Limits
from turntable.renderer.meshes.formats.files.object_files import ObjectFiles
from turntable.renderer.meshes.formats.images.texture_loader import TextureLoader

RNG = np.random.default_rng(24)
HEIGHT, WIDTH = 19, 23


def make_loader(folder, **limits):
    files = ObjectFiles(folder, Limits(**limits))
    files.bytes_read = 10**7
    return TextureLoader(files)


def load(folder, data, mode="RGB", **limits):
    """The pixels of an image, or None, and the kinds and texts of the warnings."""
    loader = make_loader(folder, **limits)
    texture = loader.load_embedded("a", lambda: data, "image 0", mode)
    return None if texture is None else texture.pixels, [
        (warning.kind, str(warning)) for warning in loader.object_files.log.warnings
    ]


def check(folder, data, expected, mode="RGB"):
    """Expect these pixels to the last level, and no warning."""
    pixels, warnings = load(folder, data, mode)
    assert warnings == []
    np.testing.assert_array_equal(pixels, expected)


def levels(values):
    """Levels of 8 bits of values in [0, 1]."""
    return np.floor(np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)


def gray(channel):
    return np.repeat(channel[..., None], 3, axis=2)


def encode(image, kind, **more):
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def write_png(rows, depth, color_type, *more, interlaced=0, size=(WIDTH, HEIGHT)):
    """A PNG of rows of bytes without filter."""
    header = struct.pack(">IIBBBBB", *size, depth, color_type, 0, 0, interlaced)
    packed = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    chunks = [(b"IHDR", header), *more, (b"IDAT", packed), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*item) for item in chunks)


PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def interlace(values):
    return [
        row.tobytes()
        for left, top, across, down in PASSES
        for row in values[top::down, left::across]
        if row.size
    ]


def smooth_image(mode="RGB"):
    across, down = np.meshgrid(np.arange(96), np.arange(80))
    image = Image.fromarray(np.dstack([across * 2, down * 3, across + down]).astype(np.uint8))
    return image.convert(mode)
