"""Examination of this machine: devices, drivers and optional extras, with a remedy for what is missing."""

import os
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import turntable
from turntable.errors import DeviceError, TurntableError
from turntable.extras import EXTRAS, Extra, is_installed
from turntable.installation import DISTRIBUTION, format_install_command

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
    """Yield a finding for each optional extra: the versions of its libraries, or which are missing."""
    distributions = metadata.packages_distributions()
    for extra in EXTRAS:
        missing = [library for library in extra.libraries if not is_installed(library)]
        if missing:
            yield Finding(f"extra {extra.name}", "missing", _format_remedy(extra, missing), is_required=False)
            continue
        versions = [_format_version(library, distributions) for library in extra.libraries]
        yield Finding(f"extra {extra.name}", "ok", ", ".join(versions))


def _format_remedy(extra: Extra, missing: Sequence[str]) -> str:
    command = format_install_command(extra.name)
    return f"to {extra.purpose}: {', '.join(missing)} not installed; run: {command}"


def _format_version(library: str, distributions: Mapping[str, list[str]]) -> str:
    """Return a library with its version, and of torch also the versions that turntable was tested with."""
    names = distributions.get(library, [library])
    try:
        version = metadata.version(names[0])
    except metadata.PackageNotFoundError:
        return f"{library} without a version"
    tested = f" (tested with {_find_torch_versions()})" if library == "torch" else ""
    return f"{library} {version}{tested}"


def _find_torch_versions() -> str:
    """Return the versions of torch that turntable allows, which are those it was tested with: ">=2.13,<3"."""
    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        lines = []
    bounds = next((found[1] for line in lines if (found := re.match(r"torch([<>=][^;]*)", line))), "")
    return ", ".join(sorted(bounds.strip().split(","), reverse=True)) or "those of pyproject.toml"


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
