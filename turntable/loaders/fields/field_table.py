"""The provider of fields that stand in a table: each knows why data lack it, and how it is made."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from numpy.typing import NDArray

from turntable.geometry import QuaternionSign
from turntable.loaders.fields.batch_field import (
    ComputedField,
    DataDescription,
    FieldProvider,
    FieldScope,
    SampledViews,
)


class TableField(Protocol):
    """A row of the table: a computed field, before it is known what the data have."""

    @property
    def name(self) -> str:
        """Name of the field."""
        ...

    @property
    def per(self) -> FieldScope:
        """Owner of its values."""
        ...

    @property
    def dtype(self) -> str:
        """Type as numpy names it."""
        ...

    @property
    def axes(self) -> tuple[int | str, ...]:
        """Size of each axis of a value; a name stands for a size that the data have (``get_sizes``)."""
        ...

    @property
    def compute(self) -> Callable[[DataDescription, SampledViews], NDArray[Any]]:
        """Function that computes the values."""
        ...

    def get_sizes(self, data: DataDescription) -> Mapping[str, int]:
        """Return the sizes of the named axes."""
        ...

    def find_fault(self, data: DataDescription) -> str | None:
        """Return a message that says why the data lack the field, and what to do; None if they have it."""
        ...


class TableProvider(FieldProvider):
    """The provider of the fields of a table.

    Args:
        table: The fields, in the order in which messages list them.
    """

    def __init__(self, table: Sequence[TableField]) -> None:
        self._table = tuple(table)

    def iter_fields(self, data: DataDescription, sign: QuaternionSign) -> Iterator[ComputedField]:
        """Iterate over the fields that the data have."""
        del sign
        for item in self._table:
            if item.find_fault(data) is None:
                sizes = item.get_sizes(data)
                shape = tuple(sizes[axis] if isinstance(axis, str) else axis for axis in item.axes)
                compute, is_shared = partial(item.compute, data), item.per == "sample"
                yield ComputedField(item.name, item.per, shape, item.dtype, compute, of_one_object=is_shared)

    def list_missing(self, data: DataDescription) -> Collection[str]:
        """List the fields that the data do not have."""
        return [item.name for item in self._table if item.find_fault(data) is not None]

    def explain_missing(self, names: Sequence[str], data: DataDescription) -> str:
        """Return a message that says of each field why the data lack it; those of one reason together."""
        faults = {item.name: item.find_fault(data) or "" for item in self._table}
        named: dict[str, list[str]] = {}
        for name in names:
            named.setdefault(faults[name], []).append(name)
        return "; ".join(f"no {' and no '.join(lacking)}: {fault}" for fault, lacking in named.items())

    def format_available(self, data: DataDescription) -> str:
        """Return the names of the fields that the data have, as text."""
        return ", ".join(item.name for item in self._table if item.find_fault(data) is None)
