"""EGL's list of devices, asked of the library itself.

No OpenGL context is made, so any process may ask, also one that forks workers later.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from turntable.errors import DeviceError

LIBRARY = "libEGL.so.1"
INSTALL_LINE = "apt-get install -y --no-install-recommends libegl1 libgl1-mesa-dri"
SOFTWARE_RENDERERS = ("llvmpipe", "softpipe", "swrast", "swiftshader")
MAX_DEVICES = 64
"""Largest number of devices that are listed."""

EXTENSIONS, VENDOR = 0x3055, 0x3053
DRM_FILE, CUDA_DEVICE = 0x3233, 0x323A


@dataclass(frozen=True, slots=True)
class EGLDevice:
    """One device as EGL lists it."""

    index: int
    """Index in EGL's list, by which the device is opened."""
    cuda: int | None
    """CUDA's number before ``CUDA_VISIBLE_DEVICES`` renumbers; None if it is not an NVIDIA device."""
    file: str | None
    """Path of its node below /dev, or None."""
    software: bool
    """True if it renders on the CPU."""

    def __str__(self) -> str:
        """Format the device with the name that users give, followed by what is known of it."""
        cuda = None if self.cuda is None else f"CUDA device {self.cuda}"
        software = "software" if self.software else None
        return ", ".join(filter(None, (f"egl:{self.index}", cuda, self.file, software)))


def list_devices() -> tuple[EGLDevice, ...]:
    """List all devices in EGL's order.

    Raises:
        DeviceError: There is no EGL library, or it cannot list devices.
    """
    egl = _EGLLibrary()
    handles = (ctypes.c_void_p * MAX_DEVICES)()
    count = ctypes.c_int(0)
    if not egl.query_devices(MAX_DEVICES, handles, ctypes.byref(count)):
        raise DeviceError(f"{LIBRARY} lists no devices; reinstall the graphics driver, or: {INSTALL_LINE}")
    return tuple(_read_device(egl, index, handles[index]) for index in range(count.value))


def is_software_renderer(renderer: str) -> bool:
    """Return True if a renderer, by its OpenGL name, runs on the CPU."""
    return any(known in renderer.lower() for known in SOFTWARE_RENDERERS)


def _read_device(egl: "_EGLLibrary", index: int, handle: int | None) -> EGLDevice:
    extensions = (egl.query_string(handle, EXTENSIONS) or b"").split()
    number = ctypes.c_ssize_t(0)
    known = b"EGL_NV_device_cuda" in extensions
    known = known and bool(egl.query_attribute(handle, CUDA_DEVICE, ctypes.byref(number)))
    file = egl.query_string(handle, DRM_FILE) if b"EGL_EXT_device_drm" in extensions else None
    return EGLDevice(
        index,
        number.value if known else None,
        file.decode() if file else None,
        b"EGL_MESA_device_software" in extensions,
    )


class _EGLLibrary:
    """The few functions of the EGL library that are needed here."""

    def __init__(self) -> None:
        try:
            self._find: Any = ctypes.CDLL(LIBRARY).eglGetProcAddress
        except (OSError, AttributeError) as error:
            raise DeviceError(f"no EGL library ({error}). On Debian or Ubuntu: {INSTALL_LINE}") from error
        self._find.restype, self._find.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
        pointer, integer = ctypes.c_void_p, ctypes.c_int
        self.query_devices = self._load_function(
            "eglQueryDevicesEXT", ctypes.c_uint, integer, pointer, pointer
        )
        self.query_string = self._load_function("eglQueryDeviceStringEXT", ctypes.c_char_p, pointer, integer)
        self.query_attribute = self._load_function(
            "eglQueryDeviceAttribEXT", ctypes.c_uint, pointer, integer, pointer
        )

    def _load_function(self, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
        address = self._find(name.encode())
        if not address:
            raise DeviceError(f"{LIBRARY} has no {name}: it is too old; update the graphics driver")
        return ctypes.CFUNCTYPE(result, *arguments)(address)
