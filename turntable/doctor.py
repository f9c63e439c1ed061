"""What this machine can do: devices and drivers, the optional extras, and what to install for the rest."""

import importlib.util
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import turntable
from turntable.errors import DeviceError, TurntableError
from turntable.installation import install_hint

EXTRAS = {
    "render": ("moderngl", "embreex", "trimesh"),
    "train": ("torch", "tensorboard", "matplotlib", "jinja2"),
    "serve": ("starlette", "uvicorn"),
    "pyrender": ("pyrender",),
}

NVIDIA_NODES = "dev/nvidia[0-9]*"
NVIDIA_EGL = "usr/share/glvnd/egl_vendor.d/*nvidia*.json", "etc/glvnd/egl_vendor.d/*nvidia*.json"
CAPABILITIES = "NVIDIA_DRIVER_CAPABILITIES"

State = Literal["ok", "warning", "missing"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: State
    detail: str
    needed: bool = True
    """Whether nothing can be rendered without it."""


def examine() -> tuple[Finding, ...]:
    """Everything worth knowing, what is missing with the line that mends it."""
    about = f"{turntable.__version__}, Python {platform.python_version()}, {platform.platform()}"
    return (
        Finding("turntable", "ok", about),
        *_extras(),
        *_devices(),
        *container(Path("/"), os.environ),
        _rendering(),
    )


def _extras() -> Iterator[Finding]:
    for extra, libraries in EXTRAS.items():
        missing = [name for name in libraries if importlib.util.find_spec(name) is None]
        remedy = f"{', '.join(missing)} not installed; run: {install_hint(extra)}"
        yield Finding(
            f"extra {extra}",
            "missing" if missing else "ok",
            remedy if missing else "installed",
            extra == "render",
        )


def _devices() -> Iterator[Finding]:
    """Every device of EGL, opened for a look at its driver."""
    from turntable.renderer.backends import find_device, list_devices

    try:
        devices = list_devices()
    except DeviceError as error:
        yield Finding("EGL", "missing", str(error), needed=False)
        return
    for device in devices:
        try:
            known = find_device("moderngl", device.index)
            driver = f"{known.renderer}; {known.vendor}; OpenGL {known.version}"
            yield Finding(f"device {device}", "ok", driver)
        except TurntableError as error:
            yield Finding(f"device {device}", "missing", str(error), needed=False)


def container(root: Path, environment: Mapping[str, str]) -> Iterator[Finding]:
    """What keeps OpenGL from an NVIDIA GPU that is there, as containers are often started.

    Args:
        root: Of the file system.
        environment: Of the process.
    """
    if not any(root.glob(NVIDIA_NODES)):
        return
    if any(path for pattern in NVIDIA_EGL for path in root.glob(pattern)):
        return
    given = environment.get(CAPABILITIES, "")
    if given and not {"graphics", "all"} & set(given.split(",")):
        remedy = f"start the container with {CAPABILITIES}=all (it is {given!r}; OpenGL needs 'graphics')"
    else:
        remedy = (
            f"in a container, start it with --gpus all -e {CAPABILITIES}=all; on a host, install the "
            "driver's OpenGL part (Debian and Ubuntu: libnvidia-gl-…, of the driver's version)"
        )
    yield Finding("NVIDIA", "missing", f"there is a GPU, but no OpenGL driver for it: {remedy}", needed=False)


def _rendering() -> Finding:
    """What ``turntable render`` would use."""
    from turntable.renderer.backends import choose

    try:
        choice = choose()
        with choice.open() as opened:
            device = opened.device
    except TurntableError as error:
        return Finding("rendering", "missing", str(error))
    places = ", ".join(f"egl:{index}" for index in choice.devices if index is not None)
    what = f"{device.backend} on {device.renderer}{f' ({places})' if places else ''}"
    return Finding("rendering", "warning" if choice.warnings else "ok", "; ".join([what, *choice.warnings]))
