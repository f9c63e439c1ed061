"""Memory stays flat in the number of objects; benchmarks/memory.py measures it over thousands."""

import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.optional import needs_pyrender
from turntable.errors import DeviceError
from turntable.renderer.backends import get_quality
from turntable.renderer.meshes import Mesh, Texture
from turntable.renderer.meshes.zoo import make_zoo_mesh
from turntable.renderer.meshes.zoo.categories import CATEGORIES
from turntable.testing.backends import make_label, make_scenes

pytestmark = pytest.mark.slow

STATM = Path("/proc/self/statm")
OUTPUTS = ("rgb", "mask", "depth", "normals", "coordinates")
OBJECTS, WARM_UP = 60, 25
BOUND = 20 * 2**20
"""A leak of nothing but the textures below would be more than twice this."""


def zoo() -> Iterator[Mesh]:
    """Different meshes, each with a texture of a little more than a MiB, whose size varies."""
    names = sorted(CATEGORIES)
    for number in range(OBJECTS):
        mesh = make_zoo_mesh(names[number % len(names)], number // len(names), seed=number)
        texture = Texture(np.full((512 + number, 512, 4), 255, dtype=np.uint8))
        yield replace(mesh, materials=(replace(mesh.materials[0], texture=texture), *mesh.materials[1:]))


@pytest.fixture
def pyrender_backend():
    needs_pyrender()
    from turntable.renderer.backends.pyrender import PyrenderBackend

    try:
        backend = PyrenderBackend()
    except DeviceError as error:
        pytest.skip(str(error))
    with backend:
        yield backend


@pytest.mark.skipif(not STATM.exists(), reason="needs /proc")
@pytest.mark.parametrize("drawer", ["gl_backend", "pyrender_backend"])
def test_memory_is_flat_in_the_number_of_objects(request, drawer):
    """In software the device's memory is the process's own."""
    backend, views = request.getfixturevalue(drawer), make_scenes(make_label(), make_label((0.3, 0.2, 0.1)))
    resident: list[int] = []
    for mesh in zoo():
        backend.render(mesh, views, 64, get_quality("fast"), OUTPUTS)
        resident.append(int(STATM.read_text().split()[1]) * resource.getpagesize())
    assert max(resident[WARM_UP:]) - max(resident[:WARM_UP]) < BOUND
