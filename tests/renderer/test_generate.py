import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.loading_work import DeadlySource
from tests.support.meshes import write_shapenet_object
from tests.support.processes import wait_until
from tests.support.quick_run import OBJECTS, TINY, contents, load_here
from turntable.datasets import open_dataset, verify_dataset
from turntable.datasets.objects import read_quarantine, read_warnings
from turntable.datasets.writing import PLAN_NAME
from turntable.errors import InvalidInputError, MeshError, StoreError, TurntableError
from turntable.renderer import generate
from turntable.renderer.meshes.sources import SourceObject, ZooSource, select_objects
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource
from turntable.renderer.runs import plan_run
from turntable.renderer.runs.shard_rendering import render_shard

pytestmark = pytest.mark.gl


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A data set made without interruption by one process."""
    folder = tmp_path_factory.mktemp("whole") / "set"
    generate(TINY, ZooSource(OBJECTS), folder)
    return folder


def test_verifies_and_reads(whole):
    report = verify_dataset(whole, deep=True)
    assert report.problems == ()
    assert (report.num_objects, report.num_images) == (OBJECTS, 2 * OBJECTS)
    with open_dataset(whole).open_split("train") as train:
        assert all(record.source_sha256 for record in train.objects)


def test_manifest_says_what_drew_it(whole):
    manifest = open_dataset(whole).manifest
    assert manifest.device["backend"] == "moderngl"
    assert manifest.camera["K"][0][2] == 8
    assert manifest.source == {"name": "zoo", "licence": "Apache-2.0"}


@pytest.mark.slow
def test_number_of_workers_changes_no_byte(whole, tmp_path):
    told = []
    generate(TINY, ZooSource(OBJECTS), tmp_path / "set", num_workers=2, progress=told.append)
    assert contents(tmp_path / "set") == contents(whole)
    assert (told[-1].objects, told[-1].objects_total, told[-1].views) == (OBJECTS, OBJECTS, 2 * OBJECTS)


def test_again_makes_no_shard_and_changes_no_byte(whole):
    before, times = contents(whole), {path: path.stat().st_mtime_ns for path in whole.rglob("*.tar")}
    generate(TINY, ZooSource(OBJECTS), whole)
    assert contents(whole) == before
    assert {path: path.stat().st_mtime_ns for path in whole.rglob("*.tar")} == times


@pytest.mark.parametrize("name", ["manifest.json", "labels.parquet", "README.md", "contact-sheet.jpg"])
def test_what_describes_the_shards_is_mended(whole, tmp_path, name):
    folder = tmp_path / "set"
    shutil.copytree(whole, folder)
    (folder / name).write_bytes((folder / name).read_bytes()[:-100])
    generate(TINY, ZooSource(OBJECTS), folder)
    assert contents(folder) == contents(whole)


RUN = """
from pathlib import Path
import sys
from turntable.datasets.recipes.recipe import load_recipe
from turntable.renderer import generate
from turntable.renderer.meshes.sources.zoo import ZooSource

if __name__ == "__main__":
    recipe = load_recipe("zoo").replace(views=2, image_size_px=16, quality="fast", objects_per_shard=3)
    generate(recipe, ZooSource(12), Path(sys.argv[1]), num_workers=1)
