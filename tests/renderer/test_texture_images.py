"""Tests of images of every kind that people use as textures, against pixels known beforehand."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from tests.support.images import (
    HEIGHT,
    RNG,
    WIDTH,
    check,
    encode,
    gray,
    interlace,
    levels,
    load,
    make_loader,
    smooth_image,
    write_png,
)

# PNG, written by its specification.


def pack_bits(values, bits):
    """Rows of numbers of so many bits, packed into bytes."""
    wide = ((values[..., None] >> np.arange(bits - 1, -1, -1)) & 1).reshape(len(values), -1)
    return np.packbits(wide.astype(np.uint8), axis=1)


def test_png_of_16_bits_gray(tmp_path):
    values = RNG.integers(0, 2**16, (HEIGHT, WIDTH)).astype(">u2")
    data = write_png([row.tobytes() for row in values], 16, 0)
    check(tmp_path, data, gray(levels(values / 65535)))
    opaque = np.dstack([gray(levels(values / 65535)), np.full((HEIGHT, WIDTH), 255)])
    check(tmp_path, data, opaque, "RGBA")


@pytest.mark.parametrize(("color_type", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_png_of_16_bits_and_channels(tmp_path, color_type, channels):
    values = RNG.integers(0, 2**16, (HEIGHT, WIDTH, channels)).astype(">u2")
    pixels, warnings = load(tmp_path, write_png([row.tobytes() for row in values], 16, color_type), "RGBA")
    expected = values.astype(int)
    if channels == 2:
        expected = expected[..., [0, 0, 0, 1]]
    if channels == 3:
        expected = np.dstack([expected, np.full((HEIGHT, WIDTH), 65535)])
    assert warnings == []
    assert np.abs(pixels * 257.0 - expected).max() <= 256  # Pillow drops the lower byte


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_png_of_few_bits(tmp_path, bits):
    values = RNG.integers(0, 2**bits, (HEIGHT, WIDTH))
    check(tmp_path, write_png(pack_bits(values, bits), bits, 0), gray(levels(values / (2**bits - 1))))
    palette = RNG.integers(0, 256, (2**bits, 3)).astype(np.uint8)
    alpha = RNG.integers(0, 256, 2**bits).astype(np.uint8)
    data = write_png(
        pack_bits(values, bits), bits, 3, (b"PLTE", palette.tobytes()), (b"tRNS", alpha.tobytes())
    )
    check(tmp_path, data, palette[values])
    check(tmp_path, data, np.dstack([palette[values], alpha[values]]), "RGBA")


def test_png_with_a_transparent_color(tmp_path):
    values = RNG.integers(0, 4, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    key = values[3, 3]
    data = write_png([row.tobytes() for row in values], 8, 2, (b"tRNS", struct.pack(">3H", *key.tolist())))
    alpha = np.where((values == key).all(-1), 0, 255)
    check(tmp_path, data, np.dstack([values, alpha]), "RGBA")


def test_interlaced_png(tmp_path):
    values = RNG.integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    check(tmp_path, write_png(interlace(values), 8, 2, interlaced=1), values)


# Other formats.


@pytest.mark.parametrize("suffix", ["jp2", "j2k"])
def test_jpeg_2000(tmp_path, suffix):
    values = RNG.integers(0, 256, (64, 48, 4)).astype(np.uint8)
    for channels, mode in ((1, "L"), (3, "RGB"), (4, "RGBA")):
        out = io.BytesIO()
        one = values[..., 0] if channels == 1 else values[..., :channels]
        out.name = f"a.{suffix}"
        Image.fromarray(np.ascontiguousarray(one)).save(out, "JPEG2000", irreversible=False)
        assert Image.open(io.BytesIO(out.getvalue())).mode == mode
        check(tmp_path, out.getvalue(), gray(values[..., 0]) if channels == 1 else values[..., :3])
    check(tmp_path, out.getvalue(), values, "RGBA")


def test_jpeg_2000_of_16_bits(tmp_path):
    values = RNG.integers(0, 2**16, (32, 32)).astype(np.uint16)
    out = io.BytesIO()
    Image.fromarray(values).save(out, "JPEG2000")
    check(tmp_path, out.getvalue(), gray(levels(values / 65535)))


def test_jpeg_2000_costs_more_than_its_pixels(tmp_path):
    from turntable.renderer.meshes.limits import ScaledLimit

    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "JPEG2000")
    pixels, ((kind, _),) = load(tmp_path, out.getvalue(), pixels=ScaledLimit(8 * 64 * 64 - 1, 0))
    assert pixels is None
    assert kind == "image-limit"


def change_jpeg_2000(offset, content):
    """A JPEG 2000 image with other bytes at this offset from its code stream."""
    data = bytearray(
        encode(Image.effect_noise((128, 128), 50).convert("RGB"), "JPEG2000", tile_size=(32, 32))
    )
    start = data.index(b"\xff\x4f\xff\x51") + offset
    data[start : start + len(content)] = content
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        change_jpeg_2000(24, struct.pack(">2I", 1, 1)),  # tiles of one pixel
        change_jpeg_2000(24, bytes(8)),
        change_jpeg_2000(2 + 2 + 47 + 6, struct.pack(">H", 65535)),  # layers, in the segment after the size
    ],
)
def test_jpeg_2000_of_too_many_parts_is_left_out(tmp_path, data):
    assert load(tmp_path, change_jpeg_2000(0, b""))[1] == []
    pixels, ((kind, text),) = load(tmp_path, data)
    assert pixels is None
    assert kind == "file-unreadable"
    assert "or too many layers" in text


def test_jpegs_of_one_and_of_four_channels(tmp_path):
    out = io.BytesIO()
    noise = Image.effect_noise((40, 24), 60)
    noise.save(out, "JPEG")
    check(tmp_path, out.getvalue(), gray(np.asarray(Image.open(io.BytesIO(out.getvalue())))))
    out = io.BytesIO()
    noise.convert("RGB").convert("CMYK").save(out, "JPEG", quality=95)
    with Image.open(io.BytesIO(out.getvalue())) as image:
        inks = np.asarray(image).astype(float) / 255
    expected = (1 - inks[..., :3]) * (1 - inks[..., 3:]) * 255
    pixels, warnings = load(tmp_path, out.getvalue())
    assert warnings == []
    assert np.abs(pixels - expected).max() <= 2


def test_a_turn_in_exif_is_ignored(tmp_path):
    image = Image.effect_noise((32, 16), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    plain, turned = io.BytesIO(), io.BytesIO()
    image.save(plain, "JPEG")
    image.save(turned, "JPEG", exif=exif)
    check(tmp_path, turned.getvalue(), load(tmp_path, plain.getvalue())[0])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"v/1\x01" + bytes(100), "OpenEXR image"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n\x80\x80\x80\x80", "Radiance HDR image"),
        (bytes(4) + b"ftypavif" + bytes(100), "AVIF image"),
        (b"\xabKTX 20\xbb\r\n\x1a\n" + bytes(100), "KTX texture"),
        (b"<svg></svg>", "SVG image"),
        (b"no image", "not an image of a supported format"),
        (b"", "not an image of a supported format"),
    ],
)
def test_other_formats_are_named(tmp_path, data, words):
    pixels, ((kind, text),) = load(tmp_path, data)
    assert pixels is None
    assert kind == "file-unreadable"
    assert words in text


# Sampling.


def test_another_sampling_shares_the_pixels(tmp_path):
    loader = make_loader(tmp_path)
    texture = loader.load_embedded("a", lambda: encode(smooth_image(), "PNG"), "image 0")
    decoded = loader.pixels_decoded
    clamped = loader.with_sampling(texture, wrap=("clamp", "repeat"), magnified="nearest")
    assert (clamped.wrap, clamped.magnified) == (("clamp", "repeat"), "nearest")
    assert clamped.pixels is texture.pixels
    assert loader.with_sampling(texture, ("clamp", "repeat"), "nearest") is clamped
    assert loader.with_sampling(texture, ("repeat", "repeat"), "linear") is texture
    assert loader.with_sampling(texture, ("clamp", "repeat")) is not clamped
    assert loader.load_embedded("a", lambda: b"", "image 0") is texture
    assert loader.pixels_decoded == decoded
