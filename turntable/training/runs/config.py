"""Everything that decides a training run, as one frozen value that survives JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self, TypeGuard, cast

from turntable.choices import Amp, Schedule
from turntable.errors import InvalidInputError, said, shown
from turntable.geometry import QuaternionSign
from turntable.loaders import Augmentation
from turntable.models import (
    BACKBONES,
    Bounds,
    MethodConfig,
    MethodEntry,
    method_config,
    method_entry,
    value_faults,
)

OptimizerName = Literal["adam", "adamw", "sgd"]

_BOUNDS: Mapping[str, Bounds] = {
    "epochs": Bounds(1, 10**6),
    "batch_size": Bounds(2, 2**24),  # a variance needs two rows
    "accumulate": Bounds(1, 2**20),
    "pairs_per_object": Bounds(1, 2**20),
    "learning_rate": Bounds(0, 1e9),
    "weight_decay": Bounds(0, 1e9),
    "warmup_epochs": Bounds(0, 10**6),
    "warmup_start": Bounds(0, 1e9),
    "clip_norm": Bounds(most=1e9),
    "image_size": Bounds(1, 2**13),
    "seed": Bounds(0, 2**63 - 1),
    "num_workers": Bounds(0, 1024),
    "objects": Bounds(1, 10**9),
    "max_corrupt_views": Bounds(0, 10**9),
    "log_every": Bounds(1, 10**12),
    "checkpoint_every": Bounds(1, 10**12),
}
_BELOW_ONE = ("average_decay", "momentum")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """One run. The defaults are the recipe of SIE (Garrido et al. 2023): Adam, constant rate, 2000 epochs.

    Raises:
        InvalidInputError: One or more values cannot be right; all are listed.
    """

    method: str
    """A name of ``models.method_names()``, or the reference of a method of one's own."""
    method_config: MethodConfig
    dataset: str | None = None
    """The folder or the URL of the data set; its "train" split is used. None where ``online`` draws views."""
    backbone: str | None = "resnet18"
    """A name from ``models.BACKBONES``; None for a method that is not one of images."""
    epochs: int = 2000
    """An epoch draws ``pairs_per_object`` samples of every object."""
    pairs_per_object: int = 1
    """Samples of each object (of each sequence, where the method wants true ones) in an epoch: pairs of
    views, or as many views as the method takes."""
    batch_size: int = 1024
    """Samples of one step of the optimiser, of all ranks together; those that fill no batch at the end of an
    epoch are left out."""
    accumulate: int = 1
    """A step adds up the gradients of so many smaller batches, one after the other, for less memory. A loss
    over a batch's statistics, and batch norm, see each smaller batch by itself: it is another training."""
    optimizer: OptimizerName = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 1e-6
    """Of "adamw" apart from the gradient, of the others a part of it."""
    decay_norms: bool = True
    """Whether biases and the scales of normalisations decay too."""
    momentum: float = 0.9
    """Of "sgd"."""
    schedule: Schedule = "constant"
    """"cosine" falls to 0 at the last step. Either follows a linear warm-up, if there is one."""
    warmup_epochs: float = 0.0
    warmup_start: float = 0.0
    """The rate from which a warm-up rises."""
    clip_norm: float | None = None
    """Gradients longer than this, all parameters together, are shortened to it."""
    average_decay: float = 0.0
    """Above 0, a moving average of parameters and buffers, which at each step keeps this share of itself, is
    trained beside; the finished run's weights are the average's. 0: none."""
    quaternion_sign: QuaternionSign = "product"
    image_size: int | None = None
    """The side in pixels that images are resized to; None: as stored."""
    center_crop: float = 1.0
    """The share of an image's side that is looked at, in (0, 1]. In the scene of 3DIEBench, two thirds hold
    the whole object wherever it turns."""
    seed: int = 0
    """Of the weights, the order of the objects and the choice of views."""
    amp: Amp = "off"
    """"bf16" runs matrix products and convolutions in bfloat16, "fp16" in float16 with scaled gradients;
    weights and losses stay in float32."""
    sync_batch_norm: bool = True
    """Whether batch norm takes its statistics over all ranks, as one process does; otherwise over each
    rank's rows."""
    device: str = "auto"
    """"auto" is CUDA where there is one, otherwise the CPU."""
    num_workers: int = 0
    """Processes of each rank that load batches; 0 loads in the training process. The batches are the same."""
    max_corrupt_views: int = 0
    """So many views (of ``online``: objects) may turn out unusable; others take their places. One more ends
    the run."""
    log_every: int = 10
    """Steps."""
    checkpoint_every: int = 200
    """Steps; the end of the run is always saved."""
    augmentation: Augmentation | None = None
    """Drawn for each picture anew, and applied where the method is trained; None: none."""
    online: str | None = None
    """A recipe's name or TOML file: its views are rendered beside the training, and none comes twice."""
    meshes: str | None = None
    """The folder of the meshes that ``online`` draws; None: the zoo."""
    objects: int | None = None
    """At most so many objects for ``online``, of all splits; None: all there are."""
    wandb: bool = False
    """Whether Weights & Biases gets the records too; offline, unless WANDB_MODE says otherwise."""

    def __post_init__(self) -> None:
        faults = self._faults()
        if faults:
            raise InvalidInputError("this training run cannot be right:\n  " + "\n  ".join(faults))

    def _faults(self) -> list[str]:
        entry = method_entry(self.method)
        faults = value_faults(self, _BOUNDS)
        faults += self._backbone_faults(entry)
        faults += self._source_faults()
        if self.augmentation is not None and not isinstance(cast("object", self.augmentation), Augmentation):
            faults.append(f"augmentation is {said(self.augmentation)}; it must be an Augmentation, or None")
        faults += [
            f"{name} is {said(value)}; it must be at least 0 and below 1"
            for name in _BELOW_ONE
            if _is_number(value := getattr(self, name)) and not 0 <= value < 1
        ]
        if _is_number(self.clip_norm) and not self.clip_norm > 0:
            faults.append(f"clip_norm is {self.clip_norm}; it must be above 0, or None")
        if _is_number(self.center_crop) and not 0 < self.center_crop <= 1:
            faults.append(f"center_crop is {self.center_crop}; it must be above 0 and at most 1")
        if type(self.method_config) is not entry.config:
            faults.append(
                f"method_config is a {type(self.method_config).__name__}; {self.method} takes a"
                f" {entry.config.__name__}"
            )
        else:
            faults += self.method_config.faults()
        return faults

    def _source_faults(self) -> Iterator[str]:
        if (self.dataset is None) == (self.online is None):
            yield (
                f"dataset is {said(self.dataset)} and online {said(self.online)}; give a data set, or a"
                " recipe whose views are rendered online (--online), and not both"
            )
        for name in ("meshes", "objects"):
            if self.online is None and (value := getattr(self, name)) is not None:
                yield f"{name} is {said(value)}, which is of views that are rendered online; give online too"

    def _backbone_faults(self, entry: MethodEntry) -> list[str]:
        if not entry.has_backbone:
            fault = f"backbone is {said(self.backbone)}; {self.method} has none: leave it out (None)"
            return [] if self.backbone is None else [fault]
        if self.backbone in list(BACKBONES):  # as any value: a list has no hash
            return []
        return [f"backbone is {said(self.backbone)}; choose one of: {', '.join(BACKBONES)}"]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what ``to_dict`` wrote.

        Raises:
            InvalidInputError: A name is unknown or missing, or a value cannot be right.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(map(str, set(values) - known))
        missing = sorted({"method", "method_config"} - set(values))
        if unknown or missing:
            raise InvalidInputError(
                f"these are not the settings of a run: unknown {shown(', '.join(unknown)) or 'none'},"
                f" missing {', '.join(missing) or 'none'}"
            )
        settings = dict(values)
        settings["method_config"] = method_config(values["method"], values["method_config"])
        if isinstance(settings.get("augmentation"), Mapping):
            settings["augmentation"] = Augmentation.from_dict(settings["augmentation"])
        return cls(**settings)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float))
