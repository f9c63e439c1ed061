"""A headless OpenGL context, and what can be said of the device behind it."""

import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, cast

from turntable.errors import DeviceError, MissingExtraError
from turntable.renderer.backends.egl import INSTALL_LINE, LIBRARY, draws_in_software
from turntable.renderer.backends.protocol import Device

if TYPE_CHECKING:
    import moderngl


def open_context(device: int | None = None) -> "moderngl.Context":
    """A new OpenGL 3.3+ context on the device of this index among EGL's; None leaves the choice to EGL.

    Raises:
        MissingExtraError: moderngl is not installed.
        DeviceError: EGL is missing or gives no context.
    """
    library = _moderngl()
    # One worker process a core beats one process of many threads, by 1.3 to 2 times.
    os.environ.setdefault("LP_NUM_THREADS", "1")
    if sys.platform != "linux":
        return cast("moderngl.Context", library.create_context(standalone=True, require=330))
    chosen = {} if device is None else {"device_index": device}
    try:
        context = library.create_context(
            standalone=True, require=330, backend="egl", libegl=LIBRARY, libgl=LIBRARY, **chosen
        )
    except Exception as error:  # glcontext raises bare Exception
        where = "" if device is None else f" on device egl:{device}"
        raise DeviceError(
            f"no OpenGL context through EGL{where} ({error}). In software, on Debian or Ubuntu: "
            f"{INSTALL_LINE}. On NVIDIA in a container: NVIDIA_DRIVER_CAPABILITIES must hold 'graphics'."
        ) from error
    return cast("moderngl.Context", context)


def device_of(context: "moderngl.Context") -> Device:
    """What the driver says of itself."""
    info = cast("dict[str, str]", context.info)
    name = info["GL_RENDERER"]
    return Device("moderngl", info["GL_VENDOR"], name, info["GL_VERSION"], draws_in_software(name))


def find_device(device: int | None = None) -> Device:
    """The device of this index, asked of a context made for the purpose; raises as :func:`open_context`."""
    context = open_context(device)
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
