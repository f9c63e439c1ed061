"""Memory of one process that renders many different meshes, which must not grow.

    python benchmarks/render_memory.py                       # 2,000 zoo objects
    python benchmarks/render_memory.py --objects 500 --backend pyrender

Prints the process's resident memory, which in software holds the device's too, and how many OpenGL objects of
each kind are alive. Ends with the slope after warming up; a run that grows by more than a page (4 KiB) an
object exits with an error.
"""

import argparse
import ctypes
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from turntable.datasets import load_recipe
from turntable.renderer import open_backend, render_views
from turntable.renderer.backends import Backend
from turntable.renderer.meshes.zoo import make_zoo_mesh
from turntable.renderer.meshes.zoo.categories import CATEGORIES

STATM = Path("/proc/self/statm")
PAGE_KIB = 4.0
WARM_UP = 0.25
"""Number of objects until every category has been drawn and buffers have their final size."""


def resident_mib() -> float:
    """Return the memory of this process in MiB."""
    return int(STATM.read_text().split()[1]) * resource.getpagesize() / 2**20


def alive(backend: Backend) -> dict[str, int]:
    """Count OpenGL objects by kind; empty if the backend has no moderngl context."""
    context: Any = getattr(backend, "context", None)
    if not hasattr(context, "simple_framebuffer"):
        return {}
    with context:
        buffer, texture = context.buffer(reserve=4), context.texture((1, 1), 4)
        # Drivers give out names in rising order, or again those that became free: none is beyond a new one.
        count = {
            "buffers": sum(map(_asks("glIsBuffer"), range(1, buffer.glo))),
            "textures": sum(map(_asks("glIsTexture"), range(1, texture.glo))),
        }
        buffer.release()
        texture.release()
    return count


def _asks(name: str) -> Callable[[int], int]:
    """Load an OpenGL function from a name to a boolean, which moderngl does not offer."""
    find = ctypes.CDLL("libEGL.so.1").eglGetProcAddress
    find.restype = ctypes.c_void_p
    return ctypes.CFUNCTYPE(ctypes.c_ubyte, ctypes.c_uint)(find(name.encode()))


def slope_kib(objects: list[int], resident: list[float]) -> float:
    """Compute the growth per object in KiB, by least squares after the warm-up."""
    start = int(WARM_UP * len(objects))
    return 1024 * float(np.polyfit(objects[start:], resident[start:], 1)[0])


def main() -> None:
    """Draw, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--objects", type=int, default=2000)
    parser.add_argument("--views", type=int, default=2)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--quality", default="fast")
    parser.add_argument("--backend", default="moderngl")
    parser.add_argument("--every", type=int, default=100, help="objects between two lines")
    args = parser.parse_args()
    if not STATM.exists():
        raise SystemExit("this benchmark reads /proc, which only Linux has")
    recipe = load_recipe("zoo").replace(image_size_px=args.size, quality=args.quality)
    names = sorted(CATEGORIES)
    objects: list[int] = []
    resident: list[float] = []
    start = time.perf_counter()
    with open_backend(args.backend) as backend:
        for number in range(args.objects):
            category, instance = names[number % len(names)], number // len(names)
            mesh = make_zoo_mesh(category, instance, seed=number)
            render_views(backend, recipe, f"{category}/{instance:06d}", mesh, range(args.views))
            objects.append(number + 1)
            resident.append(resident_mib())
            if (number + 1) % args.every == 0:
                counts = "  ".join(f"{count} {kind}" for kind, count in alive(backend).items())
                print(f"{number + 1:6d} objects  {resident[-1]:7.1f} MiB  {counts}", flush=True)
    slope = slope_kib(objects, resident)
    verdict = "flat" if slope < PAGE_KIB else "GROWS"
    took = time.perf_counter() - start
    print(f"{verdict}: {slope:+.2f} KiB an object after warming up ({took:.0f} s)")
    if verdict != "flat":
        sys.exit(1)


if __name__ == "__main__":
    main()
