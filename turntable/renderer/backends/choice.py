"""Which backend draws and on which devices: what the user said, made out on this machine.

``auto`` means OpenGL on every GPU that is given to this process, else OpenGL in software, else Embree's rays.
Devices are tried here, once and before any worker starts: each worker then opens its own.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from turntable.errors import DeviceError, InvalidInputError, MissingExtraError
from turntable.own_code import is_reference
from turntable.renderer.backends.devices import AUTO, DeviceGroup, wanted
from turntable.renderer.backends.egl import list_devices
from turntable.renderer.backends.opening import find_device, known, open_backend, own_backend
from turntable.renderer.backends.protocol import Backend

NVIDIA_NODE = Path("/dev/nvidiactl")


class BackendOpener(Protocol):
    """A choice of backend and devices that each worker opens; cheap to send to the worker's process."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of it."""
        ...

    def open(self, worker: int = 0) -> Backend:
        """The backend, opened in this process for a worker."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to draw."""

    backend: str
    devices: tuple[int | None, ...]
    """Indices among EGL's; workers take them in turn. None where a backend has no choice."""
    warnings: tuple[str, ...] = ()
    """What the user should know of it."""

    def device(self, worker: int) -> int | None:
        """The device of a worker, by its number."""
        return self.devices[worker % len(self.devices)]

    def open(self, worker: int = 0) -> Backend:
        """The backend, opened in this process for a worker."""
        return open_backend(self.backend, self.device(worker))


def choose(backend: str = AUTO, device: str = AUTO) -> Choice:
    """What draws on this machine.

    Args:
        backend: ``auto``, or a name or a reference that ``open_backend`` takes; the code of a reference is
            run now.
        device: ``auto``, ``software``, ``egl:N``, ``cuda:N``, or several with commas between them.

    Raises:
        InvalidInputError: A name means nothing.
        MissingExtraError: What the backend needs is not installed.
        DeviceError: It finds no device, or not the one that was asked for.
    """
    if is_reference(backend):
        return _own_choice(backend, device)
    known(backend, AUTO)
    if backend == "embree":
        if device != AUTO:
            raise InvalidInputError(f"--device {device}: embree runs on the processor; leave --device out")
        return Choice(backend, (None,))
    if backend == "pyrender":
        return _on_devices(backend, device)
    if backend == "moderngl" or device != AUTO:
        return _on_devices("moderngl", device)
    try:
        return _on_devices("moderngl", device)
    except (DeviceError, MissingExtraError) as error:
        note = f"rays on the processor draw, several times slower than OpenGL in software, since: {error}"
        return Choice("embree", (None,), (note,))


def _own_choice(backend: str, device: str) -> Choice:
    if device != AUTO:
        raise InvalidInputError(
            f"--device {device}: a backend of your own chooses what it draws on; leave --device out"
        )
    return Choice(own_backend(backend).reference, (None,))


def _on_devices(backend: str, device: str) -> Choice:
    """The first group of devices of which any can be opened."""
    if sys.platform != "linux":  # no EGL: OpenGL has one device, and says itself what it lacks
        find_device(backend)
        return Choice(backend, (None,))
    failures: list[str] = []
    for group in wanted(device, list_devices(), os.environ.get("CUDA_VISIBLE_DEVICES")):
        indices, software = _usable(backend, group, failures)
        if indices:
            return Choice(backend, indices, (*failures, *(_of_software() if software else ())))
    raise DeviceError("; ".join(failures) or "EGL has no device; `turntable doctor` says what is missing")


def _usable(backend: str, group: DeviceGroup, failures: list[str]) -> tuple[tuple[int, ...], bool]:
    """Those that can be opened, and whether any of them draws in software; the others' reasons are kept."""
    indices: list[int] = []
    software = False
    for device in group:
        try:
            software = find_device(backend, device.index).software or software
            indices.append(device.index)
        except DeviceError as error:
            failures.append(f"{device} cannot be used: {error}")
    return tuple(indices), software


def _of_software() -> tuple[str, ...]:
    slow = "OpenGL draws IN SOFTWARE: right, but tens of times slower than on a GPU"
    if NVIDIA_NODE.exists():
        return (f"{slow}; there is an NVIDIA GPU without a driver for OpenGL: see `turntable doctor`",)
    return (slow,)


@dataclass(frozen=True, slots=True)
class ChosenThere:
    """A backend that is chosen where it is opened: on a machine of which this one knows nothing."""

    backend: str = AUTO
    device: str = AUTO
    warnings: tuple[str, ...] = ()

    def open(self, worker: int = 0) -> Backend:
        """The best there is there."""
        return choose(self.backend, self.device).open(worker)
