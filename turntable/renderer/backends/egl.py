"""The devices that EGL knows, asked of the library itself: no context is made, so any process may ask."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from turntable.errors import DeviceError

LIBRARY = "libEGL.so.1"
INSTALL_LINE = "apt-get install -y --no-install-recommends libegl1 libgl1-mesa-dri"
SOFTWARE_RENDERERS = ("llvmpipe", "softpipe", "swrast", "swiftshader")
MOST_DEVICES = 64

EXTENSIONS, VENDOR = 0x3055, 0x3053
DRM_FILE, CUDA_DEVICE = 0x3233, 0x323A


@dataclass(frozen=True, slots=True)
class EGLDevice:
    """One device, as EGL lists it."""

    index: int
    """Its place in EGL's list, by which it is opened."""
    cuda: int | None
    """CUDA's number for it, before ``CUDA_VISIBLE_DEVICES`` renumbers; None where it is no NVIDIA device."""
    file: str | None
    """Its node below /dev, where it has one."""
    software: bool
    """Whether it draws on the processor."""

    def __str__(self) -> str:
        """As users choose it, and what it is."""
        cuda = None if self.cuda is None else f"CUDA device {self.cuda}"
        software = "software" if self.software else None
        return ", ".join(filter(None, (f"egl:{self.index}", cuda, self.file, software)))


def list_devices() -> tuple[EGLDevice, ...]:
    """Every device, in EGL's order.

    Raises:
        DeviceError: There is no EGL library, or it cannot list devices.
    """
    egl = _EGL()
    handles = (ctypes.c_void_p * MOST_DEVICES)()
    count = ctypes.c_int(0)
    if not egl.query_devices(MOST_DEVICES, handles, ctypes.byref(count)):
        raise DeviceError(f"{LIBRARY} lists no devices; reinstall the graphics driver, or: {INSTALL_LINE}")
    return tuple(_describe(egl, index, handles[index]) for index in range(count.value))


def draws_in_software(renderer: str) -> bool:
    """Whether a renderer, as OpenGL names it, is the processor."""
    return any(known in renderer.lower() for known in SOFTWARE_RENDERERS)


def _describe(egl: "_EGL", index: int, handle: int | None) -> EGLDevice:
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


class _EGL:
    """The few functions of the library that are needed."""

    def __init__(self) -> None:
        try:
            self._find: Any = ctypes.CDLL(LIBRARY).eglGetProcAddress
        except (OSError, AttributeError) as error:
            raise DeviceError(f"no EGL library ({error}). On Debian or Ubuntu: {INSTALL_LINE}") from error
        self._find.restype, self._find.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
        pointer, integer = ctypes.c_void_p, ctypes.c_int
        self.query_devices = self._function("eglQueryDevicesEXT", ctypes.c_uint, integer, pointer, pointer)
        self.query_string = self._function("eglQueryDeviceStringEXT", ctypes.c_char_p, pointer, integer)
        self.query_attribute = self._function(
            "eglQueryDeviceAttribEXT", ctypes.c_uint, pointer, integer, pointer
        )

    def _function(self, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
        address = self._find(name.encode())
        if not address:
            raise DeviceError(f"{LIBRARY} has no {name}: it is too old; update the graphics driver")
        return ctypes.CFUNCTYPE(result, *arguments)(address)
