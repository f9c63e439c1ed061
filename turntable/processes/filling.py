"""What a worker of the ring does: it fills its part of a slot, whichever slot it is told."""

from collections.abc import Callable, Mapping
from pkgutil import resolve_name
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from turntable.processes.serving import Work
from turntable.processes.slots import Layout, SharedSlots


class Filler(Protocol):
    """Fills parts of slots."""

    def fill(self, arrays: Mapping[str, NDArray[Any]], part: Any) -> Any:
        """Fill a part of a slot's arrays; what it returns, small and picklable, goes to the parent."""
        ...


class FillTask(NamedTuple):  # not a dataclass: a tuple is pickled in a fraction of the time
    """Fill one part of a slot."""

    serial: int
    """Of the job that it belongs to."""
    slot: int
    part: Any


class PartFilled(NamedTuple):
    """A part is filled."""

    serial: int
    report: Any
    """What the filler said of it."""


def open_filler(
    opener: str, arguments: Mapping[str, Any], layout: Layout, count: int, descriptor: int
) -> Work:
    """Return what fills slots in a worker.

    Args:
        opener: Makes the ``Filler``: "package.module:function". The parent need not import it.
        arguments: Of that function.
        layout: Of a slot.
        count: How many slots there are.
        descriptor: Of their memory.
    """
    slots = SharedSlots(layout, count, descriptor)
    arrays = [slots.arrays(slot)[1] for slot in range(count)]
    filler: Filler = resolve_name(opener)(**arguments)

    def fill(task: FillTask, _: Callable[[Any], None]) -> PartFilled:
        return PartFilled(task.serial, filler.fill(arrays[task.slot], task.part))

    return fill
