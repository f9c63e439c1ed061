"""Progress of a run: counts, speed, and the time left."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RenderCounts:
    """Numbers of objects and views rendered, of one shard or of several."""

    num_objects: int = 0
    num_views: int = 0
    num_quarantined: int = 0
    in_progress: tuple[str, ...] = ()
    """Ids of the objects that are being drawn."""

    def __add__(self, other: "RenderCounts") -> "RenderCounts":
        return RenderCounts(
            self.num_objects + other.num_objects,
            self.num_views + other.num_views,
            self.num_quarantined + other.num_quarantined,
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run."""

    objects: int
    objects_total: int
    quarantined: int
    views: int
    """Number of views rendered by this run; those of resumed shards are not included."""
    seconds: float = 0.0
    """Time since this run began to render."""
    objects_here: int = 0
    """Number of objects finished by this run; those of resumed shards are not included."""

    @property
    def views_per_second(self) -> float:
        """Mean speed of this run; 0 at first."""
        return self.views / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Time left at the speed so far; None before the first object is finished."""
        if not self.objects_here:
            return None
        return (self.objects_total - self.objects) * self.seconds / self.objects_here


@dataclass(slots=True)
class ProgressMeter:
    """A meter that adds up the finished shards and those in progress."""

    num_objects: int
    """Number of objects of the run."""
    done: RenderCounts
    """Counts of the finished shards."""
    num_resumed: int = field(init=False)
    """Number of objects that were finished before this run began."""
    start_time: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.num_resumed = self.done.num_objects

    def measure(self, in_progress: Sequence[RenderCounts] = ()) -> Progress:
        """Return the progress at this moment, given the counts of the shards in progress."""
        total = sum(in_progress, self.done)
        return Progress(
            total.num_objects,
            self.num_objects,
            total.num_quarantined,
            total.num_views,
            time.monotonic() - self.start_time,
            total.num_objects - self.num_resumed,
        )
