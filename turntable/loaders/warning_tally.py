"""The warnings about the meshes that renderers have loaded for a loader, logged without repetition."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from logging import getLogger

from turntable.datasets.objects import KindCount, WarningRecord, count_by_kind

_LOG = getLogger("turntable.loaders")


@dataclass(slots=True)
class WarningTally:
    """A collector of warnings about meshes. It logs the first of each kind, and at the end the sums."""

    _by_object: dict[str, tuple[WarningRecord, ...]] = field(default_factory=dict)
    """Warnings by object id."""
    _logged: tuple[KindCount, ...] = ()
    """Sums as they were logged last."""

    @property
    def by_object(self) -> Mapping[str, tuple[WarningRecord, ...]]:
        """Warnings by object id, in the order in which the objects were loaded."""
        return self._by_object

    def add(self, records: Iterable[WarningRecord]) -> None:
        """Add the warnings of objects, unless another renderer has reported them; log the first of a kind."""
        new: dict[str, list[WarningRecord]] = {}
        for record in records:
            if record.object not in self._by_object:
                new.setdefault(record.object, []).append(record)
        known = {count.kind for count in self._logged}
        for object_id, warnings in new.items():
            self._by_object[object_id] = tuple(warnings)
        for count in count_by_kind(record for warnings in new.values() for record in warnings):
            if count.kind not in known:
                _LOG.warning("%s: %s", count.kind, count.first)
                self._logged += (KindCount(count.kind, 1, 1, count.first),)

    def log_sums(self) -> None:
        """Log the sums by kind, unless they are as they were logged last."""
        sums = count_by_kind(record for warnings in self._by_object.values() for record in warnings)
        for count in sums:
            if count not in self._logged:
                _LOG.warning(
                    "%s: %d warnings of %d objects, the first: %s",
                    count.kind,
                    count.num_warnings,
                    count.num_objects,
                    count.first,
                )
        self._logged = sums
