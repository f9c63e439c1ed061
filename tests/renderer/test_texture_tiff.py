"""Tests of TIFF images of any numbers, written by their specification, as textures."""

import struct
import zlib

import numpy as np
import pytest

from tests.support.images import HEIGHT, RNG, WIDTH, check, gray, levels, load
from turntable.renderer.meshes.formats.images import image_pixels


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


def test_large_images_are_converted_in_strips(tmp_path, monkeypatch):
    values = RNG.integers(0, 2**16, (HEIGHT, WIDTH, 1)).astype("u2")
    floats = RNG.uniform(0, 1, (HEIGHT, WIDTH, 3)).astype("f4")
    monkeypatch.setattr(image_pixels, "STRIP_PIXELS", 50)
    check(tmp_path, write_tiff(values), gray(levels(values[..., 0] / 65535)))
    check(tmp_path, write_tiff(floats), levels(floats.astype(float)))