"""


def kill_when(folder, condition, tmp_path):
    """Start a run in a session of its own, kill -9 all of it as soon as the condition holds."""
    script = tmp_path / "run.py"
    script.write_text(RUN)
    process = subprocess.Popen([sys.executable, str(script), str(folder)], start_new_session=True)
    wait_until(lambda: condition() or process.poll() is not None)
    assert process.poll() is None, "the run ended before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["in the first shard", "after the first shard"])
def test_killed_and_resumed_gives_the_same_bytes(whole, tmp_path, moment):
    folder = tmp_path / "set"

    def writing():
        begun = moment == "in the first shard" or (folder / "journal.jsonl").exists()
        return begun and folder.is_dir() and any(folder.glob("train/.shard*"))

    kill_when(folder, writing, tmp_path)
    assert not (folder / "manifest.json").exists()
    generate(TINY, ZooSource(OBJECTS), folder, num_workers=2)
    assert contents(folder) == contents(whole)
    assert verify_dataset(folder).ok


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_changes_no_byte(whole, tmp_path):
    shard = plan_run(TINY, ZooSource(OBJECTS)).shards[1]
    source = DeadlySource(OBJECTS, victim=shard.objects[1].id, marker=tmp_path / "killed")
    told, warnings = [], []
    generate(TINY, source, tmp_path / "set", num_workers=2, progress=told.append, warn=warnings.append)
    assert source.marker.exists()
    assert contents(tmp_path / "set") == contents(whole)
    (warning,) = [text for text in warnings if text.startswith("worker")]
    assert re.match(
        r"worker [01] ended by SIGKILL .*fewer workers\) while making train/shard-000001; ", warning
    )
    assert max(step.objects for step in told) == told[-1].objects == OBJECTS
    assert max(step.views for step in told) == told[-1].views == 2 * OBJECTS
    assert told[-1].quarantined == 0


@pytest.mark.slow
def test_an_object_that_kills_every_worker_is_left_out(whole, tmp_path):
    victim = plan_run(TINY, ZooSource(OBJECTS)).shards[1].objects[1].id
    source, warnings = DeadlySource(OBJECTS, victim=victim), []
    manifest = generate(TINY, source, tmp_path / "set", num_workers=2, warn=warnings.append)
    (left_out,) = read_quarantine(tmp_path / "set/quarantine.jsonl")
    assert (left_out.object, left_out.reason) == (victim, "crashed the renderer")
    assert left_out.detail.startswith(f"{victim}: each of two workers that drew it ended by SIGKILL")
    assert manifest.totals.objects == OBJECTS - 1
    assert len([text for text in warnings if text.startswith("worker")]) == 2
    assert verify_dataset(tmp_path / "set").ok
    ours, theirs = contents(tmp_path / "set"), contents(whole)
    same = [name for name in ours if name.endswith((".tar", ".idx")) and ours[name] == theirs[name]]
    assert len(same) == len([name for name in ours if name.endswith((".tar", ".idx"))]) - 2


def test_arguments_that_cannot_be_right_are_said(tmp_path):
    with pytest.raises(InvalidInputError, match="unknown backend 'chalk'"):
        generate(TINY, ZooSource(OBJECTS), tmp_path / "set", num_workers=2, backend="chalk")
    with pytest.raises(InvalidInputError, match="--workers 0: there must be at least one"):
        generate(TINY, ZooSource(OBJECTS), tmp_path / "set", num_workers=0)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["lost", "cut", "edited"])
def test_a_damaged_shard_is_made_again(whole, tmp_path, damage):
    folder = tmp_path / "set"
    shutil.copytree(whole, folder)
    shard = folder / "train/shard-000001.tar"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data if damage == "edited" else data[:-3000])
    if damage == "lost":
        shard.unlink()
    assert not verify_dataset(folder).ok
    generate(TINY, ZooSource(OBJECTS), folder)
    assert contents(folder) == contents(whole)
    generate(TINY, ZooSource(OBJECTS), folder)  # the journal names that shard twice now
    assert contents(folder) == contents(whole)


def test_a_folder_of_another_run_is_refused(whole, tmp_path):
    with pytest.raises(InvalidInputError, match=r"another plan .seed: 0 there, 1 now."):
        generate(TINY.replace(seed=1), ZooSource(OBJECTS), whole)
    (tmp_path / "thesis.doc").write_text("precious")
    with pytest.raises(InvalidInputError, match="not empty"):
        generate(TINY, ZooSource(OBJECTS), tmp_path)
    assert not (tmp_path / PLAN_NAME).exists()


def shapenet_folder(root: Path) -> Path:
    for index in range(4):
        write_shapenet_object(root, f"100/m{index}")
    write_shapenet_object(root, "200/faceless", obj="v 0 0 0\n")
    write_shapenet_object(root, "200/nan", obj="v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    write_shapenet_object(root, "200/good")
    return root


@pytest.mark.slow
def test_broken_meshes_are_left_out_with_their_reasons(tmp_path):
    source = ShapeNetSource(shapenet_folder(tmp_path / "meshes"))
    manifest = generate(TINY.replace(source="shapenet"), source, tmp_path / "set", num_workers=2)
    assert manifest.totals.objects == 5
    assert manifest.quarantined == 2
    left_out = {item.object: item.reason for item in read_quarantine(tmp_path / "set/quarantine.jsonl")}
    assert left_out == {"200/faceless": "no faces", "200/nan": "not finite"}
    assert verify_dataset(tmp_path / "set").ok


@pytest.mark.slow
def test_missing_textures_are_reported(tmp_path):
    write_shapenet_object(tmp_path / "meshes", "100/a")
    write_shapenet_object(tmp_path / "meshes", "100/b")
    (tmp_path / "meshes/100/b/images/texture0.png").unlink()
    generate(TINY.replace(source="shapenet"), ShapeNetSource(tmp_path / "meshes"), tmp_path / "set")
    (warning,) = read_warnings(tmp_path / "set/warnings.jsonl")
    assert (warning.object, warning.kind) == ("100/b", "file-missing")
    assert warning.file.startswith("100/b/models/model_normalized.")
    assert "texture0.png is missing" in warning.detail
    assert warning.shown == "the material's own color is used"
    assert verify_dataset(tmp_path / "set").ok


@dataclass(frozen=True)
class Stumbling(ZooSource):
    """A source whose parser raises what no one foresaw."""

    def load(self, object_id):
        return {}[object_id] if object_id.startswith("mug") else super().load(object_id)


def test_a_parser_that_stumbles_loses_one_object(tmp_path, gl_backend):
    source = Stumbling(8, ("bed", "mug"))
    shards = plan_run(TINY.replace(val_fraction=0), source).shards
    outcomes = [render_shard(gl_backend, TINY, load_here(source), shard, tmp_path) for shard in shards]
    left_out = [item for outcome in outcomes for item in outcome.quarantine]
    assert {item.object[:3] for item in left_out} == {"mug"}
    assert {item.reason for item in left_out} == {"unreadable"}
    assert "KeyError" in left_out[0].detail
    assert sum(outcome.shard.objects for outcome in outcomes if outcome.shard) == 4


@dataclass(frozen=True)
class Vanishing(ZooSource):
    """A source whose files are gone by the time they are hashed."""

    def compute_digest(self, object_id, mesh):
        raise MeshError(f"{object_id}: the file is gone", reason="file missing")


def test_an_object_left_out_late_leaves_nothing_on_the_device(tmp_path, gl_backend):
    source = Vanishing(4)
    shard = plan_run(TINY.replace(val_fraction=0), source).shards[0]
    awaited = gl_backend.resources.readback.list_awaited()
    outcome = render_shard(gl_backend, TINY, load_here(source), shard, tmp_path)
    assert {item.reason for item in outcome.quarantine} == {"file missing"}
    assert gl_backend.resources.readback.list_awaited() == awaited


@pytest.mark.slow
def test_nothing_usable(tmp_path):
    write_shapenet_object(tmp_path / "meshes", "100/faceless", obj="v 0 0 0\n")
    with pytest.raises(InvalidInputError, match="every object was left out"):
        generate(TINY.replace(source="shapenet"), ShapeNetSource(tmp_path / "meshes"), tmp_path / "set")


@pytest.mark.slow
def test_a_full_disk_is_said_and_survived(whole, tmp_path):
    """A file system of 32 KiB stands for the disk; once there is room, the same call finishes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        with pytest.raises(TurntableError, match="disk is full"):
            generate(TINY, ZooSource(OBJECTS), folder / "set")
        subprocess.run(["mount", "-o", "remount,size=8m", str(folder)], check=True)
        generate(TINY, ZooSource(OBJECTS), folder / "set")
        assert contents(folder / "set") == contents(whole)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_rendered(tmp_path):
    folder, told = tmp_path / "disk", []
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a file system needs root")
    try:
        with pytest.raises(StoreError, match="read-only; mount it for writing, or choose another place"):
            generate(TINY, ZooSource(OBJECTS), folder / "set", progress=told.append)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="a file is where a folder should be"):
        generate(TINY, ZooSource(OBJECTS), tmp_path / "file", progress=told.append)
    assert told == []


def test_a_disk_without_room_for_the_data_set_is_said_before_anything_is_rendered(tmp_path):
    huge = TINY.replace(views=10_000, image_size_px=4096)
    with pytest.raises(StoreError, match=r"B are free, about .* TB are to be written"):
        generate(huge, ZooSource(4000), tmp_path / "set")


def test_choosing_takes_from_every_category_in_turn():
    objects = [SourceObject(f"{category}/{i}", category) for category in "abc" for i in range(5)]
    chosen = select_objects(objects[::-1], 7)
    assert [item.id for item in chosen] == ["a/0", "a/1", "a/2", "b/0", "b/1", "c/0", "c/1"]
    assert select_objects(objects, None) == tuple(objects)
    with pytest.raises(InvalidInputError, match="at least one"):
        select_objects(objects, 0)


def test_the_plan_names_every_object(whole):
    written = json.loads((whole / PLAN_NAME).read_text())
    assert sum(len(shard["objects"]) for shard in written["shards"]) == OBJECTS
