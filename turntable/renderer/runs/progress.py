"""How far a run is, how fast it goes, and how long it will take."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Counts:
    """What has been made of a shard, or of several."""

    objects: int = 0
    views: int = 0
    quarantined: int = 0
    in_hand: tuple[str, ...] = ()
    """Ids of the objects that are being drawn."""

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.objects + other.objects, self.views + other.views, self.quarantined + other.quarantined
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    objects: int
    objects_total: int
    quarantined: int
    views: int
    """Rendered by this run; those of resumed shards are not in it."""
    seconds: float = 0.0
    """Since this run began to render."""
    objects_here: int = 0
    """Of them by this run."""

    @property
    def views_per_second(self) -> float:
        """On the average of this run; 0 at first."""
        return self.views / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None while nothing is known."""
        if not self.objects_here:
            return None
        return (self.objects_total - self.objects) * self.seconds / self.objects_here


@dataclass(slots=True)
class Meter:
    """Adds up what is done and what is in work."""

    total: int
    done: Counts
    resumed: int = field(init=False)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.resumed = self.done.objects

    def read(self, in_work: Sequence[Counts] = ()) -> Progress:
        """How far the run is now."""
        now = sum(in_work, self.done)
        return Progress(
            now.objects,
            self.total,
            now.quarantined,
            now.views,
            time.monotonic() - self.began,
            now.objects - self.resumed,
        )
