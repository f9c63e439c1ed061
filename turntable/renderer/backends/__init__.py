"""Renderers: each a file that turns a mesh and scenes into pixels, behind one protocol."""

from turntable.renderer.backends.choice import BackendOpener, Choice, ChosenThere, choose
from turntable.renderer.backends.egl import list_devices
from turntable.renderer.backends.opening import BACKENDS, find_device, open_backend
from turntable.renderer.backends.protocol import Backend, Device, Pixels, Quality, quality

__all__ = [
    "BACKENDS",
    "Backend",
    "BackendOpener",
    "Choice",
    "ChosenThere",
    "Device",
    "Pixels",
    "Quality",
    "choose",
    "find_device",
    "list_devices",
    "open_backend",
    "quality",
]
