"""Backends by their names, and those of users' own by a reference to their code."""

from turntable.choices import check_choice
from turntable.errors import InvalidInputError, shown
from turntable.own_code import OwnCode, follow, is_reference
from turntable.renderer.backends.protocol import Backend, Device

BACKENDS = ("moderngl", "embree", "pyrender")
_ASKED_FOR = ("device", "begin", "render", "close")


def open_backend(name: str = "moderngl", device: int | None = None) -> Backend:
    """A backend ready to render, with its own device context in this process.

    Args:
        name: One of ``BACKENDS``, or the reference of one's own: ``package.module:NAME`` or ``file.py:NAME``,
            where NAME is a class or function that gives a ``Backend`` when it is called without arguments.
        device: Index among EGL's devices; None leaves it to EGL. Embree has but the processor, and a backend
            of one's own chooses for itself.

    Raises:
        InvalidInputError: No backend has this name, or the code of a reference gives none.
        MissingExtraError: What it needs is not installed.
        DeviceError: The backend finds no device it can use.
    """
    if is_reference(name):
        return _made(name)
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


def own_backend(reference: str) -> OwnCode:
    """Run the code that a reference names, and return it with the reference that other processes can follow.

    Raises:
        InvalidInputError: There is no such module, file or name, or its code fails.
    """
    code = follow(reference, "--backend")
    if not callable(getattr(code.module, code.name, None)):
        raise InvalidInputError(
            f"--backend {shown(reference)}: {shown(code.place)} has no class or function {shown(code.name)};"
            " give the name of what makes your Backend"
        )
    return code


def _made(reference: str) -> Backend:
    made = own_backend(reference).value()
    missing = [asked for asked in _ASKED_FOR if not hasattr(made, asked)]
    if missing:
        raise InvalidInputError(
            f"--backend {shown(reference)} gives a {type(made).__name__} without {', '.join(missing)}; let it"
            " be a Backend of turntable.renderer.backends"
        )
    return made


def known(name: str, *others: str) -> None:
    """Nothing, if there is a backend of this name, or it is one of the others.

    Raises:
        InvalidInputError: There is none.
    """
    check_choice("backend", name, (*others, *BACKENDS), own="--backend")
