"""Protocols by name: turntable's own, and the papers'.

Features are computed once, in ``eval()`` mode. SIE's and seq-JEPA's scripts train their heads over a frozen
backbone in ``train()`` mode, whose batch norm goes on drifting meanwhile; their published numbers have that
in them. "sie-drifting" and "seq-jepa-drifting" do so too, and pay with a pass over images in each epoch.
"""

from dataclasses import asdict, replace

from turntable.choices import check_choice
from turntable.evaluation.numbers import ProbeConfig
from turntable.evaluation.protocol import Protocol
from turntable.evaluation.tasks import (
    AbsoluteRotation,
    Aggregation,
    BaseTranslation,
    Classification,
    EquiangularClassification,
    HueDifferences,
    Hues,
    LinearRotation,
    Neighbours,
    ObjectTranslation,
    OwnClassifier,
    PairLists,
    Prediction,
    RelativeRotation,
)

_PAPERS = ProbeConfig()
_ADAMW = ProbeConfig(optimizer="adamw")
_ONE_PAIR = PairLists(train_per_object=1, val_per_object=1)

_TURNTABLE = Protocol(
    "turntable-1",
    (
        Classification(_PAPERS),
        Neighbours(20),
        EquiangularClassification(_PAPERS),
        RelativeRotation(_PAPERS),
        LinearRotation(_PAPERS),
        AbsoluteRotation(_PAPERS),
        HueDifferences(_PAPERS, deep=False),
        Hues(_PAPERS),
        ObjectTranslation(_PAPERS),
        BaseTranslation(_PAPERS),
        Aggregation(_PAPERS, views=(1, 3, 5)),
        OwnClassifier(),
        Prediction(),
    ),
    PairLists(train_per_object=1, val_per_object=20),
)

_TURNTABLE_DEMO = replace(
    _TURNTABLE,
    name="turntable-1-demo",
    tasks=tuple(task for task in _TURNTABLE.tasks if not isinstance(task, LinearRotation)),
    pairs=PairLists(train_per_object=10, val_per_object=20),
).with_heads(**asdict(ProbeConfig.demo()))
"""Short trainings, for two CPU cores."""

_SIE = Protocol(
    "sie",
    (
        Classification(_PAPERS),
        RelativeRotation(_PAPERS),
        LinearRotation(_PAPERS),
        HueDifferences(_PAPERS, deep=True),
        Prediction(sources="first", candidates=("val", "train", "both")),
    ),
    _ONE_PAIR,
)

_EQUICAPS = Protocol(
    "equicaps",
    (
        Classification(_PAPERS),
        RelativeRotation(_PAPERS),
        HueDifferences(ProbeConfig(epochs=50), deep=False),
        ObjectTranslation(_PAPERS),
        BaseTranslation(_PAPERS),
        Prediction(sources="first"),
    ),
    _ONE_PAIR,
)

_SEQ_JEPA = Protocol(
    "seq-jepa",
    (
        Classification(_ADAMW),
        RelativeRotation(_ADAMW),
        AbsoluteRotation(_ADAMW),
        HueDifferences(_ADAMW, deep=False),
        Aggregation(_ADAMW, views=(1, 3, 5)),
        Prediction(sources="first"),
    ),
    _ONE_PAIR,
)

_PROTOCOLS = {
    "turntable": _TURNTABLE,
    "turntable-demo": _TURNTABLE_DEMO,
    "sie": _SIE,
    "equicaps": _EQUICAPS,
    "seq-jepa": _SEQ_JEPA,
    "sie-drifting": replace(_SIE, name="sie-drifting", batch_norm="train"),
    "seq-jepa-drifting": replace(_SEQ_JEPA, name="seq-jepa-drifting", batch_norm="train"),
}


def protocol_names() -> tuple[str, ...]:
    """Return the names of all protocols."""
    return tuple(_PROTOCOLS)


def protocol_by_name(name: str) -> Protocol:
    """Look a protocol up.

    Raises:
        InvalidInputError: None has that name.
    """
    check_choice("protocol", name, _PROTOCOLS)
    return _PROTOCOLS[name]
