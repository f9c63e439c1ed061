import numpy as np

from turntable.datasets.describing import SHEET_NAME, build_contact_sheet
from turntable.datasets.files import decode_jpeg
from turntable.testing.datasets import make_synthetic_dataset


def test_every_category_comes_first_and_the_file_is_there(tmp_path):
    dataset = make_synthetic_dataset(tmp_path / "set", num_objects=12, num_categories=3, num_views=4)
    with dataset.open_split("train") as train:
        sheet = build_contact_sheet(train)
        first = [int(np.flatnonzero(train.category_indices == category)[0]) for category in range(3)]
        for place, row in enumerate(first):
            tile = sheet[:32, 32 * place : 32 * place + 32]
            np.testing.assert_array_equal(tile, decode_jpeg(train.read_jpeg(row, place)))
    assert decode_jpeg((tmp_path / "set" / SHEET_NAME).read_bytes()).shape == sheet.shape


def test_colors_are_right_where_the_files_have_them_exchanged(tmp_path):
    changes = {"num_objects": 3, "num_views": 2, "image_size": 16}
    plain = make_synthetic_dataset(tmp_path / "rgb", **changes)
    swapped = make_synthetic_dataset(tmp_path / "bgr", **changes, channel_order="bgr")
    with plain.open_split("train") as a, swapped.open_split("train") as b:
        expected, found = build_contact_sheet(a), build_contact_sheet(b)
        same_files = np.array_equal(decode_jpeg(a.read_jpeg(0, 0)), decode_jpeg(b.read_jpeg(0, 0)))
    # The synthetic writer stores right colors whatever the recipe says; the sheet follows the recipe.
    np.testing.assert_array_equal(found, expected[..., ::-1] if same_files else expected)


def test_large_views_are_thinned(tmp_path):
    dataset = make_synthetic_dataset(
        tmp_path / "set", num_objects=3, num_views=2, image_size=256, val_fraction=0
    )
    with dataset.open_split("train") as train:
        assert build_contact_sheet(train).shape == (128, 6 * 128, 3)


def test_no_view_stands_there_twice(tmp_path):
    """Also where the number of views divides that of objects."""
    dataset = make_synthetic_dataset(tmp_path / "set", num_objects=4, num_views=4, val_fraction=0)
    with dataset.open_split("train") as train:
        assert len(train.objects) == 4
        sheet = build_contact_sheet(train)
    tiles = [
        tile
        for line in np.split(sheet, sheet.shape[0] // 32)
        for tile in np.split(line, line.shape[1] // 32, 1)
    ]
    assert len({tile.tobytes() for tile in tiles}) == len(tiles) > 4
