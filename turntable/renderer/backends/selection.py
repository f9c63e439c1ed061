"""Selection of the backend and its devices on this machine, from what the user asked for.

``auto`` means OpenGL on every GPU that is assigned to this process, else OpenGL in software, else Embree's
rays. Devices are tried here once, before any worker starts; each worker then opens its own.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from turntable.errors import DeviceError, InvalidInputError, MissingExtraError
from turntable.renderer.backends.devices import AUTO, DeviceGroup, resolve_device_groups
from turntable.renderer.backends.egl import list_devices
from turntable.renderer.backends.protocol import Backend
from turntable.renderer.backends.registry import (
    check_backend_name,
    open_backend,
    probe_device,
    resolve_user_backend,
)
from turntable.user_code import is_reference

NVIDIA_NODE = Path("/dev/nvidiactl")
"""Device node that exists if the NVIDIA driver is loaded."""


class BackendOpener(Protocol):
    """A selection of backend and devices that each worker opens; cheap to send to the worker's process."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Texts that the user should know."""
        ...

    def open(self, worker: int = 0) -> Backend:
        """Open the backend in this process for a worker, by its number."""
        ...


@dataclass(frozen=True, slots=True)
class BackendSelection:
    """A backend and the devices it uses on this machine."""

    backend: str
    devices: tuple[int | None, ...]
    """Indices among EGL's devices, which workers take in turn; None if the backend has no choice."""
    warnings: tuple[str, ...] = ()
    """Texts that the user should know."""

    def get_device(self, worker: int) -> int | None:
        """Return the device of a worker, by its number."""
        return self.devices[worker % len(self.devices)]

    def open(self, worker: int = 0) -> Backend:
        """Open the backend in this process for a worker, by its number."""
        return open_backend(self.backend, self.get_device(worker))


def select_backend(backend: str = AUTO, device: str = AUTO) -> BackendSelection:
    """Select the backend and the devices that render on this machine.

    Args:
        backend: ``auto``, or a name or reference as in :func:`open_backend`; the code of a reference is
            loaded now.
        device: ``auto``, ``software``, ``egl:N``, ``cuda:N``, or several of the last two with commas between
            them.

    Raises:
        InvalidInputError: A name is unknown.
        MissingExtraError: A package that the backend needs is not installed.
        DeviceError: The backend finds no device, or not the one that was asked for.
    """
    if is_reference(backend):
        return _select_user_backend(backend, device)
    check_backend_name(backend, AUTO)
    if backend == "embree":
        if device != AUTO:
            raise InvalidInputError(f"--device {device}: embree runs on the CPU; leave --device out")
        return BackendSelection(backend, (None,))
    if backend == "pyrender":
        return _select_devices(backend, device)
    if backend == "moderngl" or device != AUTO:
        return _select_devices("moderngl", device)
    try:
        return _select_devices("moderngl", device)
    except (DeviceError, MissingExtraError) as error:
        warning = f"embree renders on the CPU, several times slower than OpenGL in software, since: {error}"
        return BackendSelection("embree", (None,), (warning,))


def _select_user_backend(backend: str, device: str) -> BackendSelection:
    if device != AUTO:
        raise InvalidInputError(
            f"--device {device}: a backend of your own chooses its device itself; leave --device out"
        )
    return BackendSelection(resolve_user_backend(backend).reference, (None,))


def _select_devices(backend: str, device: str) -> BackendSelection:
    """Select the first group of devices of which any can be opened.

    Raises:
        DeviceError: None can be opened.
    """
    if sys.platform != "linux":  # no EGL: OpenGL has one device, and its own errors if that is missing
        probe_device(backend)
        return BackendSelection(backend, (None,))
    failures: list[str] = []
    for group in resolve_device_groups(device, list_devices(), os.environ.get("CUDA_VISIBLE_DEVICES")):
        indices, software = _find_usable(backend, group, failures)
        if indices:
            return BackendSelection(
                backend, indices, (*failures, *(_list_software_warnings() if software else ()))
            )
    raise DeviceError("; ".join(failures) or "EGL has no device; `turntable doctor` says what is missing")


def _find_usable(backend: str, group: DeviceGroup, failures: list[str]) -> tuple[tuple[int, ...], bool]:
    """Return the devices that can be opened, and True if any of them renders in software.

    The errors of the others are appended to ``failures``.
    """
    indices: list[int] = []
    software = False
    for device in group:
        try:
            software = probe_device(backend, device.index).software or software
            indices.append(device.index)
        except DeviceError as error:
            failures.append(f"{device} cannot be used: {error}")
    return tuple(indices), software


def _list_software_warnings() -> tuple[str, ...]:
    warning = "OpenGL renders IN SOFTWARE: correctly, but tens of times slower than on a GPU"
    if NVIDIA_NODE.exists():
        return (f"{warning}; there is an NVIDIA GPU without a driver for OpenGL: see `turntable doctor`",)
    return (warning,)


@dataclass(frozen=True, slots=True)
class DeferredBackendSelection:
    """A selection that is made where the backend is opened: on a machine whose devices are not known here."""

    backend: str = AUTO
    device: str = AUTO
    warnings: tuple[str, ...] = ()

    def open(self, worker: int = 0) -> Backend:
        """Select the backend and devices of this machine, and open them for a worker, by its number."""
        return select_backend(self.backend, self.device).open(worker)
