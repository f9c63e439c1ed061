"""Everything that decides a training run, as one frozen value that survives JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, Self, get_args

from turntable.errors import InvalidInputError
from turntable.models import BACKBONES, MethodConfig, method_config
from turntable.models.registry import method_entry

Schedule = Literal["constant", "cosine"]
Amp = Literal["off", "bf16"]
QuaternionSign = Literal["product", "canonical"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "schedule": get_args(Schedule),
    "amp": get_args(Amp),
    "quaternion_sign": get_args(QuaternionSign),
    "backbone": tuple(BACKBONES),
}
_AT_LEAST: dict[str, float] = {
    "epochs": 1,
    "batch_size": 2,  # a variance needs two rows
    "pairs_per_object": 1,
    "learning_rate": 0,
    "weight_decay": 0,
    "warmup_epochs": 0,
    "seed": 0,
    "num_workers": 0,
    "log_every": 1,
    "checkpoint_every": 1,
}


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
    """An epoch draws ``pairs_per_object`` pairs of views of every object."""
    pairs_per_object: int = 1
    batch_size: int = 1024
    """Pairs; the last, smaller batch of an epoch is left out."""
    learning_rate: float = 1e-3
    weight_decay: float = 1e-6
    schedule: Schedule = "constant"
    """"cosine" falls to 0 at the last step. Either follows a linear warm-up, if there is one."""
    warmup_epochs: float = 0.0
    quaternion_sign: QuaternionSign = "product"
    image_size: int | None = None
    """The side in pixels that images are resized to; None: as stored."""
    center_crop: float = 1.0
    """The share of an image's side that is looked at, in (0, 1]. In the scene of 3DIEBench, two thirds hold
    the whole object wherever it turns."""
    seed: int = 0
    """Of the weights, the order of the objects and the choice of views."""
    amp: Amp = "off"
    """"bf16" runs matrix products and convolutions in bfloat16; losses stay in float32."""
    device: str = "auto"
    """"auto" is CUDA where there is one, otherwise the CPU."""
    num_workers: int = 0
    """Processes that load batches; 0 loads in the training process. The batches are the same."""
    log_every: int = 10
    """Steps."""
    checkpoint_every: int = 200
    """Steps; the end of the run is always saved."""

    def __post_init__(self) -> None:
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
        if not 0 < self.center_crop <= 1:
            faults.append(f"center_crop is {self.center_crop}; it must be above 0 and at most 1")
        if type(self.method_config) is not entry.config:
            faults.append(
                f"method_config is a {type(self.method_config).__name__}; {self.method} takes a"
                f" {entry.config.__name__}"
            )
        if faults:
            raise InvalidInputError("this training run cannot be right:\n  " + "\n  ".join(faults))

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


def paper_config(method: str, dataset: Path | str, **changes: Any) -> TrainConfig:
    """The recipe of the papers: ResNet-18, batches of 1024, 2000 epochs. It wants GPUs and days.

    Args:
        method: A name from ``models.METHODS``.
        dataset: The data set's folder.
        **changes: Other fields of ``TrainConfig``.

    Raises:
        InvalidInputError: The method is unknown, or a value cannot be right.
    """
    entry = method_entry(method)
    settings: dict[str, Any] = {
        "method_config": entry.make_config(),
        **entry.config.paper_training,
        **changes,
    }
    return TrainConfig(method=method, dataset=str(dataset), **settings)


def demo_config(method: str, dataset: Path | str, **changes: Any) -> TrainConfig:
    """A recipe for two CPU cores and some hundred objects at 96 pixels: the small backbone, minutes.

    Args:
        method: A name from ``models.METHODS``.
        dataset: The data set's folder.
        **changes: Other fields of ``TrainConfig``.

    Raises:
        InvalidInputError: The method is unknown, or a value cannot be right.
    """
    entry = method_entry(method)
    settings: dict[str, Any] = {
        "method_config": entry.make_config().demo(),
        "backbone": "small",
        "epochs": 12,
        "pairs_per_object": 10,
        "batch_size": 128,
        "learning_rate": 1e-3,
        "schedule": "cosine",
        "warmup_epochs": 1.0,
        "amp": "off",
        "center_crop": 2 / 3,
        **entry.config.demo_training,
        **changes,
    }
    return TrainConfig(method=method, dataset=str(dataset), **settings)
