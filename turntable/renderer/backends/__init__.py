"""Backends, which turn a mesh and scenes into pixels, behind one protocol."""

from turntable.renderer.backends.egl import list_devices
from turntable.renderer.backends.protocol import Backend, Device, Pixels, Quality, get_quality
from turntable.renderer.backends.registry import BACKENDS, open_backend, probe_device
from turntable.renderer.backends.selection import (
    BackendOpener,
    BackendSelection,
    DeferredBackendSelection,
    select_backend,
)

__all__ = [
    "BACKENDS",
    "Backend",
    "BackendOpener",
    "BackendSelection",
    "DeferredBackendSelection",
    "Device",
    "Pixels",
    "Quality",
    "get_quality",
    "list_devices",
    "open_backend",
    "probe_device",
    "select_backend",
]
