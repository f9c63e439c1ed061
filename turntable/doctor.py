"""Examination of this machine: devices, drivers and optional extras, with a remedy for what is missing."""

import importlib.util
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import turntable
from turntable.errors import DeviceError, TurntableError
from turntable.installation import format_install_command

EXTRAS = {
    "render": ("moderngl", "embreex"),
    "train": ("torch", "tensorboard", "matplotlib", "jinja2"),
    "serve": ("starlette", "uvicorn"),
    "pyrender": ("pyrender",),
}
"""Libraries of each optional extra, by the names that they are imported by."""

NVIDIA_NODES = "dev/nvidia[0-9]*"
"""Pattern of the device files of NVIDIA GPUs, below the root of the file system."""
NVIDIA_EGL = "usr/share/glvnd/egl_vendor.d/*nvidia*.json", "etc/glvnd/egl_vendor.d/*nvidia*.json"
"""Patterns of the files that an OpenGL driver of NVIDIA installs for EGL."""
CAPABILITIES_VARIABLE = "NVIDIA_DRIVER_CAPABILITIES"

FindingState = Literal["ok", "warning", "missing"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one examination."""

    subject: str
    """Name of the part that was examined: "extra render"."""
    state: FindingState
    detail: str
    """Description of the state, with a remedy if something is missing."""
    is_required: bool = True
    """True if nothing can be rendered without this part."""


def examine() -> tuple[Finding, ...]:
    """Examine this machine: version, extras, devices, container, and the default of rendering."""
    version = f"{turntable.__version__}, Python {platform.python_version()}, {platform.platform()}"
    return (
        Finding("turntable", "ok", version),
        *_examine_extras(),
        *_examine_devices(),
        *examine_container(Path("/"), os.environ),
        _examine_rendering(),
    )


def _examine_extras() -> Iterator[Finding]:
    """Yield a finding for each optional extra: installed, or the libraries that are missing."""
    for extra, libraries in EXTRAS.items():
        missing = [name for name in libraries if importlib.util.find_spec(name) is None]
        remedy = f"{', '.join(missing)} not installed; run: {format_install_command(extra)}"
        yield Finding(
            f"extra {extra}",
            "missing" if missing else "ok",
            remedy if missing else "installed",
            extra == "render",
        )


def _examine_devices() -> Iterator[Finding]:
    """Open each EGL device and yield a finding about its driver."""
    from turntable.renderer.backends import list_devices, probe_device

    try:
        devices = list_devices()
    except DeviceError as error:
        yield Finding("EGL", "missing", str(error), is_required=False)
        return
    for device in devices:
        try:
            info = probe_device("moderngl", device.index)
            driver = f"{info.renderer}; {info.vendor}; OpenGL {info.version}"
            yield Finding(f"device {device}", "ok", driver)
        except TurntableError as error:
            yield Finding(f"device {device}", "missing", str(error), is_required=False)


def examine_container(root: Path, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding if there is an NVIDIA GPU without its OpenGL driver, as in many containers.

    Args:
        root: Root of the file system.
        environment: Environment variables of the process.
    """
    if not any(root.glob(NVIDIA_NODES)):
        return
    if any(path for pattern in NVIDIA_EGL for path in root.glob(pattern)):
        return
    given = environment.get(CAPABILITIES_VARIABLE, "")
    if given and not {"graphics", "all"} & set(given.split(",")):
        remedy = (
            f"start the container with {CAPABILITIES_VARIABLE}=all (it is {given!r}; OpenGL needs 'graphics')"
        )
    else:
        remedy = (
            f"in a container, start it with --gpus all -e {CAPABILITIES_VARIABLE}=all; on a host, install "
            "the OpenGL libraries of the driver (Debian and Ubuntu: libnvidia-gl-…, in the driver's version)"
        )
    yield Finding(
        "NVIDIA", "missing", f"there is a GPU, but no OpenGL driver for it: {remedy}", is_required=False
    )


def _examine_rendering() -> Finding:
    """Return the backend and device that ``turntable render`` would use by default."""
    from turntable.renderer.backends import select_backend

    try:
        choice = select_backend()
        with choice.open() as opened:
            device = opened.device
    except TurntableError as error:
        return Finding("rendering", "missing", str(error))
    names = ", ".join(f"egl:{index}" for index in choice.devices if index is not None)
    used = f"{device.backend} on {device.renderer}{f' ({names})' if names else ''}"
    return Finding("rendering", "warning" if choice.warnings else "ok", "; ".join([used, *choice.warnings]))
