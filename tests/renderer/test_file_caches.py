"""Tests of folders of links, as caches keep them, and of digests that hold no path of the machine."""

import os
import shutil

import pytest
from PIL import Image

from tests.support.meshes import write_shapenet_object
from tests.support.textured_objects import BLUE, load, write_image, write_object
from turntable.renderer.meshes.sources import FolderSource, open_source
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource


def write_cache(folder, source, kind="models"):
    """The files below ``source`` as a Hugging Face cache keeps them; its snapshot."""
    snapshot, blobs = folder / f"{kind}--org--set/snapshots/0123abc", folder / f"{kind}--org--set/blobs"
    blobs.mkdir(parents=True)
    for number, path in enumerate(sorted(item for item in source.rglob("*") if item.is_file())):
        shutil.copy(path, blobs / f"{number:040x}")
        link = snapshot / path.relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blobs / f"{number:040x}", link.parent))
    return snapshot


@pytest.mark.parametrize("kind", ["models", "datasets"])
@pytest.mark.parametrize("above", [0, 1, 2])
def test_a_hugging_face_cache_is_read(tmp_path, kind, above):
    write_object(tmp_path / "plain/cat/q.obj", "tex/oak.png")
    write_image(tmp_path / "plain/cat/tex/oak.png")
    root = write_cache(tmp_path / "hub", tmp_path / "plain", kind)
    prefix = {0: "", 1: "0123abc/", 2: "snapshots/0123abc/"}[above]
    for _ in range(above):
        root = root.parent
    source, plain = FolderSource(root), FolderSource(tmp_path / "plain")
    assert [item.id for item in source.list_objects()] == [f"{prefix}cat/q"]
    mesh = source.load(f"{prefix}cat/q")
    assert mesh.warnings == ()
    assert mesh.materials[-1].texture is not None
    if above == 0:
        assert source.compute_digest("cat/q", mesh) == plain.compute_digest("cat/q", plain.load("cat/q"))


def test_shapenet_in_a_cache_is_shapenet(tmp_path):
    write_shapenet_object(tmp_path / "plain", "02691156/a")
    root = write_cache(tmp_path / "hub", tmp_path / "plain")
    source, plain = ShapeNetSource(root), ShapeNetSource(tmp_path / "plain")
    assert source.list_objects() == plain.list_objects()
    mesh, other = source.load("02691156/a"), plain.load("02691156/a")
    assert mesh.warnings == ()
    assert source.compute_digest("02691156/a", mesh) == plain.compute_digest("02691156/a", other)


def test_the_contents_of_another_cache_are_outside(tmp_path):
    write_object(tmp_path / "plain/q.obj", "oak.png")
    root = write_cache(tmp_path / "hub", tmp_path / "plain")
    secret = tmp_path / "hub/models--org--other/blobs/secret"
    secret.parent.mkdir(parents=True)
    Image.new("RGB", (2, 2), BLUE).save(secret, "PNG")
    (root / "oak.png").symlink_to(secret)
    assert load(root, "q") == (None, ["file-outside"])


def test_a_folder_of_contents_that_is_a_link_is_outside(tmp_path):
    write_object(tmp_path / "plain/q.obj", "oak.png")
    root = write_cache(tmp_path / "hub", tmp_path / "plain")
    blobs = root.parent.parent / "blobs"
    blobs.rename(tmp_path / "elsewhere")
    blobs.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Exception, match="outside"):
        load(root, "q")


def test_digests_hold_no_path_of_the_machine(tmp_path):
    digests = set()
    for root in (tmp_path / "one", tmp_path / "two/deep"):
        write_image(root / "textures/oak.png")
        write_object(root / "c/a.obj", "../textures/oak.png")
        source = open_source("folder", root)
        digests.add(source.compute_digest("c/a", source.load("c/a")))
    assert len(digests) == 1


def test_digests_of_files_in_the_objects_folder_are_as_before(tmp_path):
    import hashlib

    write_object(tmp_path / "c/a.obj", "Oak.png")
    write_image(tmp_path / "c/Oak.png")
    source, expected = FolderSource(tmp_path), hashlib.sha256()
    for name in ("c/Oak.png", "c/a.mtl", "c/a.obj"):
        content = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        expected.update(f"{name}\0{content}\n".encode())
    assert source.compute_digest("c/a", source.load("c/a")) == expected.hexdigest()
