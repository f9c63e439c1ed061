"""The service gives outputs as pictures in color, and parts and joints where the view's pixels have them."""

import colorsys
import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.asking import bearer, client_of
from tests.support.moving_boxes import LENGTH, RECIPE, write_moving_boxes
from turntable.datasets import open_dataset
from turntable.datasets.labels import EXTRA_OUTPUTS, NO_PART
from turntable.service import ServiceSettings, output_colors
from turntable.service.output_colors import color_output, get_part_color

GALLERY = Path(output_colors.__file__).with_name("gallery")
VIEW = LENGTH - 2
"""A view in which lid and drawer are open."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_moving_boxes(tmp_path_factory.mktemp("sets") / "moving")


@pytest.fixture(scope="module")
def split(folder):
    with open_dataset(folder).open_split("train") as split:
        yield split


@pytest.fixture(scope="module")
def client(folder):
    with client_of(folder) as client:
        yield client


def decode(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def find_row(split, num_parts):
    return next(row for row, record in enumerate(split.objects) if len(record.parts) == num_parts)


def address(split, row, view=VIEW):
    return f"/datasets/moving/objects/{split.keys[row]}/views/{view}"


def rgb(color):
    return tuple(bytes.fromhex(color[1:]))


@pytest.mark.parametrize("name", list(EXTRA_OUTPUTS))
def test_every_output_is_a_picture_that_caches_keep(client, split, name):
    row = find_row(split, 4)
    answer = client.get(f"{address(split, row)}/{name}.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    picture = decode(answer.content)
    assert (picture == color_output(name, split.read_output(row, VIEW, name))).all()
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 1
    again = client.get(f"{address(split, row)}/{name}.png", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_legend_has_the_colors_of_the_parts_pixels(client, split):
    row = find_row(split, 4)
    label = client.get(f"{address(split, row)}.json").json()
    picture = decode(client.get(f"{address(split, row)}/parts.png").content)
    parts = split.read_output(row, VIEW, "parts")
    assert [(part["name"], part["category"]) for part in label["parts"]] == [
        ("base", "case"),
        ("lid", "lid"),
        ("drawer", "drawer"),
        ("knob", "knob"),
    ]
    for index in np.unique(parts[parts != NO_PART]):
        assert (picture[parts == index] == rgb(label["parts"][index]["color"])).all()
    assert len({get_part_color(index) for index in range(64)} | {"#262a33"}) == 65
    assert (picture[parts == NO_PART] == rgb("#262a33")).all()


def test_flow_has_hues_of_directions_and_saturations_of_lengths():
    """Each pixel is compared with colorsys, which shares no code with the picture."""
    rng, size = np.random.default_rng(3), 40
    flow = rng.uniform(-3, 3, (size, size, 3)).astype(np.float32)
    flow[..., 2] = rng.integers(0, 3, (size, size))
    picture = color_output("flow", flow)
    for (x, y, state), seen in zip(flow.reshape(-1, 3).tolist(), picture.reshape(-1, 3), strict=True):
        hue, saturation = np.arctan2(y, x) / (2 * np.pi) % 1, min(1, np.hypot(x, y) / (size / 20))
        color = np.array(colorsys.hsv_to_rgb(hue, saturation, 0.3 if state == 2 else 1.0))
        assert np.abs(seen - (255 * color if state else np.full(3, 128))).max() <= 1
    right, down = (
        color_output("flow", np.full((1, 1, 3), 1.0) * (x, y, 1))[0, 0] for x, y in ((9, 0), (0, 9))
    )
    assert right.tolist() == [255, 0, 0]
    assert down.tolist() == [128, 255, 0]


def test_colors_of_depth_normals_and_coordinates():
    depth = np.array([[1.0, 1.5, 3.0, 4.5, 6.0, 8.0]], dtype=np.float32)
    brightness = color_output("depth", depth).sum(axis=-1)[0]
    assert brightness[0] == brightness[1] > brightness[2] > brightness[3] == brightness[4]
    assert color_output("depth", depth)[0, 5].tolist() == [38, 42, 51]
    assert color_output("normals", np.array([[[0, 0, 1.0]]]))[0, 0].tolist() == [128, 128, 255]
    assert color_output("coordinates", np.array([[[0.5, -0.5, 0.0]]]))[0, 0].tolist() == [255, 0, 128]


def test_the_gallery_tells_the_scales_of_the_colors():
    text = (GALLERY / "outputs.js").read_text("utf-8")
    low, high = output_colors.DEPTH_RANGE
    assert f"depth of {low} to {high} diagonals" in text
    assert (output_colors.FLOW_FULL_SHARE, "full from a twentieth" in text) == (1 / 20, True)
    titled = re.search(r"TITLES = \{(.*?)\}", text, re.DOTALL)
    assert re.findall(r"(\w+):", titled[1]) == ["rgb", *EXTRA_OUTPUTS]


def find_seen_parts(client, split):
    """Check that all axes of parts start on the object; return the parts that are seen where theirs start.

    A part's origin is the middle of its box: what is seen there is the part, or lies before it.
    """
    seen = set()
    for row in range(split.num_objects):
        for view in range(split.num_views):
            label = client.get(f"{address(split, row, view)}.json").json()
            parts, mask = (split.read_output(row, view, name) for name in ("parts", "mask"))
            for index, lines in enumerate(label["part_overlay"] or ()):
                x, y = (int(place * len(parts)) for place in lines["axes"]["x"][0])
                assert mask[y, x]
                if parts[y, x] == index:
                    seen.add(label["parts"][index]["name"])
    return seen


def test_the_axes_of_parts_start_on_their_pixels(client, split):
    assert find_seen_parts(client, split) == {"base", "lid", "drawer", "knob"}


@pytest.mark.slow
def test_the_axes_of_parts_follow_cameras_that_roll_and_shift(tmp_path):
    pytest.importorskip("embreex")
    factors = RECIPE.to_dict()["factors"] | {
        "camera_roll_rad": {"low": 1.0, "high": 3.0},
        "principal_point_dx_px": {"low": 6, "high": 8},
        "principal_point_dy_px": {"low": -8, "high": -6},
    }
    outputs = ["rgb", "mask", "parts"]
    folder = write_moving_boxes(tmp_path / "moving", "embree", factors=factors, outputs=outputs)
    with client_of(folder) as client, open_dataset(folder).open_split("train") as split:
        assert {"base", "lid"} <= find_seen_parts(client, split)


def test_a_joint_is_drawn_where_its_part_stays(client, split):
    """The middle of a hinge's line is a point of the lid too; a drawer's line leads where the drawer goes."""
    row = find_row(split, 4)
    record = split.objects[row]
    values = split.read_joint_values(row)
    labels = [client.get(f"{address(split, row, view)}.json").json() for view in range(LENGTH)]
    assert [label["joint_values"] for label in labels] == values[:LENGTH].tolist()
    for label in labels:
        ends = np.array(label["part_overlay"][1]["joint"])
        pose, lid = np.array(label["part_pose"][1]), record.parts[1]
        local = np.array(lid.joint.origin) - np.array(lid.rest_pose)[:3, 3]
        axes = label["part_overlay"][1]["axes"]
        start = np.array(axes["x"][0])
        steps = np.array([np.array(axes[name][1]) - start for name in "xyz"]) / 0.12
        # Near the part's origin perspective is nearly linear.
        assert np.linalg.norm(start + local @ steps - ends.mean(axis=0)) < 0.02
        assert np.allclose(pose[:3, :3].T @ pose[:3, :3], np.eye(3), atol=1e-5)
        drawer = label["part_overlay"][2]
        along = np.array(drawer["joint"][1]) - np.array(drawer["joint"][0])
        back = -(
            np.array(drawer["axes"]["y"][1]) - np.array(drawer["axes"]["y"][0])
        )  # the drawer slides to -y
        assert along @ back > 0.95 * np.linalg.norm(along) * np.linalg.norm(back)


def test_joints_of_an_object_and_the_length_of_its_sequences(client, split):
    about = client.get("/datasets/moving/about").json()
    assert about["sequence_length"] == LENGTH
    row = find_row(split, 2)
    found = client.get(f"/datasets/moving/objects/{split.keys[row]}").json()
    assert found["joint_values"] == split.read_joint_values(row).tolist()
    assert found["parts"][0]["joint"] is None
    joint = found["parts"][1]["joint"]
    assert joint == {"kind": "hinge", "unit": "rad", "low": 0.0, "high": pytest.approx(1.4)}


def test_an_object_of_one_piece_is_one_part(client, split):
    row = find_row(split, 0)
    label = client.get(f"{address(split, row)}.json").json()
    assert label["parts"] == [
        {"name": "plain", "category": "plain", "color": get_part_color(0), "joint": None}
    ]
    assert (label["part_pose"], label["joint_values"], label["part_overlay"]) == (None, [], None)


def test_sets_without_parts_have_none(served_folder):
    with client_of(served_folder) as client:
        key = client.get("/datasets/small/objects").json()["objects"][0]["key"]
        label = client.get(f"/datasets/small/objects/{key}/views/0.json").json()
        assert {label[name] for name in ("parts", "part_pose", "joint_values", "part_overlay")} == {None}
        assert client.get("/datasets/small/about").json()["sequence_length"] == 0


@pytest.mark.parametrize("name", ["rgb", "heat", "parts.png", "%00", "x" * 300])
def test_an_output_that_is_not_stored_is_named(client, split, name):
    answer = client.get(f"{address(split, 0)}/{name}.png")
    if name == "%00":
        assert answer.status_code == 400
        return
    assert answer.status_code == 404
    assert "it has mask, depth, normals, coordinates, parts, flow" in answer.json()["error"]


def test_pictures_in_color_need_the_permission_to_read(folder, split, keys):
    texts, access_file = keys
    with client_of(folder, ServiceSettings(access_file=access_file)) as client:
        path = f"{address(split, 0)}/parts.png"
        assert client.get(path).status_code == 401
        answer = client.get(path, headers=bearer(texts["reader"]))
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-cache")


def test_damaged_outputs_and_wrong_recipes_are_named(folder, split, tmp_path):
    copied = tmp_path / "moving"
    shutil.copytree(folder, copied)
    manifest = copied / "manifest.json"
    table = json.loads(manifest.read_text())
    table["recipe"]["sequence"] = "every view"
    manifest.write_text(json.dumps(table))
    shard = min((copied / "train").glob("*.tar"))
    data = bytearray(shard.read_bytes())
    start = data.index(b"\x89PNG", data.index(b"parts.png"))
    data[start + 20] ^= 0xFF
    shard.write_bytes(bytes(data))
    with client_of(copied) as client:
        assert client.get("/datasets/moving/about").json()["sequence_length"] == 0
        answer = client.get(f"{address(split, 0, 0)}/parts.png")
        assert (answer.status_code, "wrong checksum" in answer.json()["error"]) == (500, True)


def test_parts_that_do_not_match_their_poses_are_named(folder, split, tmp_path, monkeypatch):
    row = find_row(split, 4)
    poses = split.read_part_pose(row)
    with client_of(folder) as client:
        monkeypatch.setattr("turntable.datasets.Split.read_part_pose", lambda *_: poses[:, :3])
        answer = client.get(f"{address(split, row)}.json")
        assert (answer.status_code, "has 4 parts and 2 joints" in answer.json()["error"]) == (500, True)
