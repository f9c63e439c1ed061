"""The settings of batches, whether their views are stored or rendered when they are wanted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import get_args

from turntable.errors import InvalidInputError
from turntable.geometry import QuaternionSign
from turntable.loaders.augmentation import Augmentation
from turntable.loaders.engines import BatchPlan, Last, Output, plan_faults, ranks
from turntable.loaders.sampling import Sampler

_LEAST = {"num_workers": 0, "image_size": 1, "max_corrupt_views": 0}
_MAY_BE_NONE = ("image_size", "rank", "world_size")
_WHOLE = ("batch_size", *_LEAST, "seed", "rank", "world_size")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchConfig:
    """Settings of the batches of ``Loader`` and ``OnlinePairs`` alike.

    Raises:
        InvalidInputError: Values cannot be right; the message has all of them.
    """

    split: str = "train"
    """The part of the data set: "train" or "val"."""
    sampler: Sampler | None = None
    """Which views make a sample: ``Pairs``, ``Tuples``, ``Singles``, ``Views``, ``Sequences`` or ``Fixed`` of
    a data set, ``Fresh`` of views that are rendered when they are wanted. None: pairs."""
    batch_size: int = 256
    """Samples in a batch of all ranks together; each rank gets an equal part of them."""
    fields: Sequence[str] | None = None
    """Names of labels, outputs (``depth``) and point clouds (``points``, ``object_points``) that a batch has
    besides its pictures, see docs/labels.md; None: rotations and factors."""
    seed: int = 0
    """Decides the order, the choice of views and the augmentation."""
    num_workers: int = 0
    """Processes that make batches; 0: this one. ``OnlinePairs`` has one renderer at least."""
    last: Last = "drop"
    """The fate of samples that fill no batch: "drop", "pad" or "short"."""
    rank: int | None = None
    """Number of this process among those that train together; None: as torch.distributed says, if it runs."""
    world_size: int | None = None
    """Number of those processes."""
    image_size: int | None = None
    """Side in pixels to resize to (bilinear, antialiased); None: as stored, or as the recipe says."""
    quaternion_sign: QuaternionSign = "product"
    """The sign of quaternions: "product" (as SIE) or "canonical" (w >= 0)."""
    augmentation: Augmentation | None = None
    """Its parameters are drawn for each view, as further fields; ``augment`` applies them."""
    pin_memory: bool = False
    """For faster copies to a GPU; without one it does nothing."""
    max_corrupt_views: int = 0
    """So many views may turn out unreadable; each is replaced by another view of its object, with that one's
    labels, counted and logged. One more ends the iteration. Of ``OnlinePairs``: so many objects."""
    output: Output = "torch"
    """"torch" for tensors, "numpy" for arrays."""

    def __post_init__(self) -> None:
        if isinstance(self.fields, Iterable) and not isinstance(self.fields, str):
            # What is frozen does not change with its list.
            object.__setattr__(self, "fields", tuple(self.fields))
        if faults := list(self._faults()):
            raise InvalidInputError("; ".join(faults))

    def plan(self) -> BatchPlan:
        """Divide batches among the ranks that are given, or else that torch.distributed knows.

        Raises:
            InvalidInputError: A batch cannot be divided among them.
        """
        return BatchPlan(self.batch_size, *ranks(self.rank, self.world_size), self.last)

    def _faults(self) -> Iterator[str]:
        wrong = [name for name in _WHOLE if not self._is_whole(name)]
        for name in wrong:
            yield f"{name} {getattr(self, name)!r}: must be a whole number"
        if not wrong:
            world_size = 1 if self.world_size is None else self.world_size
            yield from plan_faults(self.batch_size, self.rank or 0, world_size, self.last)
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if name not in wrong and value is not None and value < least:
                yield f"{name} {value}: must be at least {least}{' pixel' * (name == 'image_size')}"
        if (self.rank is None) != (self.world_size is None):
            yield "give rank and world_size together, or neither"
        yield from self._wrong_kinds()

    def _is_whole(self, name: str) -> bool:
        value = getattr(self, name)
        if value is None:
            return name in _MAY_BE_NONE
        return not isinstance(value, bool) and isinstance(value, Integral)

    def _wrong_kinds(self) -> Iterator[str]:
        is_one = callable(getattr(self.sampler, "samples", None)) and not isinstance(self.sampler, type)
        if self.sampler is not None and not is_one:
            yield f"sampler {self.sampler!r}: give a sampler, such as Pairs() or Views()"
        if self.fields is not None and type(self.fields) is not tuple:
            yield f"fields {self.fields!r}: give a list of names, such as ['{self.fields}']"
        elif self.fields is not None and {type(name) for name in self.fields} - {str}:
            yield f"fields {list(self.fields)!r}: each must be a name"
        if self.quaternion_sign not in get_args(QuaternionSign):
            yield f"quaternion sign {self.quaternion_sign!r} is unknown; use 'product' or 'canonical'"
        if type(self.augmentation) not in (Augmentation, type(None)):
            yield f"augmentation {self.augmentation!r}: give an Augmentation, such as Augmentation.simclr()"
        if self.output not in get_args(Output):
            yield f"output {self.output!r}: use 'torch' or 'numpy'"


def check_config(config: object) -> None:
    """Raise InvalidInputError where something else was given in place of a configuration."""
    if not isinstance(config, BatchConfig):
        raise InvalidInputError(
            f"{config!r} is no BatchConfig; give BatchConfig(split='train', batch_size=256, ...), the second"
            " argument of Loader and the third of OnlinePairs"
        )
