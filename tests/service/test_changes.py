"""Tests of changes while the service runs: of data sets, of files, and of the render process."""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.support.processes import children, wait_until
from turntable.datasets import open_dataset
from turntable.errors import IntegrityError, InvalidInputError
from turntable.service import build_catalog
from turntable.testing.datasets import make_synthetic_dataset


@pytest.fixture
def folders(served_folder, tmp_path):
    for name in ("first", "second"):
        shutil.copytree(served_folder, tmp_path / "all" / name)
    return tmp_path / "all"


def names(service):
    return [entry["name"] for entry in service.json("/datasets")]


@pytest.mark.slow
def test_data_sets_are_added_removed_and_changed(start, folders, served_folder):
    service = start(folders)
    assert names(service) == ["first", "second"]
    shutil.copytree(served_folder, folders / "third")
    assert names(service) == ["first", "second", "third"]
    shutil.rmtree(folders / "second")
    assert names(service) == ["first", "third"]
    status, _, body = service.ask("/datasets/second")
    assert status == 404
    assert b"no data set 'second'" in body
    before = service.ask("/datasets/first")[1]["ETag"]
    shutil.rmtree(folders / "first")
    make_synthetic_dataset(
        folders / "first", num_objects=12, num_categories=2, num_views=3, image_size=16, seed=5
    )
    status, headers, _ = service.ask("/datasets/first", headers={"If-None-Match": before})
    assert status == 200
    assert headers["ETag"] != before
    about = service.json("/datasets/first/about")
    assert (about["objects"], about["views"]) == (12, 3)
    with open_dataset(folders / "first").open_split("train") as train:
        status, _, jpeg = service.ask(f"/datasets/first/objects/{train.keys[0]}/views/2.jpg")
        assert (status, jpeg) == (200, train.read_jpeg(0, 2))


@pytest.mark.slow
def test_a_damaged_manifest_is_reported_and_the_others_are_served(start, folders):
    service = start(folders)
    (folders / "first" / "manifest.json").write_text("{")
    first, second = service.json("/datasets")
    assert (first["name"], second["name"]) == ("first", "second")
    assert "first/manifest.json: not a manifest" in first["problem"]
    assert second["objects"] == 24
    status, _, body = service.ask("/datasets/first")
    assert status == 500
    assert b"not a manifest" in body
    assert service.ask("/datasets/second")[0] == 200
    assert names(start(folders)) == ["first", "second"]  # and a service starts with it
    with pytest.raises(IntegrityError, match="not a manifest"):
        build_catalog([folders / "first"])


@pytest.mark.slow
def test_a_truncated_missing_or_changed_shard(start, folders):
    service = start(folders)
    shard = open_dataset(folders / "first").manifest.shards[0]
    path = folders / "first" / shard.split / f"{shard.name}.tar"
    address = f"/datasets/first/{shard.split}/{shard.name}.tar"
    with open_dataset(folders / "first").open_split(shard.split) as split:
        key = split.keys[0]
    whole = path.read_bytes()
    path.write_bytes(whole[:-512])
    for asked in (address, "/datasets/first/about"):
        status, _, body = service.ask(asked)
        assert status == 500, asked
        assert b"turntable verify" in body or b"fetch" in body
    path.unlink()
    status, _, body = service.ask(address)
    assert (status, b"is missing" in body) == (500, True)
    path.write_bytes(whole)
    assert service.ask(address)[0] == 200
    assert service.ask(f"/datasets/first/objects/{key}/views/0.jpg")[0] == 200
    damaged = bytearray(whole)
    for at in range(0, len(damaged), 64):
        damaged[at] ^= 0xFF
    with path.open("r+b") as file:  # in place: under the service's open file
        file.write(damaged)
    status, _, body = service.ask(f"/datasets/first/objects/{key}/views/0.jpg")
    assert status == 500
    assert b"error" in body
    other = open_dataset(folders / "second").manifest.shards[0]
    assert service.ask(f"/datasets/second/{other.split}/{other.name}.tar")[0] == 200


def test_folders_without_data_sets_and_duplicate_names(tmp_path, folders, served_folder):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInputError, match="holds no data set"):
        build_catalog([tmp_path / "empty"])
    shutil.copytree(served_folder, tmp_path / "other" / "first")
    with pytest.raises(InvalidInputError, match="the same name"):
        build_catalog([folders, tmp_path / "other"])


def ask_for(service, key, **more):
    return service.ask("/render", "POST", body={"dataset": "zoo", "key": key, **more})


