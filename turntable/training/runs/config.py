"""The settings of a training run, as one frozen value that can be stored as JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self, TypeGuard, cast

from turntable.choices import Amp, Preset, Schedule
from turntable.datasets import Selection
from turntable.datasets.stores import remove_secrets
from turntable.errors import InvalidInputError, format_text, format_value
from turntable.geometry import QuaternionSign
from turntable.loaders import Augmentation
from turntable.models import (
    BACKBONES,
    Bounds,
    MethodConfig,
    MethodEntry,
    find_value_faults,
    get_method_entry,
    make_method_config,
)

OptimizerName = Literal["adam", "adamw", "sgd"]

_BOUNDS: Mapping[str, Bounds] = {
    "epochs": Bounds(1, 10**6),
    "target_steps": Bounds(1, 10**9),
    "batch_size": Bounds(2, 2**24),  # a variance needs two rows
    "accumulate": Bounds(1, 2**20),
    "pairs_per_object": Bounds(1, 2**20),
    "learning_rate": Bounds(0, 1e9),
    "weight_decay": Bounds(0, 1e9),
    "warmup_epochs": Bounds(0, 10**6),
    "warmup_start": Bounds(0, 1e9),
    "clip_norm": Bounds(high=1e9),
    "image_size": Bounds(1, 2**13),
    "seed": Bounds(0, 2**63 - 1),
    "num_workers": Bounds(0, 1024),
    "objects": Bounds(1, 10**9),
    "max_corrupt_views": Bounds(0, 10**9),
    "log_every": Bounds(1, 10**12),
    "checkpoint_every": Bounds(1, 10**12),
}
_BELOW_ONE = ("average_decay", "momentum")
_OTHER_RANGES = {"clip_norm": "above 0", "center_crop": "above 0 and at most 1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """The settings of one run. The defaults are those of SIE (Garrido et al. 2023).

    Raises:
        InvalidInputError: One or more values are wrong; the message lists all of them.
    """

    method: str
    """Name from ``models.list_methods()``, or the reference of a user's method."""
    method_config: MethodConfig
    """Settings of the method."""
    dataset: str | None = None
    """Path or URL of the data set, whose "train" split is used; None if ``online`` renders views."""
    backbone: str | None = "resnet18"
    """Name from ``models.BACKBONES``; None for a method without a backbone."""
    epochs: int = 2000
    """Number of epochs; an epoch has ``pairs_per_object`` samples of every object."""
    target_steps: int | None = None
    """Number of optimizer steps to aim at: when the run starts, ``epochs`` is set to the whole number of
    epochs that comes closest to it with the data. None if ``epochs`` decides."""
    start_from: str | None = None
    """Path of a finished run of the same method, with whose weights this run starts; None for fresh
    weights."""
    pairs_per_object: int = 1
    """Number of samples of each object in an epoch (of each sequence, for methods that take consecutive
    views). A sample is a pair of views, or as many views as the method takes."""
    batch_size: int = 1024
    """Number of samples of one optimizer step, of all ranks together. Samples that do not fill a batch at the
    end of an epoch are left out."""
    accumulate: int = 1
    """Number of smaller batches whose gradients a step adds up, one after the other, to save memory. Losses
    over a batch's statistics, and batch norm, see each smaller batch separately, so the training is
    different."""
    optimizer: OptimizerName = "adam"
    learning_rate: float = 1e-3
    """Learning rate after the warm-up."""
    weight_decay: float = 1e-6
    """Weight decay; "adamw" applies it separately from the gradient, the other optimizers add it to the
    gradient."""
    decay_norms: bool = True
    """True if biases and scales of normalizations decay too."""
    momentum: float = 0.9
    """Momentum of "sgd"."""
    schedule: Schedule = "constant"
    """Schedule of the learning rate after the warm-up; "cosine" decays to 0 at the last step."""
    warmup_epochs: float = 0.0
    """Number of epochs in which the learning rate rises linearly."""
    warmup_start: float = 0.0
    """Learning rate at which the warm-up starts."""
    clip_norm: float | None = None
    """Largest norm of the gradient of all parameters; a longer gradient is scaled down to it."""
    average_decay: float = 0.0
    """Decay per step of a moving average of parameters and buffers, in [0, 1). Above 0, the weights of the
    finished run are those of the average. 0 for no average."""
    quaternion_sign: QuaternionSign = "product"
    """Rule for the sign of quaternions: "product" as in SIE's labels, or "canonical" (w >= 0)."""
    image_size: int | None = None
    """Side in pixels to which images are resized; None for the stored size."""
    center_crop: float = 1.0
    """Fraction of an image's side that the backbone sees, in (0, 1]. In the scene of 3DIEBench, two thirds
    hold the whole object in any rotation."""
    seed: int = 0
    """Seed of the weights, the order of objects and the choice of views."""
    amp: Amp = "off"
    """"bf16" runs matrix products and convolutions in bfloat16, "fp16" in float16 with scaled gradients;
    weights and losses stay in float32."""
    sync_batch_norm: bool = True
    """True if batch norm takes its statistics over all ranks, like one process with the whole batch;
    otherwise over the rows of each rank."""
    device: str = "auto"
    """Name of the device; "auto" is CUDA if there is a GPU, otherwise the CPU."""
    num_workers: int = 0
    """Number of processes of each rank that load batches; 0 loads in the training process. The batches are
    the same."""
    max_corrupt_views: int = 0
    """Largest number of views (with ``online``, of objects) that may be unusable and are replaced by others.
    One more ends the run."""
    log_every: int = 10
    """Number of steps between two records."""
    checkpoint_every: int = 200
    """Number of steps between two checkpoints; the end of the run is always saved."""
    augmentation: Augmentation | None = None
    """Random changes of each image, applied on the training device; None for none."""
    selection: Selection = Selection()
    """Part of the train split that is trained on: some views, environments or a few objects of each
    category; by default all of it."""
    online: str | None = None
    """Name or TOML file of a recipe whose views are rendered during the training; no view appears twice."""
    meshes: str | None = None
    """Path of the folder of meshes for ``online``; None for generated ones."""
    objects: int | None = None
    """Largest number of objects for ``online``, of all splits together; None for all."""
    links_under: tuple[str, ...] = ()
    """Folders into which links in ``meshes`` may lead, besides that folder."""
    wandb: bool = False
    """True to send the records to Weights & Biases too; offline, unless WANDB_MODE says otherwise."""
    preset: Preset | None = None
    """Preset that the settings were made from, "demo" or "paper"; None for settings that a user built by
    hand, and for runs of versions that did not record it. It changes nothing in the training."""

    def __post_init__(self) -> None:
        faults = self._find_faults()
        if faults:
            raise InvalidInputError("the settings of this run are wrong:\n  " + "\n  ".join(faults))

    def _find_faults(self) -> list[str]:
        entry = get_method_entry(self.method)
        faults = find_value_faults(self, _BOUNDS)
        faults += self._find_backbone_faults(entry)
        faults += self._iter_source_faults()
        if self.augmentation is not None and not isinstance(cast("object", self.augmentation), Augmentation):
            faults.append(
                f"augmentation is {format_value(self.augmentation)}; it must be an Augmentation, or None"
            )
        faults += [
            f"{name} is {format_value(value)}; it must be at least 0 and below 1"
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
            faults += self.method_config.find_value_faults()
        return faults

    def _iter_source_faults(self) -> Iterator[str]:
        if (self.dataset is None) == (self.online is None):
            yield (
                f"dataset is {format_value(self.dataset)} and online {format_value(self.online)}; give either"
                " a data set, or a recipe whose views are rendered online (--online)"
            )
        if not isinstance(cast("object", self.selection), Selection):
            yield f"selection is {format_value(self.selection)}; it must be a Selection"
        elif self.online is not None and not self.selection.is_whole:
            yield f"selection is {self.selection}; online views have no end, so it needs a data set"
        for name in ("meshes", "objects", "links_under"):
            if self.online is None and (value := getattr(self, name)) not in (None, ()):
                yield f"{name} is {format_value(value)}, which only online views need; give online too"

    def _find_backbone_faults(self, entry: MethodEntry) -> list[str]:
        if not entry.has_backbone:
            fault = (
                f"backbone is {format_value(self.backbone)}; {self.method} takes none: leave it out (None)"
            )
            return [] if self.backbone is None else [fault]
        if self.backbone in list(BACKBONES):  # a list, since a value from a file may not be hashable
            return []
        return [f"backbone is {format_value(self.backbone)}; choose one of: {', '.join(BACKBONES)}"]

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, for JSON.

        The data set's URL is without its password or signature: whoever resumes the run gives them again, or
        has the password in a netrc file.
        """
        dataset = None if self.dataset is None else remove_secrets(self.dataset)
        values = {**asdict(self), "dataset": dataset}
        if self.selection.is_whole:  # left out, so that runs on whole splits are recorded as ever
            del values["selection"]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make the settings from the values of ``to_dict``.

        Raises:
            InvalidInputError: A name is unknown or missing, or a value is wrong.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(map(str, set(values) - known))
        missing = sorted({"method", "method_config"} - set(values))
        if unknown or missing:
            raise InvalidInputError(
                f"these are not the settings of a run: unknown {format_text(', '.join(unknown)) or 'none'},"
                f" missing {', '.join(missing) or 'none'}"
            )
        settings = dict(values)
        settings["method_config"] = make_method_config(values["method"], values["method_config"])
        if isinstance(settings.get("augmentation"), Mapping):
            settings["augmentation"] = Augmentation.from_dict(settings["augmentation"])
        if isinstance(settings.get("selection"), Mapping):
            settings["selection"] = Selection.from_dict(settings["selection"])
        if isinstance(settings.get("links_under"), list):  # JSON has no tuples
            settings["links_under"] = tuple(settings["links_under"])
        return cls(**settings)


def describe_setting_range(name: str) -> str:
    """Return the range of a numeric setting of a run in words; "" if any value of its type is possible."""
    if name in _BELOW_ONE:
        return "at least 0 and below 1"
    if name in _OTHER_RANGES:
        return _OTHER_RANGES[name]
    bounds = _BOUNDS.get(name)
    return "" if bounds is None else f"{bounds.low:.15g} to {bounds.high:.15g}"


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float))
