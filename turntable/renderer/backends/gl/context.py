"""Headless OpenGL contexts, and the facts about the devices behind them."""

import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, cast

from turntable.errors import DeviceError
from turntable.extras import explain_import_errors
from turntable.renderer.backends.egl import INSTALL_LINE, LIBRARY, is_software_renderer
from turntable.renderer.backends.protocol import Device

if TYPE_CHECKING:
    import moderngl


def open_context(device: int | None = None) -> "moderngl.Context":
    """Open an OpenGL 3.3+ context on the device of this index among EGL's; None leaves the choice to EGL.

    Raises:
        MissingExtraError: moderngl is not installed.
        DeviceError: EGL is missing or gives no context.
    """
    library = _import_moderngl()
    # llvmpipe would draw with one thread per core. One worker process per core is 1.3 to 2 times as fast as
    # one process with many threads.
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
            f"{INSTALL_LINE}. On NVIDIA in a container: NVIDIA_DRIVER_CAPABILITIES must contain 'graphics'."
        ) from error
    return cast("moderngl.Context", context)


def read_device(context: "moderngl.Context") -> Device:
    """Return the device of a context, as the driver names it."""
    info = cast("dict[str, str]", context.info)
    name = info["GL_RENDERER"]
    return Device("moderngl", info["GL_VENDOR"], name, info["GL_VERSION"], is_software_renderer(name))


def probe_device(device: int | None = None) -> Device:
    """Return the device of this index, asked of a context made for the purpose.

    Raises:
        MissingExtraError: moderngl is not installed.
        DeviceError: EGL is missing or gives no context.
    """
    context = open_context(device)
    try:
        return read_device(context)
    finally:
        context.release()


def _import_moderngl() -> ModuleType:
    with explain_import_errors("moderngl"):
        import moderngl
    return moderngl
