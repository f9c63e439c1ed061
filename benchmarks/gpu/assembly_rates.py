"""The rate of assemblies of moving parts, to one mesh of the same triangles."""

from assemblies import compare_rates
from steps import Row, Rows, Setting

from turntable.renderer.backends import get_quality, select_backend


def run(setting: Setting) -> Rows:
    """Measure assemblies of two and of five parts."""
    views, size, rounds = (50, 256, 7) if setting.on_gpu else (6, 64, 2)
    with select_backend("auto", setting.draws_on).open() as backend:
        for num_parts in (2, 5):
            rates = compare_rates(backend, num_parts, views, size, get_quality("standard"), rounds)
            yield Row(f"{num_parts} parts", rates.assembly, "views/s")
            yield Row(f"one mesh of {rates.num_triangles} triangles", rates.one_mesh, "views/s")
            yield Row(f"{num_parts} parts to one mesh", rates.ratio)
