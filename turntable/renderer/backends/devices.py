"""The notation of EGL devices: ``auto``, ``software``, ``egl:1``, ``cuda:0,cuda:1``."""

from collections.abc import Sequence

from turntable.errors import DeviceError, InvalidInputError
from turntable.renderer.backends.egl import EGLDevice

AUTO, SOFTWARE = "auto", "software"
PREFIXES = ("egl", "cuda")

DeviceGroup = tuple[EGLDevice, ...]
"""Devices that are used together."""


def resolve_device_groups(
    text: str, devices: Sequence[EGLDevice], cuda_visible: str | None
) -> list[DeviceGroup]:
    """Return the groups of devices that fit a text, the best first. A group's devices are used together.

    Args:
        text: Text of ``--device``.
        devices: Devices that exist.
        cuda_visible: Value of ``CUDA_VISIBLE_DEVICES``, by which schedulers assign GPUs; EGL ignores it.

    Raises:
        InvalidInputError: The text is not in the notation.
        DeviceError: A device that it names does not exist.
    """
    software = tuple(device for device in devices if device.software)
    if text == AUTO:
        cards = tuple(device for device in devices if not device.software and device.cuda is None)
        return [group for group in (_select_visible(devices, cuda_visible), cards, software) if group]
    if text == SOFTWARE:
        if not software:
            raise DeviceError(f"EGL has no device that draws in software; {_format_devices(devices)}")
        return [software]
    # A device that is named twice is used once.
    return [
        tuple(dict.fromkeys(_resolve_device(item.strip(), devices, cuda_visible) for item in text.split(",")))
    ]


def _resolve_device(item: str, devices: Sequence[EGLDevice], cuda_visible: str | None) -> EGLDevice:
    kind, _, digits = item.partition(":")
    if kind not in PREFIXES or not digits.isdecimal():
        raise InvalidInputError(
            f"no device is called {item!r}; give auto, software, egl:N or cuda:N, or several of the last two "
            "with commas between them; `turntable doctor` lists the devices"
        )
    number = int(digits)
    if kind == "egl":
        matches = [device for device in devices if device.index == number]
    else:
        ordinal = _resolve_ordinal(number, cuda_visible)
        matches = [device for device in devices if device.cuda == ordinal]
    if not matches:
        raise DeviceError(f"there is no device {item}; {_format_devices(devices)}")
    return matches[0]


def _format_devices(devices: Sequence[EGLDevice]) -> str:
    return f"EGL has {'; '.join(map(str, devices)) or 'none'} (`turntable doctor` says more)"


def _select_visible(devices: Sequence[EGLDevice], cuda_visible: str | None) -> DeviceGroup:
    """Return the NVIDIA devices that are assigned to this process."""
    cards = tuple(device for device in devices if device.cuda is not None)
    if cuda_visible is None:
        return cards
    ordinals = _parse_ordinals(cuda_visible)
    if ordinals is not None:
        return tuple(device for device in cards if device.cuda in ordinals)
    if len(cards) > 1:
        raise DeviceError(
            f"CUDA_VISIBLE_DEVICES={cuda_visible} names devices by UUID, which EGL does not know, and there "
            f"are {len(cards)} NVIDIA devices; choose one, as in --device egl:{cards[0].index}"
        )
    return cards


def _resolve_ordinal(number: int, cuda_visible: str | None) -> int:
    """Return CUDA's own number of the device that this process calls ``cuda:{number}``."""
    if cuda_visible is None:
        return number
    ordinals = _parse_ordinals(cuda_visible)
    if ordinals is None:
        raise DeviceError(
            f"CUDA_VISIBLE_DEVICES={cuda_visible} names devices by UUID, which EGL does not know; "
            "give egl:N instead of cuda:N"
        )
    if number >= len(ordinals):
        raise DeviceError(
            f"there is no device cuda:{number}: CUDA_VISIBLE_DEVICES={cuda_visible} shows {len(ordinals)}"
        )
    return ordinals[number]


def _parse_ordinals(cuda_visible: str) -> list[int] | None:
    """Parse ``CUDA_VISIBLE_DEVICES`` as CUDA does, up to the first invalid number; None if it has UUIDs."""
    ordinals: list[int] = []
    for word in filter(None, (word.strip() for word in cuda_visible.split(","))):
        if word.startswith(("GPU-", "MIG-")):
            return None
        if not word.isdecimal():
            break
        ordinals.append(int(word))
    return ordinals
