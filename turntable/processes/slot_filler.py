"""The work of a worker in a pool: filling its part of a slot of shared memory."""

from collections.abc import Callable, Mapping
from pkgutil import resolve_name
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from turntable.processes.shared_memory import Layout, SharedSlots
from turntable.processes.worker_main import TaskFunction


class SlotFiller(Protocol):
    """The interface of fillers, which fill parts of slots."""

    def fill(self, arrays: Mapping[str, NDArray[Any]], part: Any) -> Any:
        """Fill a part of a slot's arrays, and return a small picklable report for the parent process."""
        ...


class FillTask(NamedTuple):  # not a dataclass: tuples are pickled in a fraction of the time
    """A task for a worker: fill one part of a slot."""

    serial: int
    """Serial number of the job that the part belongs to."""
    slot: int
    part: Any


class PartResult(NamedTuple):
    """The result of a ``FillTask``."""

    serial: int
    """Serial number of the job that the part belongs to."""
    report: Any
    """Report of the filler."""


def make_fill_function(
    factory: str, arguments: Mapping[str, Any], layout: Layout, num_slots: int, descriptor: int
) -> TaskFunction:
    """Make the task function of a worker that fills slots.

    Args:
        factory: Function that makes the ``SlotFiller``: "package.module:function". Only the worker imports
            it.
        arguments: Arguments of that function by name.
        layout: Arrays of a slot by name.
        num_slots: Number of slots.
        descriptor: File descriptor of the slots' memory.
    """
    slots = SharedSlots(layout, num_slots, descriptor)
    arrays = [slots.get_arrays(slot)[1] for slot in range(num_slots)]
    filler: SlotFiller = resolve_name(factory)(**arguments)

    def fill(task: FillTask, _: Callable[[Any], None]) -> PartResult:
        return PartResult(task.serial, filler.fill(arrays[task.slot], task.part))

    return fill
