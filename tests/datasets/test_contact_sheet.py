import numpy as np

from turntable.datasets.describing import SHEET_NAME, contact_sheet
from turntable.datasets.files import decode_jpeg
from turntable.testing.sets import make_synthetic_dataset


def test_every_category_comes_first_and_the_file_is_there(tmp_path):
    dataset = make_synthetic_dataset(tmp_path / "set", objects=12, categories=3, views=4)
    with dataset.split("train") as train:
        sheet = contact_sheet(train)
        first = [int(np.flatnonzero(train.categories == category)[0]) for category in range(3)]
        for place, row in enumerate(first):
            tile = sheet[:32, 32 * place : 32 * place + 32]
            np.testing.assert_array_equal(tile, decode_jpeg(train.read_jpeg(row, place)))
    assert decode_jpeg((tmp_path / "set" / SHEET_NAME).read_bytes()).shape == sheet.shape


def test_colours_are_right_where_the_files_have_them_exchanged(tmp_path):
    changes = {"objects": 3, "views": 2, "image_size": 16}
    plain = make_synthetic_dataset(tmp_path / "rgb", **changes)
    swapped = make_synthetic_dataset(tmp_path / "bgr", **changes, channel_order="bgr")
    with plain.split("train") as a, swapped.split("train") as b:
        expected, found = contact_sheet(a), contact_sheet(b)
        same_files = np.array_equal(decode_jpeg(a.read_jpeg(0, 0)), decode_jpeg(b.read_jpeg(0, 0)))
    # The synthetic writer stores right colours whatever the recipe says; the sheet follows the recipe.
    np.testing.assert_array_equal(found, expected[..., ::-1] if same_files else expected)


def test_large_views_are_thinned(tmp_path):
    dataset = make_synthetic_dataset(tmp_path / "set", objects=3, views=2, image_size=256)
    with dataset.split("train") as train:
        assert contact_sheet(train).shape == (128, 6 * 128, 3)


def test_no_view_stands_there_twice(tmp_path):
    """Also where the number of views divides that of objects."""
    dataset = make_synthetic_dataset(tmp_path / "set", objects=4, views=4, val_fraction=0)
    with dataset.split("train") as train:
        assert len(train.objects) == 4
        sheet = contact_sheet(train)
    tiles = [
        tile
        for line in np.split(sheet, sheet.shape[0] // 32)
        for tile in np.split(line, line.shape[1] // 32, 1)
    ]
    assert len({tile.tobytes() for tile in tiles}) == len(tiles) > 4
