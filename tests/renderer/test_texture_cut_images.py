"""Tests of images that are cut off: shown as far as they go, or left out."""

import threading

import numpy as np
import pytest
from PIL import ImageFile

from tests.support.images import HEIGHT, RNG, WIDTH, encode, interlace, load, smooth_image, write_png


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
