"""Intel's Embree through ``embreex``, and the facts about the CPU it runs on."""

import importlib
import importlib.metadata
import platform
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.extras import explain_import_errors
from turntable.renderer.backends.protocol import Device

CPUINFO = Path("/proc/cpuinfo")


def build_scene(positions: NDArray[np.float32], triangles: NDArray[np.int32]) -> Any:
    """Build Embree's tree over triangles [T, 3] of positions [N, 3].

    Raises:
        MissingExtraError: embreex is not installed.
    """
    scene = _import_embreex("rtcore_scene").EmbreeScene()
    _import_embreex("mesh_construction").TriangleMesh(
        scene, np.ascontiguousarray(positions, np.float32), np.ascontiguousarray(triangles, np.int32)
    )
    return scene


def probe_device() -> Device:
    """Return the CPU as a device.

    Raises:
        MissingExtraError: embreex is not installed.
    """
    _import_embreex("rtcore_scene")
    release = f"embreex {importlib.metadata.version('embreex')}"
    return Device("embree", "Intel Embree", _read_processor_name(), release, software=True)


def _import_embreex(name: str) -> Any:
    with explain_import_errors("embreex"):
        return importlib.import_module(f"embreex.{name}")


def _read_processor_name() -> str:
    lines = CPUINFO.read_text().splitlines() if CPUINFO.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), "") or platform.processor() or platform.machine() or "unknown processor"
