"""Backends of users' own: by a reference, in this process and in those that render."""

import sys

import pytest

from tests.support.own_methods import forget_own_methods
from turntable.datasets import load_recipe, open_dataset
from turntable.errors import InvalidInputError
from turntable.renderer import generate, open_backend
from turntable.renderer.backends import select_backend
from turntable.renderer.meshes.sources import ZooSource

CODE = """
from dataclasses import replace
from turntable.renderer.backends import Backend
from turntable.renderer.backends.embree import EmbreeBackend

class Named(Backend):
    def __init__(self):
        self.inner = EmbreeBackend()

    device = property(lambda self: replace(self.inner.device, backend="named"))

    def begin(self, *arguments):
        return self.inner.begin(*arguments)

    def close(self):
        self.inner.close()

number = 3

def nothing():
    return number
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = tmp_path / "mine.py"
    path.write_text(CODE)
    yield path
    forget_own_methods()


def test_a_backend_of_ones_own_draws_a_data_set_in_worker_processes(file, tmp_path, monkeypatch):
    monkeypatch.chdir(file.parent)
    recipe = load_recipe("zoo").replace(views=2, image_size_px=16, quality="fast")
    generate(recipe, ZooSource(2), tmp_path / "set", backend="mine.py:Named")
    assert open_dataset(tmp_path / "set").manifest.device["backend"] == "named"


def test_a_reference_is_chosen_with_its_whole_path_and_no_device(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    choice = select_backend("mine.py:Named")
    assert (choice.backend, choice.devices) == (f"{file}:Named", (None,))
    with pytest.raises(InvalidInputError, match="--device egl:0: a backend of your own chooses"):
        select_backend("mine.py:Named", "egl:0")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Missing", "mine.py has no class or function Missing"),
        ("number", "mine.py has no class or function number"),
        ("nothing", "returns a int without device, begin, render, close"),
    ],
)
def test_what_is_no_backend_is_told(file, name, words):
    with pytest.raises(InvalidInputError, match=words):
        open_backend(f"{file}:{name}")


def test_a_file_that_is_not_there_is_told_by_its_option(tmp_path):
    with pytest.raises(InvalidInputError, match=r"--backend .*away\.py: there is no such file"):
        select_backend(f"{tmp_path}/away.py:Named")
