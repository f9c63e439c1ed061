"""Everything that decides a training run, as one frozen value that survives JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self, get_args

from turntable.errors import InvalidInputError
from turntable.models import BACKBONES, MethodConfig, method_config
from turntable.models.registry import method_entry

Schedule = Literal["constant", "cosine"]
OptimizerName = Literal["adam", "adamw", "sgd"]
Amp = Literal["off", "bf16", "fp16"]
QuaternionSign = Literal["product", "canonical"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "schedule": get_args(Schedule),
    "optimizer": get_args(OptimizerName),
    "amp": get_args(Amp),
    "quaternion_sign": get_args(QuaternionSign),
    "backbone": tuple(BACKBONES),
}
_AT_LEAST: dict[str, float] = {
    "epochs": 1,
    "batch_size": 2,  # a variance needs two rows
    "accumulate": 1,
    "pairs_per_object": 1,
    "learning_rate": 0,
    "weight_decay": 0,
    "warmup_epochs": 0,
    "warmup_start": 0,
    "seed": 0,
    "num_workers": 0,
    "log_every": 1,
    "checkpoint_every": 1,
}
_BELOW_ONE = ("average_decay", "momentum")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """One run. The defaults are the recipe of SIE (Garrido et al. 2023): Adam, constant rate, 2000 epochs.

    Raises:
        InvalidInputError: One or more values cannot be right; all are listed.
    """

    method: str
    """A name from ``models.METHODS``."""
    method_config: MethodConfig
    dataset: str
    """The folder or the URL of the data set; its "train" split is used."""
    backbone: str = "resnet18"
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
    log_every: int = 10
    """Steps."""
    checkpoint_every: int = 200
    """Steps; the end of the run is always saved."""
    wandb: bool = False
    """Whether Weights & Biases gets the records too; offline, unless WANDB_MODE says otherwise."""

    def __post_init__(self) -> None:
        faults = self._faults()
        if faults:
            raise InvalidInputError("this training run cannot be right:\n  " + "\n  ".join(faults))

    def _faults(self) -> list[str]:
        entry = method_entry(self.method)
        faults = [
            f"{name} is {getattr(self, name)!r}; choose one of: {', '.join(choices)}"
            for name, choices in _CHOICES.items()
            if getattr(self, name) not in choices
        ]
        faults += [
            f"{name} is {getattr(self, name)}; it must be at least {least}"
            for name, least in _AT_LEAST.items()
            if not getattr(self, name) >= least
        ]
        faults += [
            f"{name} is {getattr(self, name)}; it must be at least 0 and below 1"
            for name in _BELOW_ONE
            if not 0 <= getattr(self, name) < 1
        ]
        if self.clip_norm is not None and not self.clip_norm > 0:
            faults.append(f"clip_norm is {self.clip_norm}; it must be above 0, or None")
        if self.image_size is not None and self.image_size < 1:
            faults.append(f"image_size is {self.image_size}; it must be at least 1, or None")
        if not 0 < self.center_crop <= 1:
            faults.append(f"center_crop is {self.center_crop}; it must be above 0 and at most 1")
        if type(self.method_config) is not entry.config:
            faults.append(
                f"method_config is a {type(self.method_config).__name__}; {self.method} takes a"
                f" {entry.config.__name__}"
            )
        return faults

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
        unknown = sorted(set(values) - known)
        missing = sorted({"method", "method_config", "dataset"} - set(values))
        if unknown or missing:
            raise InvalidInputError(
                f"these are not the settings of a run: unknown {', '.join(unknown) or 'none'},"
                f" missing {', '.join(missing) or 'none'}"
            )
        settings = dict(values)
        settings["method_config"] = method_config(values["method"], values["method_config"])
        return cls(**settings)
