"""Renderers: each a file that turns a mesh and scenes into pixels, behind one protocol."""

from turntable.errors import InvalidInputError
from turntable.renderer.backends.protocol import Backend, Device, Pixels, Quality, quality

__all__ = ["Backend", "Device", "Pixels", "Quality", "available_backends", "open_backend", "quality"]


def available_backends() -> tuple[str, ...]:
    """The names ``open_backend`` knows."""
    return ("moderngl", "embree", "pyrender")


def open_backend(name: str = "moderngl") -> Backend:
    """A backend ready to render, with its own device context in this process.

    Raises:
        InvalidInputError: No backend has this name.
        MissingExtraError: What it needs is not installed.
        DeviceError: The backend finds no device it can use.
    """
    if name not in available_backends():
        raise InvalidInputError(f"no backend is called {name!r}; known: {', '.join(available_backends())}")
    if name == "embree":
        from turntable.renderer.backends.embree import EmbreeBackend

        return EmbreeBackend()
    if name == "pyrender":
        from turntable.renderer.backends.pyrender import PyrenderBackend

        return PyrenderBackend()
    from turntable.renderer.backends.gl import GLBackend

    return GLBackend()
