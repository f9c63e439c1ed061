"""Tests of images of every kind that people use as textures, against pixels known beforehand."""

import io
import struct
import threading
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile

from turntable.renderer.meshes import Limits
from turntable.renderer.meshes.formats.files.object_files import ObjectFiles
from turntable.renderer.meshes.formats.images import image_pixels
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


# PNG, written by its specification.


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def write_png(rows, depth, color_type, *more, interlaced=0, size=(WIDTH, HEIGHT)):
    """A PNG of rows of bytes without filter."""
    header = struct.pack(">IIBBBBB", *size, depth, color_type, 0, 0, interlaced)
    packed = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    chunks = [(b"IHDR", header), *more, (b"IDAT", packed), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*item) for item in chunks)


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


PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def interlace(values):
    return [
        row.tobytes()
        for left, top, across, down in PASSES
        for row in values[top::down, left::across]
        if row.size
    ]


def test_interlaced_png(tmp_path):
    values = RNG.integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    check(tmp_path, write_png(interlace(values), 8, 2, interlaced=1), values)


# TIFF, written by its specification.


def write_tiff(
    values,
    order="<",
    *,
    photometric=None,
    compression=1,
    predictor=1,
    planar=1,
    strip_rows=None,
    extra=None,
):
    """A TIFF of an array [H, W, samples], in strips."""
    height, width, samples = values.shape
    kind = values.dtype.newbyteorder(order)
    strip_rows = strip_rows or height
    planes = [values] if planar == 1 else [values[..., [n]] for n in range(samples)]
    strips = []
    for plane in planes:
        for top in range(0, height, strip_rows):
            block = np.ascontiguousarray(plane[top : top + strip_rows])
            if predictor == 2:
                unsigned = block.view(f"u{kind.itemsize}")
                block = np.diff(unsigned, axis=1, prepend=np.zeros_like(unsigned[:, :1])).view(block.dtype)
            content = block.astype(kind).tobytes()
            if predictor == 3:
                big = block.astype(block.dtype.newbyteorder(">"))
                rows = big.reshape(len(block), -1).view(np.uint8).reshape(len(block), -1, kind.itemsize)
                planes_of_bytes = rows.transpose(0, 2, 1).reshape(len(block), -1, block.shape[2])
                first = np.zeros_like(planes_of_bytes[:, :1])
                content = np.diff(planes_of_bytes, axis=1, prepend=first).tobytes()
            strips.append(zlib.compress(content) if compression == 8 else content)
    tags = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [8 * kind.itemsize] * samples),
        259: (3, [compression]),
        262: (3, [(2 if samples >= 3 else 1) if photometric is None else photometric]),
        273: (4, []),
        277: (3, [samples]),
        278: (4, [strip_rows]),
        279: (4, [len(strip) for strip in strips]),
        284: (3, [planar]),
        317: (3, [predictor]),
        339: (3, [{"u": 1, "i": 2, "f": 3}[kind.kind]] * samples),
    }
    if extra is not None:
        tags[338] = (3, [extra])
    start, body = 8, b""
    for strip in strips:
        tags[273][1].append(start + len(body))
        body += strip + b"\0" * (len(strip) % 2)
    directory_start = start + len(body)
    arrays_start = directory_start + 2 + 12 * len(tags) + 4
    directory, arrays = struct.pack(f"{order}H", len(tags)), b""
    for tag in sorted(tags):
        kind_of_tag, numbers = tags[tag]
        content = struct.pack(f"{order}{len(numbers)}{'HI'[kind_of_tag - 3]}", *numbers)
        field = content.ljust(4, b"\0")
        if len(content) > 4:
            field = struct.pack(f"{order}I", arrays_start + len(arrays))
            arrays += content
        directory += struct.pack(f"{order}HHI", tag, kind_of_tag, len(numbers)) + field
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return magic + struct.pack(f"{order}I", directory_start) + body + directory + bytes(4) + arrays


