"""Settings of batches, common to the loaders of stored and of rendered views."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from turntable.datasets import Selection
from turntable.errors import InvalidInputError
from turntable.geometry import QuaternionSign
from turntable.loaders.argument_checks import is_flag, is_integer, is_number, is_text
from turntable.loaders.clouds import CloudOptions
from turntable.loaders.draws import Augmentation, CropRule, SampleDraws
from turntable.loaders.engines import BatchPlan, LastBatch, Output, iter_plan_faults, resolve_ranks
from turntable.loaders.fields import NOISY_TRACKS
from turntable.loaders.graph_options import GraphOptions
from turntable.loaders.sampling import Sampler

_MIN_VALUES = {"num_workers": 0, "image_size": 1, "max_corrupt_views": 0}
_OPTIONAL_FIELDS = ("image_size", "rank", "world_size")
_INTEGER_FIELDS = ("batch_size", *_MIN_VALUES, "seed", "rank", "world_size")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchConfig:
    """Settings of the batches of ``Loader`` and ``OnlineLoader``.

    Raises:
        InvalidInputError: One or more values are wrong; the message lists all of them.
    """

    split: str = "train"
    """Split of the data set: "train" or "val"."""
    sampler: Sampler | None = None
    """Rule that picks the views of a sample: ``Pairs``, ``Tuples``, ``Singles``, ``Views``, ``Sequences``,
    ``Quads``, ``Edges`` or ``Fixed`` for a data set, ``Fresh`` for ``OnlineLoader``. None: pairs."""
    batch_size: int = 256
    """Number of samples in a batch of all ranks together; each rank gets an equal part of them."""
    fields: Sequence[str] | None = None
    """Names of labels, outputs (``depth``), point clouds (``points``, ``object_points``) and ``tracks`` that
    a batch has besides its images, see docs/labels.md; None: rotations and factors."""
    seed: int = 0
    """Seed of the order, the choice of views and the augmentation."""
    num_workers: int = 0
    """Number of processes that make batches; 0: this process makes them. ``OnlineLoader`` starts at least one
    renderer."""
    last_batch: LastBatch = "drop"
    """Treatment of the samples that do not fill a batch at the end of an epoch: "drop", "pad" or "short"."""
    rank: int | None = None
    """Rank of this process; None: taken from torch.distributed if it is initialized, otherwise 0."""
    world_size: int | None = None
    """Number of ranks; None: taken from torch.distributed if it is initialized, otherwise 1."""
    image_size: int | None = None
    """Side in pixels that images are resized to (bilinear, antialiased); None: as stored, or as the recipe
    says."""
    selection: Selection = Selection()
    """Part of the split that samples are drawn from: some views, environments or a few objects of each
    category. ``OnlineLoader`` takes the whole split."""
    positions_noise: float = 0.0
    """Standard deviation of the noise of the field ``noisy_tracks``, in the unit of ``tracks``; it is normal,
    seeded by ``seed``, and the same in every epoch. 0: there is no such field."""
    quaternion_sign: QuaternionSign = "product"
    """Sign of quaternions: "product" (as SIE) or "canonical" (w >= 0)."""
    augmentation: Augmentation | None = None
    """Augmentation whose parameters are drawn for each view and added to the batch; ``augment`` applies them
    to the images."""
    crops: Sequence[CropRule] = ()
    """Rules of crops of the views, ``RandomCrops`` or ``GridCrops``: rule i gives the fields ``crops_i``
    (images at a size of their own), ``crops_i_box``, and parameters of the augmentation for each crop."""
    pictures: bool = True
    """False to leave out the images, which then are not read: for methods that learn from clouds alone.
    ``OnlineLoader`` has images always."""
    clouds: CloudOptions = CloudOptions()
    """Settings of point clouds: how many points they have, which ones, and faults."""
    graphs: GraphOptions = GraphOptions()
    """Settings of graphs: the number of neighbors of points, and the order of vertices."""
    pin_memory: bool = False
    """True to lock the memory of batches, for faster copies to a GPU; without a GPU it has no effect."""
    max_corrupt_views: int = 0
    """Number of unreadable views that are tolerated. Each is replaced by another view of its object, with the
    labels of that view, counted and logged. One more ends the iteration. ``OnlineLoader`` counts unusable
    objects instead."""
    output: Output = "torch"
    """Type of the values of a batch: "torch" for tensors, "numpy" for arrays."""

    def __post_init__(self) -> None:
        if isinstance(self.fields, Iterable) and not isinstance(self.fields, str):
            # A copy: a list could still be changed by the caller, and this class is frozen.
            object.__setattr__(self, "fields", tuple(self.fields))
        if isinstance(self.crops, list):
            object.__setattr__(self, "crops", tuple(self.crops))
        if faults := list(self._iter_faults()):
            raise InvalidInputError("; ".join(faults))
        for name in _INTEGER_FIELDS:
            if getattr(self, name) is not None:  # plain numbers, since states of loaders have the seed
                object.__setattr__(self, name, int(getattr(self, name)))

    def make_plan(self) -> BatchPlan:
        """Return the plan that divides batches among ranks.

        Raises:
            InvalidInputError: The ranks cannot share a batch evenly.
        """
        return BatchPlan(self.batch_size, *resolve_ranks(self.rank, self.world_size), self.last_batch)

    def make_draws(self, view_size_px: int, num_views: int) -> SampleDraws:
        """Return the fields that are drawn for each sample.

        Args:
            view_size_px: Side of the images in pixels that crops are cut from.
            num_views: Number of views k of a sample.

        Raises:
            InvalidInputError: Crops are of a view that samples do not have.
        """
        for number, rule in enumerate(self.crops):
            if rule.view > num_views:
                raise InvalidInputError(
                    f"crops[{number}] are of view {rule.view}, and a sample has {num_views}; give a smaller"
                    " number, or a sampler of more views, such as Pairs()"
                )
        return SampleDraws(self.seed, self.augmentation, tuple(self.crops), view_size_px)

    def _iter_faults(self) -> Iterator[str]:
        """Yield a message for each wrong value."""
        wrong = [name for name in _INTEGER_FIELDS if not self._is_integer(name)]
        for name in wrong:
            yield f"{name} {getattr(self, name)!r}: must be a whole number"
        if not wrong:
            world_size = 1 if self.world_size is None else self.world_size
            yield from iter_plan_faults(self.batch_size, self.rank or 0, world_size, self.last_batch)
        for name, minimum in _MIN_VALUES.items():
            value = getattr(self, name)
            if name not in wrong and value is not None and value < minimum:
                yield f"{name} {value}: must be at least {minimum}{' pixel' * (name == 'image_size')}"
        if (self.rank is None) != (self.world_size is None):
            yield "give rank and world_size together, or neither"
        yield from self._iter_type_faults()

    def _is_integer(self, name: str) -> bool:
        value = getattr(self, name)
        if value is None:
            return name in _OPTIONAL_FIELDS
        return is_integer(value)

    def _iter_noise_faults(self) -> Iterator[str]:
        if not (is_number(self.positions_noise) and 0 <= self.positions_noise < math.inf):
            yield f"positions_noise {self.positions_noise!r}: must be a number from 0"
        elif self.positions_noise and NOISY_TRACKS not in (self.fields or ()):
            yield f"positions_noise is that of the field {NOISY_TRACKS}; name it in fields, or leave it out"

    def _iter_type_faults(self) -> Iterator[str]:
        if not is_text(self.split):
            yield f"split {self.split!r}: give its name, such as 'train'"
        for name in ("pin_memory", "pictures"):
            if not is_flag(getattr(self, name)):
                yield f"{name} {getattr(self, name)!r}: must be True or False"
        # A class has the method too: Pairs in place of Pairs() is a mistake that is easily made.
        is_sampler = callable(getattr(self.sampler, "draw_samples", None)) and not isinstance(
            self.sampler, type
        )
        if self.sampler is not None and not is_sampler:
            yield f"sampler {self.sampler!r}: give a sampler, such as Pairs() or Views()"
        if self.fields is not None and type(self.fields) is not tuple:
            yield f"fields {self.fields!r}: give a list of names, such as ['{self.fields}']"
        elif self.fields is not None and {type(name) for name in self.fields} - {str}:
            yield f"fields {list(self.fields)!r}: each must be a name"
        yield from self._iter_noise_faults()
        if type(self.selection) is not Selection:
            yield f"selection {self.selection!r}: give a Selection, such as Selection(views='even')"
        if self.quaternion_sign not in get_args(QuaternionSign):
            yield f"quaternion sign {self.quaternion_sign!r} is unknown; use 'product' or 'canonical'"
        if type(self.augmentation) not in (Augmentation, type(None)):
            yield f"augmentation {self.augmentation!r}: give an Augmentation, such as Augmentation.simclr()"
        if type(self.crops) is not tuple:
            yield f"crops {self.crops!r}: give a list of rules, such as [RandomCrops(2)]"
        elif wrong := [rule for rule in self.crops if not callable(getattr(rule, "draw_shares", None))]:
            yield f"crops {wrong!r}: each must be a rule, such as RandomCrops(2) or GridCrops(5)"
        if type(self.clouds) is not CloudOptions:
            yield f"clouds {self.clouds!r}: give CloudOptions, such as CloudOptions(num_points=1024)"
        if type(self.graphs) is not GraphOptions:
            yield f"graphs {self.graphs!r}: give GraphOptions, such as GraphOptions(permute=True)"
        if self.output not in get_args(Output):
            yield f"output {self.output!r}: use 'torch' or 'numpy'"


def check_config(config: object) -> None:
    """Check that a value is a ``BatchConfig``.

    Raises:
        InvalidInputError: It is something else.
    """
    if not isinstance(config, BatchConfig):
        raise InvalidInputError(
            f"{config!r} is not a BatchConfig; give BatchConfig(split='train', batch_size=256, ...) as the"
            " second argument of Loader or the third of OnlineLoader"
        )
