"""Messages between a trainer and the renderers that draw its views on demand.

They are plain values that both sides can import: a trainer imports no renderer, and a renderer no loader.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.objects import WarningRecord
from turntable.datasets.recipes import Recipe

IntArray = NDArray[np.int64]

# Fields that renderers write into a batch of B samples of k views. An output besides the picture is a field
# of the output's name, [k, B, channels, S, S].
IMAGES = "images"
"""Field of the pictures, uint8 [k, B, S, S, 3]."""
LATENTS = "latents"
"""Field of the label columns, float32 [k, B, L]."""
VIEW_INDEX = "view_index"
"""Field of the view numbers, int64 [k, B]."""
OBJECT_INDEX = "object_index"
"""Field of the objects' rows, int64 [B]."""

_BLOCKS_PER_OBJECT = 1 << 24
"""Number of blocks of view numbers reserved for an object itself, and again for each object it may
replace."""


@dataclass(frozen=True, slots=True)
class ObjectQuery:
    """A query for the objects that can be rendered, answered by a process with access to the meshes."""

    recipe: Recipe
    mesh_folder: str | None
    """Folder of the meshes; None if they are generated."""
    split: str
    max_objects: int | None = None
    """Maximum number of objects of all splits together, taken in turn from every category; None for no
    limit."""
    object_ids: tuple[str, ...] | None = None
    """The only ids to include; None includes all."""
    split_files: tuple[str, ...] = ()
    """Paths of lists that divide the objects; none: the objects are divided at random by category."""
    backend: str = "auto"
    device: str = "auto"
    links_under: tuple[str, ...] = ()
    """Folders into which links in the folder of the meshes may lead, besides that folder."""


@dataclass(frozen=True, slots=True, eq=False)
class ObjectInventory:
    """The answer to an ``ObjectQuery``."""

    object_ids: tuple[str, ...]
    """Ids of the split's N objects, in the order in which a data set holds them."""
    category_indices: IntArray
    """Category index of each object, [N]."""
    categories: tuple[str, ...]
    """Names of the categories of all splits, in the order of their indices."""
    backend: str
    devices: tuple[int | None, ...]
    """Devices that renderers take in turn; None is the default device."""
    warnings: tuple[str, ...] = ()
    """Messages for the user on the meshes."""

    def get_category(self, row: int) -> str:
        """Return the category of the object in a row of the split."""
        return self.categories[int(self.category_indices[row])]


@dataclass(frozen=True, slots=True)
class RenderBlocks:
    """Blocks of view numbers. The views of one block that samples use are rendered together, in one visit.

    A block depends on the view numbers alone, not on which views are asked for or when. This matters because
    devices round a pixel differently depending on what they render beside it.
    """

    num_views: int
    """Number of views k of a sample."""
    stride: int
    """Distance between the first views of consecutive samples, at least k."""
    num_samples: int
    """Number of samples of a visit."""

    @property
    def size(self) -> int:
        """Number of view numbers in a block."""
        return self.stride * self.num_samples

    def get_block_start(self, view: int) -> int:
        """Return the first view number of a view's block."""
        return view - view % self.size

    def list_rendered_views(self, first: int) -> IntArray:
        """Return the views that are rendered of the block that starts at ``first``, [num_samples * k]."""
        starts = first + self.stride * np.arange(self.num_samples, dtype=np.int64)
        return (starts[:, None] + np.arange(self.num_views)).ravel()

    def compute_positions(self, numbers: IntArray) -> IntArray:
        """Compute the positions of views among the rendered views of their block."""
        # Within a block each stride begins with the k views of a sample; the rest of it is not rendered.
        sample, view = np.divmod(numbers % self.size, self.stride)
        return sample * self.num_views + view

    def compute_replacement_offset(self, row: int) -> int:
        """Compute the offset of the view numbers for an object that replaces one that cannot be rendered.

        No other use reaches these view numbers: neither the replacing object's own views, nor views in place
        of another object.

        Args:
            row: Row of the object that cannot be rendered.
        """
        return (1 + row) * _BLOCKS_PER_OBJECT * self.size


@dataclass(frozen=True, slots=True)
class RenderSetup:
    """The first message to a renderer."""

    query: ObjectQuery
    inventory: ObjectInventory
    blocks: RenderBlocks
    through_jpeg: bool = True
    """True to encode and decode pictures as JPEG, as those of a stored data set are."""
    max_load_seconds: float = 120.0
    """Maximum time to load an object's files. An object that takes longer cannot be used."""
    max_load_bytes: int = 8 * 2**30
    """Maximum memory to load an object's files. An object that needs more cannot be used."""


@dataclass(frozen=True, slots=True, eq=False)
class ViewRequest:
    """A request to render samples into rows of a batch."""

    rows: IntArray
    """Rows of the batch, [b]."""
    objects: IntArray
    """Rows of the objects in their split, [b]."""
    views: IntArray
    """View numbers, [b, k]."""
    renderer_index: int
    """Index of the renderer among all renderers of a run, which determines its device."""


@dataclass(frozen=True, slots=True)
class UnusableObject:
    """An object that cannot be rendered. Another replaced it in the batch, with the other's labels."""

    row: int
    """Row of the object in its split."""
    view: int
    """One of the views requested."""
    reason: str


@dataclass(frozen=True, slots=True)
class FillReport:
    """The answer to a ``ViewRequest``, whose samples are in the batch."""

    unusable: tuple[UnusableObject, ...]
    """Objects that cannot be rendered."""
    warnings: tuple[WarningRecord, ...] = ()
    """Warnings about the objects that were loaded for the request; each renderer sends those of an object
    once."""