def make_samples(kind, samples):
    if kind.startswith("f"):
        values = RNG.uniform(-0.2, 1.3, (HEIGHT, WIDTH, samples)).astype(kind)
        values[0, 0, 0] = np.nan
        return values, np.nan_to_num(values.astype(float))
    info = np.iinfo(kind)
    values = RNG.integers(max(info.min, 0), info.max, (HEIGHT, WIDTH, samples), endpoint=True).astype(kind)
    return values, values.astype(float) / info.max


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("samples", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["u2", "u4", "i2", "i4", "f2", "f4", "f8"])
def test_tiff_of_any_numbers(tmp_path, kind, samples, order):
    values, light = make_samples(kind, samples)
    data = write_tiff(values, order, strip_rows=5, extra=2 if samples in (2, 4) else None)
    pixels, warnings = load(tmp_path, data, "RGBA")
    assert warnings == []
    colors = light[..., [0, 0, 0]] if samples < 3 else light[..., :3]
    alpha = light[..., -1:] if samples in (2, 4) else np.ones_like(light[..., :1])
    expected = levels(np.dstack([colors, alpha]))
    # Where Pillow reads channels of 16 bits itself, it drops the lower byte.
    tolerance = 1 if kind == "u2" and samples >= 3 else 0
    assert np.abs(pixels.astype(int) - expected).max() <= tolerance
    assert np.array_equal(load(tmp_path, data)[0], pixels[..., :3])


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("planar", [1, 2])
@pytest.mark.parametrize(
    ("kind", "compression", "predictor"),
    [("f4", 8, 1), ("f4", 8, 3), ("u4", 8, 2), ("u4", 1, 1), ("f2", 8, 3), ("f8", 8, 3), ("i4", 8, 2)],
)
def test_tiff_compressed_and_in_planes(tmp_path, kind, compression, predictor, planar, order):
    values, light = make_samples(kind, 3)
    data = write_tiff(
        values, order, compression=compression, predictor=predictor, planar=planar, strip_rows=4
    )
    check(tmp_path, data, levels(light))


@pytest.mark.parametrize("kind", ["u2", "f4", "u4"])
def test_tiff_whose_smallest_number_is_white(tmp_path, kind):
    values, light = make_samples(kind, 1)
    values[0, 0], light[0, 0] = 0, 0
    check(tmp_path, write_tiff(values, photometric=0), gray(levels(1 - light[..., 0])))


def test_tiff_that_cannot_be_read_says_why(tmp_path):
    values, _ = make_samples("f4", 3)
    for data, words in (
        (write_tiff(values, photometric=8), "colors are of a kind"),
        (write_tiff(values, compression=34712), "compression is not read"),
        (write_tiff(values)[:300], "cannot be read"),
        (write_tiff(np.zeros((4, 4, 3), "u8")), "samples of 64 bits"),
    ):
        pixels, ((kind, text),) = load(tmp_path, data)
        assert pixels is None
        assert kind == "file-unreadable"
        assert words in text


def test_tiff_of_many_channels_counts_its_bytes(tmp_path):
    values, _ = make_samples("f8", 4)
    pixels, ((kind, _),) = load(tmp_path, write_tiff(values), object_pixels=HEIGHT * WIDTH - 1)
    assert pixels is None
    assert kind == "image-limit"
    from turntable.renderer.meshes.limits import ScaledLimit

    pixels, ((kind, _),) = load(tmp_path, write_tiff(values), pixels=ScaledLimit(15 * HEIGHT * WIDTH, 0))
    assert kind == "image-limit"
    assert load(tmp_path, write_tiff(values), pixels=ScaledLimit(16 * HEIGHT * WIDTH, 0))[1] == []


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


# Cut files.


