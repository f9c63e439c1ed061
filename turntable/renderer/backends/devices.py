"""Which of EGL's devices a user means: ``auto``, ``software``, ``egl:1``, ``cuda:0,cuda:1``."""

from collections.abc import Sequence

from turntable.errors import DeviceError, InvalidInputError
from turntable.renderer.backends.egl import EGLDevice

AUTO, SOFTWARE = "auto", "software"
KINDS = ("egl", "cuda")

DeviceGroup = tuple[EGLDevice, ...]
"""Devices that are used together."""


def wanted(text: str, devices: Sequence[EGLDevice], cuda_visible: str | None) -> list[DeviceGroup]:
    """Groups of devices that would do, the best first; all of one group are to be used together.

    Args:
        text: What the user said.
        devices: Those there are.
        cuda_visible: ``CUDA_VISIBLE_DEVICES``, by which schedulers give out GPUs; EGL itself ignores it.

    Raises:
        InvalidInputError: The text means nothing.
        DeviceError: A device that it names is not there.
    """
    software = tuple(device for device in devices if device.software)
    if text == AUTO:
        cards = tuple(device for device in devices if not device.software and device.cuda is None)
        return [group for group in (_visible(devices, cuda_visible), cards, software) if group]
    if text == SOFTWARE:
        if not software:
            raise DeviceError(f"EGL has no device that draws in software; {_there_are(devices)}")
        return [software]
    # Named twice is meant once.
    return [tuple(dict.fromkeys(_named(item.strip(), devices, cuda_visible) for item in text.split(",")))]


def _named(item: str, devices: Sequence[EGLDevice], cuda_visible: str | None) -> EGLDevice:
    kind, _, digits = item.partition(":")
    if kind not in KINDS or not digits.isdecimal():
        raise InvalidInputError(
            f"no device is called {item!r}; give auto, software, egl:N or cuda:N, or several of these "
            "with commas between them; `turntable doctor` lists the devices"
        )
    number = int(digits)
    if kind == "egl":
        found = [device for device in devices if device.index == number]
    else:
        ordinal = _ordinal(number, cuda_visible)
        found = [device for device in devices if device.cuda == ordinal]
    if not found:
        raise DeviceError(f"there is no device {item}; {_there_are(devices)}")
    return found[0]


def _there_are(devices: Sequence[EGLDevice]) -> str:
    return f"EGL has {'; '.join(map(str, devices)) or 'none'} (`turntable doctor` says more)"


def _visible(devices: Sequence[EGLDevice], cuda_visible: str | None) -> DeviceGroup:
    """The NVIDIA devices that are given to this process."""
    cards = tuple(device for device in devices if device.cuda is not None)
    if cuda_visible is None:
        return cards
    ordinals = _ordinals(cuda_visible)
    if ordinals is not None:
        return tuple(device for device in cards if device.cuda in ordinals)
    if len(cards) > 1:
        raise DeviceError(
            f"CUDA_VISIBLE_DEVICES={cuda_visible} names devices by UUID, which EGL does not know, and there "
            f"are {len(cards)}; say which one is meant, as in --device egl:{cards[0].index}"
        )
    return cards


def _ordinal(number: int, cuda_visible: str | None) -> int:
    """CUDA's own number of the device that this process calls ``cuda:{number}``."""
    if cuda_visible is None:
        return number
    ordinals = _ordinals(cuda_visible)
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


def _ordinals(cuda_visible: str) -> list[int] | None:
    """The numbers in ``CUDA_VISIBLE_DEVICES``, up to the first invalid one as CUDA has it; None for UUIDs."""
    ordinals: list[int] = []
    for word in filter(None, (word.strip() for word in cuda_visible.split(","))):
        if word.startswith(("GPU-", "MIG-")):
            return None
        if not word.isdecimal():
            break
        ordinals.append(int(word))
    return ordinals
