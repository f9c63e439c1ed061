"""The named protocols: turntable's own and those of the papers.

Features are computed once, in ``eval()`` mode. The evaluation scripts of SIE and seq-JEPA leave the frozen
backbone in ``train()`` mode while they train heads, so its batch norm statistics keep changing, and their
published numbers include this effect. "sie-train-mode-bn" and "seq-jepa-train-mode-bn" reproduce it, at the
cost of a pass over the images in each epoch.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace

from turntable.choices import Preset, check_choice
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


def select_protocol(
    run_preset: Preset | None, name: str | None = None, preset: Preset | None = None
) -> tuple[Protocol, str | None]:
    """Select the protocol of an evaluation; if nothing is chosen, heads are trained as long as the run says.

    Args:
        run_preset: Preset that the run was trained with; None if that is not known.
        name: Name of a protocol; None for turntable's.
        preset: Length of the heads' training in turntable's protocol; None for that of the run's preset.

    Returns:
        The protocol, and a line for the user that gives the reason, if there was a choice.

    Raises:
        InvalidInputError: No protocol has that name, or it has one length and a preset is given.
    """
    if name not in (None, "turntable"):
        if preset is not None:
            raise InvalidInputError(
                f"--preset {preset} is for turntable's protocol; {name} has one length: leave --preset out"
            )
        return get_protocol(name), None
    chosen = preset or run_preset or "paper"
    protocol = get_protocol("turntable-demo" if chosen == "demo" else "turntable")
    return protocol, None if preset is not None else _REASONS[run_preset]


_REASONS: Mapping[Preset | None, str] = {
    "demo": (
        "--preset demo, as the run was trained with it: heads are trained for a short time; for the papers'"
        " heads, give --preset paper"
    ),
    "paper": (
        "--preset paper, as the run was trained with it: heads are trained as in the papers; for short"
        " trainings, give --preset demo"
    ),
    None: (
        "--preset paper, as the run does not say with which preset it was trained: heads are trained as in"
        " the papers; for short trainings, give --preset demo"
    ),
}
"""Lines for the user about the preset of the heads, by the preset of the run."""


def find_protocol_options(protocol_name: str) -> str | None:
    """Return the options of ``turntable evaluate`` that choose a protocol; None for a protocol of a user.

    Args:
        protocol_name: Name of the protocol in results, such as "turntable-1-demo".
    """
    options = {
        protocol.name: f"--protocol {name}"
        for name, protocol in _PROTOCOLS.items()
        if not name.startswith("turntable")
    }
    turntable = {
        _TURNTABLE.name: "--protocol turntable --preset paper",
        _TURNTABLE_DEMO.name: "--protocol turntable --preset demo",
    }
    return {**options, **turntable}.get(protocol_name)
