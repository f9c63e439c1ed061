"""A headless OpenGL context, and what can be said of the device behind it."""

import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, cast

from turntable.errors import DeviceError, MissingExtraError
from turntable.renderer.backends.protocol import Device

if TYPE_CHECKING:
    import moderngl

SOFTWARE_RENDERERS = ("llvmpipe", "softpipe", "swrast", "swiftshader")

INSTALL_LINE = "apt-get install -y --no-install-recommends libegl1 libgl1-mesa-dri"


def open_context() -> "moderngl.Context":
    """A new OpenGL 3.3+ context on an EGL device; ``GLCONTEXT_DEVICE_INDEX`` chooses among several.

    Raises:
        MissingExtraError: moderngl is not installed.
        DeviceError: EGL is missing or gives no context.
    """
    library = _moderngl()
    # One worker process a core beats one process of many threads, by 1.3 to 2 times.
    os.environ.setdefault("LP_NUM_THREADS", "1")
    if sys.platform != "linux":
        return cast("moderngl.Context", library.create_context(standalone=True, require=330))
    try:
        context = library.create_context(
            standalone=True, require=330, backend="egl", libegl="libEGL.so.1", libgl="libEGL.so.1"
        )
    except Exception as error:  # glcontext raises bare Exception
        raise DeviceError(
            f"no OpenGL context through EGL ({error}). In software, on Debian or Ubuntu: {INSTALL_LINE}. "
            "On NVIDIA in a container: NVIDIA_DRIVER_CAPABILITIES must hold 'graphics'."
        ) from error
    return cast("moderngl.Context", context)


def device_of(context: "moderngl.Context") -> Device:
    """What the driver says of itself."""
    info = cast("dict[str, str]", context.info)
    name = info["GL_RENDERER"]
    software = any(known in name.lower() for known in SOFTWARE_RENDERERS)
    return Device("moderngl", info["GL_VENDOR"], name, info["GL_VERSION"], software)


def find_device() -> Device:
    """The device that rendering would use, asked of a context made for the purpose."""
    context = open_context()
    try:
        return device_of(context)
    finally:
        context.release()


def _moderngl() -> ModuleType:
    try:
        import moderngl
    except ImportError as error:
        raise MissingExtraError("moderngl", "render") from error
    return moderngl