@pytest.mark.slow
def test_rendered_views_equal_stored_ones_and_follow_factors(start, zoo):
    from turntable.datasets.files import decode_jpeg

    service = start(zoo, options=["--render", "--backend", "embree"])
    with open_dataset(zoo).open_split("train") as train:
        key, stored, label = train.keys[0], decode_jpeg(train.read_jpeg(0, 2)), train.labels[0, 2]
        hue = label[train.manifest.schema.get_column("floor_hue")]
    status, headers, body = ask_for(service, key, view=2)
    assert status == 200, body
    assert abs(decode_jpeg(body).astype(int) - stored).mean() < 1
    again = ask_for(service, key, view=2)
    assert again[2] == body
    assert again[1]["ETag"] == headers["ETag"]
    status, _, other = ask_for(service, key, view=2, size=96, factors={"floor_hue": float(hue + 0.5) % 1})
    assert decode_jpeg(other).shape == (96, 96, 3)
    corner = decode_jpeg(other)[:8, :8].reshape(-1, 3).mean(axis=0) - stored[:6, :6].reshape(-1, 3).mean(
        axis=0
    )
    assert abs(corner).max() > 20  # the floor has another color
    address = f"/render?dataset=zoo&key={key}&view=2"
    assert service.ask(address)[2] == body
    assert service.ask(address, headers={"If-None-Match": headers["ETag"]})[0] == 304
    for wrong, words in [
        ({"factors": {"nothing": 1}}, b"is not a factor"),
        ({"factors": {"rotation_x_rad": 100}}, b"must be from"),
        ({"factors": {"twist_v_x": 0}}, b"is not a factor"),
        ({"size": 5000}, b"16 to 512"),
        ({"view": 4}, b"4 views"),
        ({"view": -1}, b"4 views"),
        ({"factors": {"floor_hue": "red"}}, b"must be a number"),
    ]:
        status, _, said = ask_for(service, key, **wrong)
        assert status == 400, (wrong, said, service.log.read_text())
        assert words in said
    assert ask_for(service, "nobody")[0] == 404


@pytest.mark.slow
def test_rendering_that_is_off_or_impossible_is_refused(start, zoo, served_folder):
    service = start(zoo)
    with open_dataset(zoo).open_split("train") as train:
        key = train.keys[0]
    status, _, body = ask_for(service, key)
    assert status == 501
    assert b"--render" in body
    assert service.json("/datasets/zoo/about")["renders"] is False
    other = start(served_folder, options=["--render"])
    with open_dataset(served_folder).open_split("train") as train:
        key = train.keys[0]
    status, _, body = other.ask("/render", "POST", body={"dataset": "small", "key": key})
    assert status == 501
    assert b"--meshes small=DIR" in body


@pytest.mark.slow
def test_a_killed_render_process_fails_one_view_only(start, zoo):
    service = start(zoo, options=["--render", "--backend", "embree"])
    with open_dataset(zoo).open_split("train") as train:
        key = train.keys[0]
    assert ask_for(service, key)[0] == 200
    (pid,) = children(service.process.pid)
    os.kill(pid, signal.SIGSTOP)  # so that the next view is under way when it dies
    found = []
    asking = threading.Thread(target=lambda: found.append(ask_for(service, key, view=1)))
    asking.start()
    wait_until(lambda: b"turntable_renders_waiting 1.0" in service.ask("/metrics")[2])
    time.sleep(0.5)
    assert service.ask("/datasets/zoo")[0] == 200
    os.kill(pid, signal.SIGKILL)
    asking.join(30)
    status, headers, body = found[0]
    assert status == 503
    assert b"SIGKILL" in body
    assert headers["Retry-After"]
    assert ask_for(service, key, view=1)[0] == 200
    assert "turntable_renders_failed 1.0" in service.ask("/metrics")[2].decode()


@pytest.mark.slow
def test_a_full_queue_is_reported_and_other_requests_go_on(start, zoo):
    service = start(zoo, options=["--render", "--backend", "embree", "--render-queue", "3"])
    with open_dataset(zoo).open_split("train") as train:
        key = train.keys[0]
    assert ask_for(service, key)[0] == 200
    (pid,) = children(service.process.pid)
    os.kill(pid, signal.SIGSTOP)
    found = []
    threads = [
        threading.Thread(
            target=lambda hue=hue: found.append(ask_for(service, key, factors={"floor_hue": hue / 10})[:2])
        )
        for hue in range(8)
    ]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(found) >= 5)
    assert [status for status, _ in found] == [503] * 5
    assert all(headers["Retry-After"] for _, headers in found)
    assert service.ask("/datasets/zoo")[0] == 200
    os.kill(pid, signal.SIGCONT)
    for thread in threads:
        thread.join(30)
    assert sorted(status for status, _ in found) == [200] * 3 + [503] * 5


