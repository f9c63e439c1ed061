import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest

from tests.support.loading_work import Misbehaving
from tests.support.processes import alive, wait_until
from tests.support.task_runner_work import read_numbers
from turntable.errors import MeshError, MissingExtraError
from turntable.renderer.meshes.sources import ZooSource, load_mesh
from turntable.renderer.runs import LoadedObject, LoadLimits, MeshLoader

LIMITS = LoadLimits(seconds=20.0, memory_bytes=4 * 2**30)


def outcomes(folder, *names, limits=LIMITS):
    """Load objects. Return the digest of each, or the reason for which it is left out."""
    with MeshLoader(Misbehaving(4, folder=folder, names=names), limits) as loader:
        return [
            item.digest if isinstance(item, LoadedObject) else item.reason
            for item in loader.iter_loaded(list(names))
        ]


def test_a_mesh_comes_as_the_source_loads_it():
    source = ZooSource(4)
    ids = [item.id for item in source.list_objects()]
    with MeshLoader(source, LIMITS) as loader:
        loaded = list(loader.iter_loaded(ids))
    for object_id, item in zip(ids, loaded, strict=True):
        mesh = load_mesh(source, object_id)
        assert isinstance(item, LoadedObject)
        assert item.digest == source.compute_digest(object_id, mesh)
        assert item.license == "Apache-2.0"
        np.testing.assert_array_equal(item.mesh.positions, mesh.positions)
        np.testing.assert_array_equal(item.mesh.triangles, mesh.triangles)
        assert [material.name for material in item.mesh.materials] == [m.name for m in mesh.materials]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("kill", "crashed the loader"),
        ("exit", "crashed the loader"),
        ("hang", "timed out"),
        ("swell", "out of memory"),
        ("refuse", "no faces"),
        ("stumble", "unreadable"),
    ],
)
def test_a_mesh_that_ends_its_loader_costs_itself_alone(tmp_path, word, reason):
    limits = replace(LIMITS, seconds=2.5) if word == "hang" else LIMITS
    assert outcomes(tmp_path, "one", word, "three", limits=limits) == [
        "digest of one",
        reason,
        "digest of three",
    ]


@pytest.mark.parametrize("word", ["kill", "refuse", "stumble"])
def test_what_fails_once_is_tried_again(tmp_path, word):
    assert outcomes(tmp_path, f"{word} once", "two") == [f"digest of {word} once", "digest of two"]


def test_a_missing_library_is_no_fault_of_the_object(tmp_path):
    with pytest.raises(MissingExtraError, match="trimesh is not installed"):
        outcomes(tmp_path, "one", "need", "three")


def test_the_message_says_what_happened_and_what_to_do(tmp_path):
    with MeshLoader(Misbehaving(4, folder=tmp_path), LIMITS) as loader:
        (error,) = loader.iter_loaded(["kill"])
    assert isinstance(error, MeshError)
    assert str(error) == "kill: its file crashed the process that loads it (SIGKILL); leave it out"


@pytest.mark.slow
def test_the_process_is_replaced_after_its_share(tmp_path):
    outcomes(tmp_path, *[f"object-{n}" for n in range(6)], limits=replace(LIMITS, objects_per_process=2))
    assert len(read_numbers(tmp_path, "process")) == 3


def test_loading_goes_on_while_the_caller_is_busy(tmp_path):
    """Two more are loaded than were asked for, and not all."""
    names = [f"object-{n} once" for n in range(8)]
    with MeshLoader(Misbehaving(4, folder=tmp_path, names=tuple(names)), LIMITS) as loader:
        stream = loader.iter_loaded(names)
        next(stream)
        wait_until(lambda: len(list(tmp_path.glob("first *"))) >= 4)
        time.sleep(0.3)
        assert 4 <= len(list(tmp_path.glob("first *"))) <= 5
        stream.close()


def test_nothing_is_left_behind(tmp_path):
    loader = MeshLoader(Misbehaving(4, folder=tmp_path), replace(LIMITS, seconds=60.0))
    stream = loader.iter_loaded(["one", "two"])
    next(stream)
    (pid,) = read_numbers(tmp_path, "process")
    assert alive(pid)
    stream.close()
    loader.close()
    assert not alive(pid)


def test_a_mesh_that_no_one_wants_any_more_is_not_waited_for(tmp_path):
    began = time.monotonic()
    with MeshLoader(Misbehaving(4, folder=tmp_path), replace(LIMITS, seconds=60.0)) as loader:
        stream = loader.iter_loaded(["one", "hang", "three"])
        next(stream)
        stream.close()
    assert time.monotonic() - began < 30
    assert len(read_numbers(tmp_path, "process")) == 1, "it was tried again"


def test_an_idle_child_that_dies_is_replaced(tmp_path):
    with MeshLoader(Misbehaving(4, folder=tmp_path), LIMITS) as loader:
        list(loader.iter_loaded(["one"]))
        (pid,) = read_numbers(tmp_path, "process")
        os.kill(pid, signal.SIGKILL)
        (again,) = loader.iter_loaded(["two"])
    assert isinstance(again, LoadedObject)
    assert len(read_numbers(tmp_path, "process")) == 2
