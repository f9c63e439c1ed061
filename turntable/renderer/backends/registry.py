"""Backends by name, and users' own backends by a reference to their code."""

from turntable.choices import check_choice
from turntable.errors import InvalidInputError, format_text
from turntable.renderer.backends.protocol import Backend, Device
from turntable.user_code import UserCode, is_reference, load_user_code

BACKENDS = ("moderngl", "embree", "pyrender")
"""Names of the backends that turntable has."""
_REQUIRED_ATTRIBUTES = ("device", "begin", "render", "close")


def open_backend(name: str = "moderngl", device: int | None = None) -> Backend:
    """Open a backend, with a device context of its own, in this process.

    Args:
        name: One of ``BACKENDS``, or a reference to a user's own backend: ``package.module:NAME`` or
            ``file.py:NAME``, where NAME is a class or function without arguments that makes a ``Backend``.
        device: Index among EGL's devices; None leaves the choice to EGL. Embree uses only the CPU, and a
            user's own backend chooses its device itself.

    Raises:
        InvalidInputError: No backend has this name, or the code of a reference returns none.
        MissingExtraError: A package that the backend needs is not installed.
        DeviceError: The backend finds no device it can use.
    """
    if is_reference(name):
        return _make_user_backend(name)
    check_backend_name(name)
    # Imported here: each backend needs packages that the others do not.
    if name == "embree":
        from turntable.renderer.backends.embree import EmbreeBackend

        return EmbreeBackend()
    if name == "pyrender":
        from turntable.renderer.backends.pyrender import PyrenderBackend

        return PyrenderBackend(device)
    from turntable.renderer.backends.gl import GLBackend

    return GLBackend(device)


def probe_device(name: str, device: int | None = None) -> Device:
    """Return the device that an OpenGL backend would use, asked of a context made for the purpose.

    Raises:
        MissingExtraError: A package that the backend needs is not installed.
        DeviceError: There is no such device, or it gives no context.
    """
    if name == "pyrender":
        from turntable.renderer.backends.pyrender import probe_device as probe
    else:
        from turntable.renderer.backends.gl import probe_device as probe
    return probe(device)


def resolve_user_backend(reference: str) -> UserCode:
    """Load the code that a reference names, and return it with a reference that other processes can use.

    Raises:
        InvalidInputError: There is no such module, file or name, or its code fails.
    """
    code = load_user_code(reference, "--backend")
    if not callable(getattr(code.module, code.name, None)):
        raise InvalidInputError(
            f"--backend {format_text(reference)}: {format_text(code.location)} has no class or function "
            f"{format_text(code.name)}; give the name of the class or function that makes your Backend"
        )
    return code


def _make_user_backend(reference: str) -> Backend:
    backend = resolve_user_backend(reference).value()
    missing = [name for name in _REQUIRED_ATTRIBUTES if not hasattr(backend, name)]
    if missing:
        raise InvalidInputError(
            f"--backend {format_text(reference)} returns a {type(backend).__name__} without "
            f"{', '.join(missing)}; return a Backend of turntable.renderer.backends"
        )
    return backend


def check_backend_name(name: str, *others: str) -> None:
    """Check that a name is that of a backend or one of ``others``.

    Raises:
        InvalidInputError: It is neither.
    """
    check_choice("backend", name, (*others, *BACKENDS), own_option="--backend")