def test_the_overlay_agrees_with_the_objects_pixels(zoo):
    """The overlay's axes agree with the coordinates of the object's pixels, an independent output."""
    import numpy as np

    from turntable.service.overlays import compute_overlay

    (entry,) = build_catalog([zoo]).list_entries()
    split = entry.splits["train"]
    checked = 0
    for row in range(split.num_objects):
        for view in range(4):
            label = split.labels[row, view]
            lines = compute_overlay(entry.dataset.manifest, label)
            coordinates = split.read_output(row, view, "coordinates")
            center = np.array(lines["x"][0])
            axes = {name: np.array(lines[name][1]) - center for name in "xyz"}
            there = np.argwhere(np.abs(coordinates).max(axis=-1) > 1e-3)
            near = there[np.linalg.norm(coordinates[tuple(there.T)], axis=1) < 0.12]
            for y, x in near:
                found = coordinates[y, x]
                seen = center + sum(found[at] / 0.5 * axes[name] for at, name in enumerate("xyz"))
                # Near the center perspective is nearly linear.
                assert np.linalg.norm(seen * 64 - (x + 0.5, y + 0.5)) < 1.5
                checked += 1
    assert checked > 50


CUBE = """
v -1 -1 -1\nv 1 -1 -1\nv 1 1 -1\nv -1 1 -1\nv -1 -1 1\nv 1 -1 1\nv 1 1 1\nv -1 1 1
f 1 4 3 2\nf 5 6 7 8\nf 1 2 6 5\nf 2 3 7 6\nf 3 4 8 7\nf 4 1 5 8
"""


@pytest.mark.slow
def test_rendering_meshes_of_a_folder(start, tmp_path):
    pytest.importorskip("embreex")
    from turntable.datasets import load_recipe
    from turntable.datasets.files import decode_jpeg
    from turntable.renderer import generate, open_source

    meshes = tmp_path / "meshes"
    for name in ("one", "two", "three"):
        (meshes / "cube").mkdir(parents=True, exist_ok=True)
        (meshes / "cube" / f"{name}.obj").write_text(CUBE + f"# {name}\n")
    small = {"views": 2, "image_size_px": 32, "quality": "fast"}
    recipe = load_recipe("3diebench").replace(source="folder", val_fraction=0.34, **small)
    generate(recipe, open_source("folder", meshes), tmp_path / "cubes", num_workers=1, backend="embree")
    service = start(
        tmp_path / "cubes", options=["--render", "--backend", "embree", "--meshes", f"cubes={meshes}"]
    )
    with open_dataset(tmp_path / "cubes").open_split("train") as train:
        key, stored = train.keys[0], decode_jpeg(train.read_jpeg(0, 1))
        source_id = train.get_object_id(0)
    assert service.json("/datasets/cubes/about")["renders"] is True
    ask = {"dataset": "cubes", "key": key, "view": 1}
    status, _, body = service.ask("/render", "POST", body=ask)
    assert status == 200, body
    assert abs(decode_jpeg(body).astype(int) - stored).mean() < 1
    other = start(
        tmp_path / "cubes", options=["--render", "--backend", "embree", "--meshes", f"cubes={meshes}"]
    )
    mesh = next(path for path in meshes.rglob("*.obj") if path.stem in source_id)
    mesh.write_text(CUBE.replace("v 1 1 1", "v 2 3 2"))
    status, _, body = other.ask("/render", "POST", body=ask)
    assert status == 422
    assert b"not the mesh that the data set was rendered from" in body
    mesh.write_text("v 0 0 0\nf 1 2 3\n")
    status, _, body = other.ask("/render", "POST", body={**ask, "factors": {"floor_hue": 0.3}})
    assert status == 422
    assert other.ask("/datasets/cubes")[0] == 200


@pytest.mark.slow
def test_the_documented_render_request(start, zoo, tmp_path):
    """The command in docs/service.md works, with the URL of this service and one of its objects."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    page = Path(__file__).resolve().parents[2] / "docs" / "service.md"
    (command,) = re.findall(
        r"^(curl --fail -o view\.jpg .*?)```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    service = start(zoo, options=["--render", "--backend", "embree"])
    with open_dataset(zoo).open_split("train") as train:
        key = train.keys[0]
    for theirs, ours in [
        ("127.0.0.1:8765", f"127.0.0.1:{service.port}"),
        ("my-set", "zoo"),
        ("mug-000000", key),
    ]:
        assert theirs in command
        command = command.replace(theirs, ours)
    subprocess.run(["bash", "-euc", command], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "view.jpg").read_bytes()[:3] == b"\xff\xd8\xff"
