"""What this machine can do: the OpenGL device, the optional extras, and what to install for the rest."""

import importlib.util
import platform
from collections.abc import Iterator
from dataclasses import dataclass

import turntable
from turntable.errors import TurntableError

EXTRAS = {
    "render": ("moderngl", "embreex", "trimesh"),
    "train": ("torch", "tensorboard", "matplotlib", "jinja2"),
    "serve": ("starlette", "uvicorn"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    detail: str
    needed: bool = True
    """Whether nothing can be rendered without it."""


def examine() -> tuple[Finding, ...]:
    """Everything worth knowing, what is missing with the line that mends it."""
    about = f"{turntable.__version__}, Python {platform.python_version()}, {platform.platform()}"
    return (Finding("turntable", True, about), *_extras(), *_device())


def _extras() -> Iterator[Finding]:
    for extra, libraries in EXTRAS.items():
        missing = [name for name in libraries if importlib.util.find_spec(name) is None]
        remedy = f"{', '.join(missing)} not installed; run: pip install 'turntable[{extra}]'"
        yield Finding(f"extra {extra}", not missing, remedy if missing else "installed", extra == "render")


def _device() -> Iterator[Finding]:
    try:
        from turntable.renderer.backends.gl import find_device

        device = find_device()
    except TurntableError as error:
        yield Finding("OpenGL", False, str(error))
        return
    kind = "software: right, but slow" if device.software else "hardware"
    yield Finding("OpenGL", True, f"{device.renderer} ({kind}); {device.vendor}; {device.version}")
