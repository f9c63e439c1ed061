"""Protocols by name: turntable's own, and the papers'.

Features are computed once, in ``eval()`` mode. SIE's and seq-JEPA's scripts train their heads over a frozen
backbone in ``train()`` mode, whose batch norm goes on drifting meanwhile; their published numbers have that
in them. "sie-drifting" and "seq-jepa-drifting" do so too, and pay with a pass over images in each epoch.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal, Self

from turntable.errors import InvalidInputError
from turntable.evaluation.numbers import ProbeConfig, Resampling
from turntable.evaluation.tasks import (
    Classification,
    Neighbours,
    PairLists,
    Regression,
    Task,
    absolute_rotation,
    hue_differences,
    hues,
    relative_rotation,
    translation_difference,
)
from turntable.geometry import QuaternionSign

Candidates = Literal["val", "train", "both"]


@dataclass(frozen=True, slots=True)
class ProtocolConfig:
    """What the numbers depend on beside the method and the data: "turntable protocol v1" by default."""

    name: str = "turntable-1"
    classifier: ProbeConfig = field(default_factory=ProbeConfig)
    rotation: ProbeConfig = field(default_factory=ProbeConfig)
    """Of rotations and translations."""
    colour: ProbeConfig = field(default_factory=ProbeConfig)
    train_pairs_per_object: int = 1
    """Drawn anew in each epoch of a head over pairs."""
    val_pairs_per_object: int = 20
    """A fixed list; all pairs where an object has fewer."""
    linear_rotation: bool = True
    """Whether a linear rotation head is trained too."""
    absolute_rotation: bool = True
    neighbours: int = 20
    """Of the k-NN classifier; 0: none."""
    equiangular: bool = True
    """Whether a head with fixed directions is trained too."""
    colour_deep: bool = False
    """Whether the head of hue differences is an MLP."""
    hues: bool = True
    """Whether absolute hues are told too, on their circle."""
    translation: bool = True
    quaternion_sign: QuaternionSign = "product"
    """Which of q and -q the relative heads are to predict."""
    retrieval_sources: Literal["all", "first"] = "all"
    """Whether every view of an object is predicted from, or its first alone as in SIE's script."""
    pre_candidates: tuple[Candidates, ...] = ("val",)
    """Where PRE looks for the nearest view: of val's views in val, of train's in train, of val's in both."""
    batch_norm: Literal["eval", "train"] = "eval"
    """Of the backbone while heads are trained; see ``drifting`` for "train"."""
    published_r2: Literal["pooled", "averaged", "both"] = "both"
    """Which R² the protocol's papers print; both are always scored."""
    aggregate_views: tuple[int, ...] = (1, 3, 5)
    """Of methods that aggregate, how many views are classified together."""
    pairs_seed: int = 0
    resampling: Resampling = field(default_factory=Resampling)

    def __post_init__(self) -> None:
        probes = (self.classifier, self.rotation, self.colour)
        if self.batch_norm == "train" and any(probe.standardize for probe in probes):
            raise InvalidInputError(
                'batch_norm "train": features that drift have no scale to standardize by; use probes without'
                " standardize"
            )

    @classmethod
    def demo(cls) -> Self:
        """Short trainings, for two CPU cores."""
        return cls(
            name="turntable-1-demo",
            classifier=ProbeConfig.demo(),
            rotation=ProbeConfig.demo(),
            colour=ProbeConfig.demo(),
            train_pairs_per_object=10,
            linear_rotation=False,
        )

    @property
    def pairs(self) -> PairLists:
        """Which pairs heads are trained and scored on."""
        return PairLists(self.train_pairs_per_object, self.val_pairs_per_object, self.pairs_seed)

    def tasks(self) -> tuple[Task, ...]:
        """What heads are to find, in the order in which scores are written."""
        pairs = self.pairs
        relative, differences = relative_rotation(self.quaternion_sign), hue_differences()
        found: list[Task] = [Classification("top1", self.classifier)]
        if self.neighbours:
            found.append(Neighbours(neighbours=self.neighbours))
        if self.equiangular:
            found.append(Classification("ebv_top1", self.classifier, equiangular=True))
        found.append(Regression("", relative, self.rotation, True, pairs))
        if self.linear_rotation:
            found.append(Regression("linear_", relative, self.rotation, False, pairs))
        if self.absolute_rotation:
            found.append(Regression("absolute_", absolute_rotation(), self.rotation, True, pairs))
        found.append(Regression("colour_", differences, self.colour, self.colour_deep, pairs))
        if self.hues:
            found.append(Regression("", hues(), self.colour, True, pairs))
        if self.translation:
            found += [
                Regression(f"translation_{frame}_", translation_difference(frame), self.rotation, True, pairs)
                for frame in ("object", "base")
            ]
        return tuple(found)


def sie_protocol() -> ProtocolConfig:
    """SIE's: one pair an object, MLPs for rotation and colour, PRE from first views in three ways."""
    return ProtocolConfig(
        name="sie",
        val_pairs_per_object=1,
        absolute_rotation=False,
        neighbours=0,
        equiangular=False,
        colour_deep=True,
        hues=False,
        translation=False,
        retrieval_sources="first",
        pre_candidates=("val", "train", "both"),
        published_r2="pooled",
        aggregate_views=(),
    )


def equicaps_protocol() -> ProtocolConfig:
    """EquiCaps': as SIE's, with linear colour over 50 epochs, and translations in both frames."""
    return ProtocolConfig(
        name="equicaps",
        colour=ProbeConfig(epochs=50),
        val_pairs_per_object=1,
        linear_rotation=False,
        absolute_rotation=False,
        neighbours=0,
        equiangular=False,
        hues=False,
        retrieval_sources="first",
        published_r2="pooled",
        aggregate_views=(),
    )


def seq_jepa_protocol() -> ProtocolConfig:
    """seq-JEPA's: AdamW, rotation between views and of one, linear colour, aggregates of several views."""
    probe = ProbeConfig(optimizer="adamw")
    return ProtocolConfig(
        name="seq-jepa",
        classifier=probe,
        rotation=probe,
        colour=probe,
        val_pairs_per_object=1,
        linear_rotation=False,
        neighbours=0,
        equiangular=False,
        hues=False,
        translation=False,
        retrieval_sources="first",
        published_r2="averaged",
    )


def _drifting(protocol: Callable[[], ProtocolConfig]) -> ProtocolConfig:
    config = protocol()
    return replace(config, name=f"{config.name}-drifting", batch_norm="train")


PROTOCOLS: dict[str, Callable[[], ProtocolConfig]] = {
    "turntable": ProtocolConfig,
    "turntable-demo": ProtocolConfig.demo,
    "sie": sie_protocol,
    "equicaps": equicaps_protocol,
    "seq-jepa": seq_jepa_protocol,
    "sie-drifting": partial(_drifting, sie_protocol),
    "seq-jepa-drifting": partial(_drifting, seq_jepa_protocol),
}


def protocol_by_name(name: str) -> ProtocolConfig:
    """Look a protocol up.

    Raises:
        InvalidInputError: None has that name.
    """
    if name not in PROTOCOLS:
        raise InvalidInputError(f"unknown protocol {name!r}; choose one of: {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]()
