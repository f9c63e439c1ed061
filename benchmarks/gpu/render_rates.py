"""The rate of one process by size and quality, and the stages of a view's time."""

from collections.abc import Mapping

from render import QUALITIES, Times, best_rounds
from steps import Row, Rows, Setting

from turntable.renderer import open_source
from turntable.renderer.backends import select_backend
from turntable.renderer.meshes import Mesh
from turntable.renderer.meshes.sources import load_mesh


def run(setting: Setting) -> Rows:
    """Measure, the largest pictures first."""
    objects, views, sizes, rounds = (12, 50, (256, 64, 512), 3) if setting.on_gpu else (3, 8, (128, 64), 1)
    source = open_source("zoo", None, objects)
    meshes: Mapping[str, Mesh] = {
        item.id: load_mesh(source, item.id) for item in source.list_objects()[:objects]
    }
    with select_backend("auto", setting.draws_on).open() as backend:
        count = len(meshes) * views
        for size, quality, times in best_rounds(backend, meshes, sizes, QUALITIES, views, rounds):
            yield Row(f"{quality}, {size} px", count / times.total, "views/s")
            parts = (f"{name} {1e3 * getattr(times, name) / count:.3f}" for name in Times.__slots__)
            yield Row(f"{quality}, {size} px: ms a view", ", ".join(parts))
