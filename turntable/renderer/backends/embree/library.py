"""Intel's Embree through ``embreex``, and what can be said of the processor that it runs on."""

import importlib
import importlib.metadata
import platform
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MissingExtraError
from turntable.renderer.backends.protocol import Device

CPUINFO = Path("/proc/cpuinfo")


def make_scene(positions: NDArray[np.float32], triangles: NDArray[np.int32]) -> Any:
    """Embree's tree over triangles [T, 3] of positions [N, 3].

    Raises:
        MissingExtraError: embreex is not installed.
    """
    scene = _part("rtcore_scene").EmbreeScene()
    _part("mesh_construction").TriangleMesh(
        scene, np.ascontiguousarray(positions, np.float32), np.ascontiguousarray(triangles, np.int32)
    )
    return scene


def find_device() -> Device:
    """The processor.

    Raises:
        MissingExtraError: embreex is not installed.
    """
    _part("rtcore_scene")
    release = f"embreex {importlib.metadata.version('embreex')}"
    return Device("embree", "Intel Embree", _processor(), release, software=True)


def _part(name: str) -> Any:
    try:
        return importlib.import_module(f"embreex.{name}")
    except ImportError as error:
        raise MissingExtraError("embreex", "render") from error


def _processor() -> str:
    lines = CPUINFO.read_text().splitlines() if CPUINFO.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), "") or platform.processor() or platform.machine() or "unknown processor"
