"""Backends by their names."""

from turntable.choices import check_choice
from turntable.renderer.backends.protocol import Backend, Device

BACKENDS = ("moderngl", "embree", "pyrender")


def open_backend(name: str = "moderngl", device: int | None = None) -> Backend:
    """A backend ready to render, with its own device context in this process.

    Args:
        name: One of ``BACKENDS``.
        device: Index among EGL's devices; None leaves it to EGL. Embree has but the processor.

    Raises:
        InvalidInputError: No backend has this name.
        MissingExtraError: What it needs is not installed.
        DeviceError: The backend finds no device it can use.
    """
    known(name)
    if name == "embree":
        from turntable.renderer.backends.embree import EmbreeBackend

        return EmbreeBackend()
    if name == "pyrender":
        from turntable.renderer.backends.pyrender import PyrenderBackend

        return PyrenderBackend(device)
    from turntable.renderer.backends.gl import GLBackend

    return GLBackend(device)


def find_device(name: str, device: int | None = None) -> Device:
    """What an OpenGL backend would draw with on a device, asked of a context made for the purpose.

    Raises:
        MissingExtraError: What the backend needs is not installed.
        DeviceError: There is no such device, or it gives no context.
    """
    if name == "pyrender":
        from turntable.renderer.backends.pyrender import find_device as found
    else:
        from turntable.renderer.backends.gl import find_device as found
    return found(device)


def known(name: str, *others: str) -> None:
    """Nothing, if there is a backend of this name, or it is one of the others.

    Raises:
        InvalidInputError: There is none.
    """
    check_choice("backend", name, (*others, *BACKENDS))
