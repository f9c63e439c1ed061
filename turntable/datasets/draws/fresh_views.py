"""Views that are rendered when they are wanted: what a trainer and the renderers beside it say to each other.

Plain values that either side can import: a trainer knows no renderer, and a renderer knows no loader.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.recipes import Recipe

IntArray = NDArray[np.int64]

# What renderers write into a batch of B samples of k views. Other outputs, [k, B, channels, S, S], have their
# own names.
IMAGES = "images"
"""Pictures, uint8 [k, B, S, S, 3]."""
LATENTS = "latents"
"""Label columns, float32 [k, B, L]."""
VIEW_INDEX = "view_index"
"""The views' numbers, int64 [k, B]."""
OBJECT_INDEX = "object_index"
"""The objects' rows, int64 [B]."""

_BLOCKS_EACH = 1 << 24
"""So many visits an object has to itself, and as many for each object whose place it may have to take."""


@dataclass(frozen=True, slots=True)
class ObjectQuery:
    """Which objects there are to draw, and what draws them: to be answered by one who can see the meshes."""

    recipe: Recipe
    meshes: str | None
    """The folder of the meshes; None where they are made."""
    split: str
    count: int | None = None
    """At most so many objects, of all splits together, taken in turn from every category."""
    only: tuple[str, ...] | None = None
    """Of these none but those with such ids."""
    split_files: tuple[str, ...] = ()
    """Lists that divide the objects in place of our own rule."""
    backend: str = "auto"
    device: str = "auto"


@dataclass(frozen=True, slots=True, eq=False)
class Inventory:
    """The answer."""

    ids: tuple[str, ...]
    """Of the split's N objects, in the order in which a data set holds them."""
    classes: IntArray
    """[N] class numbers."""
    categories: tuple[str, ...]
    """Names of the classes of all splits, by class number."""
    backend: str
    devices: tuple[int | None, ...]
    """Renderers take them in turn."""
    warnings: tuple[str, ...] = ()
    """What the user should know of them."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Which views of an object are drawn at once: those of one visit, in a block of numbers.

    It depends on their numbers alone, and not on who wants which of them when: drawn beside others, a pixel
    may come out a bit different, since devices round.
    """

    views: int
    """k, of a sample."""
    step: int
    """From a sample's first view to the next sample's, at least k."""
    samples: int
    """Of a visit."""

    @property
    def size(self) -> int:
        """Numbers of a block."""
        return self.step * self.samples

    def first(self, view: int) -> int:
        """Where the block of a view begins."""
        return view - view % self.size

    def numbers(self, first: int) -> IntArray:
        """[samples * k] the views that are drawn of a block."""
        starts = first + self.step * np.arange(self.samples, dtype=np.int64)
        return (starts[:, None] + np.arange(self.views)).ravel()

    def places(self, numbers: IntArray) -> IntArray:
        """Where views stand among those that are drawn of their block."""
        sample, view = np.divmod(numbers % self.size, self.step)
        return sample * self.views + view

    def in_place_of(self, row: int) -> int:
        """What is added to view numbers of an object that cannot be drawn, for the one that takes its place.

        Numbers that are reached in no other way: neither by that object itself, nor in place of another.

        Args:
            row: of the object that cannot be drawn.
        """
        return (1 + row) * _BLOCKS_EACH * self.size


@dataclass(frozen=True, slots=True)
class RenderSetup:
    """What a renderer is told first."""

    query: ObjectQuery
    inventory: Inventory
    blocks: Blocks
    through_jpeg: bool = True
    """Whether pictures are encoded and decoded as those of a data set are."""
    load_seconds: float = 120.0
    """An object whose files take longer to load cannot be used."""
    load_bytes: int = 8 * 2**30
    """Nor one that takes more memory to load."""


@dataclass(frozen=True, slots=True, eq=False)
class ViewRequest:
    """Samples to be drawn into rows of a batch."""

    rows: IntArray
    """[b] of the batch."""
    objects: IntArray
    """[b] rows of objects in their split."""
    views: IntArray
    """[b, k]."""
    renderer: int
    """Its number among all renderers of a run, by which it takes its device."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """An object that cannot be drawn; another took its place in the batch, with its own labels."""

    object: int
    """Its row in the split."""
    view: int
    """One that was wanted."""
    reason: str
