"""The named protocols: turntable's own and those of the papers.

Features are computed once, in ``eval()`` mode. The evaluation scripts of SIE and seq-JEPA leave the frozen
backbone in ``train()`` mode while they train heads, so its batch norm statistics keep changing, and their
published numbers include this effect. "sie-train-mode-bn" and "seq-jepa-train-mode-bn" reproduce it, at the
cost of a pass over the images in each epoch.
"""

from dataclasses import asdict, replace

from turntable.choices import check_choice
from turntable.errors import InvalidInputError
from turntable.evaluation.measurement import ProbeConfig
from turntable.evaluation.old_names import PROTOCOL_NAMES
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
    NearestNeighbors,
    ObjectTranslation,
    OwnClassifier,
    PairConfig,
    Prediction,
    RelativeRotation,
)

_PAPER_PROBE = ProbeConfig()
_ADAMW_PROBE = ProbeConfig(optimizer="adamw")
_ONE_PAIR = PairConfig(train_per_object=1, val_per_object=1)

_TURNTABLE = Protocol(
    "turntable-1",
    (
        Classification(_PAPER_PROBE),
        NearestNeighbors(20),
        EquiangularClassification(_PAPER_PROBE),
        RelativeRotation(_PAPER_PROBE),
        LinearRotation(_PAPER_PROBE),
        AbsoluteRotation(_PAPER_PROBE),
        HueDifferences(_PAPER_PROBE, use_mlp=False),
        Hues(_PAPER_PROBE),
        ObjectTranslation(_PAPER_PROBE),
        BaseTranslation(_PAPER_PROBE),
        Aggregation(_PAPER_PROBE, num_views=(1, 3, 5)),
        OwnClassifier(),
        Prediction(),
    ),
    PairConfig(train_per_object=1, val_per_object=20),
)

_TURNTABLE_DEMO = replace(
    _TURNTABLE,
    name="turntable-1-demo",
    tasks=tuple(task for task in _TURNTABLE.tasks if not isinstance(task, LinearRotation)),
    pairs=PairConfig(train_per_object=10, val_per_object=20),
).with_probe_settings(**asdict(ProbeConfig.demo()))
"""The protocol of ``--preset demo``: short trainings of heads, for two CPU cores.

It draws more pairs an epoch, since it has few epochs.
"""

_SIE = Protocol(
    "sie",
    (
        Classification(_PAPER_PROBE),
        RelativeRotation(_PAPER_PROBE),
        LinearRotation(_PAPER_PROBE),
        HueDifferences(_PAPER_PROBE, use_mlp=True),
        Prediction(sources="first", candidates=("val", "train", "both")),
    ),
    _ONE_PAIR,
)

_EQUICAPS = Protocol(
    "equicaps",
    (
        Classification(_PAPER_PROBE),
        RelativeRotation(_PAPER_PROBE),
        HueDifferences(ProbeConfig(epochs=50), use_mlp=False),
        ObjectTranslation(_PAPER_PROBE),
        BaseTranslation(_PAPER_PROBE),
        Prediction(sources="first"),
    ),
    _ONE_PAIR,
)

_SEQ_JEPA = Protocol(
    "seq-jepa",
    (
        Classification(_ADAMW_PROBE),
        RelativeRotation(_ADAMW_PROBE),
        AbsoluteRotation(_ADAMW_PROBE),
        HueDifferences(_ADAMW_PROBE, use_mlp=False),
        Aggregation(_ADAMW_PROBE, num_views=(1, 3, 5)),
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
    "sie-train-mode-bn": replace(_SIE, name="sie-train-mode-bn", batch_norm="train"),
    "seq-jepa-train-mode-bn": replace(_SEQ_JEPA, name="seq-jepa-train-mode-bn", batch_norm="train"),
}


def list_protocol_names() -> tuple[str, ...]:
    """Return the names of all protocols."""
    return tuple(_PROTOCOLS)


def get_protocol(name: str) -> Protocol:
    """Return the protocol of a name.

    Raises:
        InvalidInputError: No protocol has that name; the message lists the names.
    """
    if name in PROTOCOL_NAMES:
        raise InvalidInputError(f"protocol {name} is now called {PROTOCOL_NAMES[name]}")
    check_choice("protocol", name, _PROTOCOLS)
    return _PROTOCOLS[name]