def smooth_image(mode="RGB"):
    across, down = np.meshgrid(np.arange(96), np.arange(80))
    image = Image.fromarray(np.dstack([across * 2, down * 3, across + down]).astype(np.uint8))
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("kind", ["RGB", "L", "CMYK"])
def test_a_cut_jpeg_is_shown_as_far_as_it_goes(tmp_path, kind, progressive, mode):
    data = encode(smooth_image(kind), "JPEG", progressive=progressive, quality=95)
    whole, scan = load(tmp_path, data)[0], len(data) - data.index(b"\xff\xda")
    for cut in (1, 2, 40, scan // 2, scan * 3 // 4):
        pixels, warnings = load(tmp_path, data[:-cut], mode)
        assert [kind for kind, _ in warnings] == ["image-cut"]
        assert "is cut off; it is used as far as it goes" in warnings[0][1]
        assert pixels.shape == (80, 96, len(mode))
        if not progressive:
            rows = {scan // 2: 16, scan * 3 // 4: 1}.get(cut, 48)
            np.testing.assert_array_equal(pixels[:rows, :, :3], whole[:rows])


def test_a_jpeg_with_its_end_and_not_all_of_its_data_is_cut(tmp_path):
    for kind in ("RGB", "L"):
        data = encode(smooth_image(kind), "JPEG", quality=95)
        _, warnings = load(tmp_path, data[: len(data) // 2] + b"\xff\xd9")
        assert [kind for kind, _ in warnings] == ["image-cut"]


def test_a_progressive_jpeg_cut_anywhere_is_shown_or_told(tmp_path):
    data = encode(smooth_image(), "JPEG", progressive=True)
    for size in range(len(data) - 1, 0, -7):
        pixels, ((kind, _),) = load(tmp_path, data[:size])
        assert (kind == "image-cut") == (pixels is not None)
    first_scan = data.index(b"\xff\xda")
    assert load(tmp_path, data[: first_scan + 60])[0] is not None
    assert load(tmp_path, data[: first_scan + 4])[0] is None


@pytest.mark.parametrize("interlaced", [0, 1])
def test_a_cut_png_is_shown_as_far_as_it_goes(tmp_path, interlaced):
    values = RNG.integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    rows = interlace(values) if interlaced else [row.tobytes() for row in values]
    data = write_png(rows, 8, 2, interlaced=interlaced)
    start = data.index(b"IDAT") + 4
    for size in (start + 400, start + 900, len(data) - 60):
        pixels, warnings = load(tmp_path, data[:size])
        assert [kind for kind, _ in warnings] == ["image-cut"]
        # Noise is stored as it is: after the header of the block, each byte is one of a row.
        num_rows = (size - start - 7 - 8) // (1 + 3 * WIDTH)
        shown = (pixels == values).all(-1)
        assert shown.sum() >= (num_rows if not interlaced else 1) * (1 if interlaced else WIDTH)
        assert not pixels[~shown & (pixels != 0).all(-1)].any() or shown.any()
        if not interlaced:
            assert shown[:num_rows].all()
            assert not pixels[num_rows + 2 :].any()


@pytest.mark.parametrize(("depth", "color_type"), [(1, 0), (4, 3), (16, 0), (16, 6), (8, 4)])
def test_cut_pngs_of_other_kinds(tmp_path, depth, color_type):
    channels = {0: 1, 3: 1, 6: 4, 4: 2}[color_type]
    values = RNG.integers(0, 256, (200, -(-200 * depth * channels // 8))).astype(np.uint8)
    palette = ((b"PLTE", bytes(range(48))),) if color_type == 3 else ()
    data = write_png(values, depth, color_type, *palette, size=(200, 200))
    whole, half = load(tmp_path, data, "RGBA"), load(tmp_path, data[: len(data) * 2 // 3], "RGBA")
    assert whole[1] == []
    assert [kind for kind, _ in half[1]] == ["image-cut"]
    np.testing.assert_array_equal(half[0][:120], whole[0][:120])
    assert not np.array_equal(half[0][150:], whole[0][150:])


def test_a_png_whose_bytes_are_wrong_from_the_middle_is_shown_as_far_as_it_goes(tmp_path):
    values = np.repeat(RNG.integers(0, 8, (200, 200)).astype(np.uint8) * 30, 3).reshape(200, 200, 3)
    data = bytearray(write_png([row.tobytes() for row in values], 8, 2, size=(200, 200)))
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    pixels, warnings = load(tmp_path, bytes(data))
    assert [kind for kind, _ in warnings] == ["image-cut"]
    np.testing.assert_array_equal(pixels[:50], values[:50])


@pytest.mark.parametrize("kind", ["BMP", "TGA", "PPM"])
def test_other_cut_files_are_shown_as_far_as_they_go(tmp_path, kind):
    image = smooth_image()
    data = encode(image, kind)
    pixels, warnings = load(tmp_path, data[: len(data) * 2 // 3])
    assert [kind for kind, _ in warnings] == ["image-cut"]
    same = (pixels == np.asarray(image)).all((1, 2))
    assert 40 < same.sum() < 80


@pytest.mark.parametrize(
    "data",
    [
        encode(smooth_image(), "JPEG")[:20],
        encode(smooth_image(), "JPEG").partition(b"\xff\xda")[0],
        encode(smooth_image(), "JPEG").partition(b"\xff\xda")[0] + b"\xff\xda\x00\x0c",
        encode(smooth_image(), "PNG")[:30],
        encode(smooth_image(), "PNG")[:41],
        encode(smooth_image(), "PNG")[:43],
        encode(smooth_image(), "JPEG2000")[:-100],
        encode(smooth_image(), "WEBP")[:-100],
    ],
)
def test_files_cut_before_a_pixel_or_of_other_formats_are_left_out(tmp_path, data):
    pixels, ((kind, _),) = load(tmp_path, data)
    assert pixels is None
    assert kind == "file-unreadable"


def test_no_setting_of_pillow_is_touched(tmp_path):
    """Threads that load other images must not find theirs cut in silence."""
    cut, seen = encode(smooth_image("CMYK"), "JPEG")[:-40], set()
    threads = [
        threading.Thread(
            target=lambda: [
                load(tmp_path, cut) and seen.add(ImageFile.LOAD_TRUNCATED_IMAGES) for _ in range(20)
            ]
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {False}


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


def test_large_images_are_converted_in_strips(tmp_path, monkeypatch):
    values = RNG.integers(0, 2**16, (HEIGHT, WIDTH, 1)).astype("u2")
    floats = RNG.uniform(0, 1, (HEIGHT, WIDTH, 3)).astype("f4")
    monkeypatch.setattr(image_pixels, "STRIP_PIXELS", 50)
    check(tmp_path, write_tiff(values), gray(levels(values[..., 0] / 65535)))
    check(tmp_path, write_tiff(floats), levels(floats.astype(float)))
