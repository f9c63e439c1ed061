"""Published checkpoints: the weights of SIE, EquiCaps and seq-JEPA under the names that our methods have.

Which weights a file has says how its network was built: widths, capsules, actions. What a method of ours
needs must all be there and nothing may be left over, but for the evaluators and probes that the published
code trains beside. Nothing is ever filled with random numbers.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from torch import Tensor

from turntable.choices import PublishedKind
from turntable.errors import IntegrityError, InvalidInputError, shown
from turntable.models.actions import POSE_MATRIX, ROTATION, ROTATION_AND_COLOUR, ROTATION_MATRIX, action_dim
from turntable.models.weights.files import read_weight_file

Weights = dict[str, Tensor]

_WRAPPERS = ("module.", "_orig_mod.")
_MARKS: Mapping[PublishedKind, str] = {
    "sie": "projector_equi.0.weight",
    "equicaps": "projector.fc.W1",
    "seq-jepa": "agg_token",
}
"""A weight that only files of that kind have."""
_BESIDE = re.compile(
    r"(evaluator|agg_classifier|res_classifier|(\w+_)?regressor|(\w+_)?classifier)\.|backbone\.fc\.|encoder\.fc\."
)
"""Parts that the published code trains beside the network, and that no method needs."""


@dataclass(frozen=True, slots=True)
class PublishedWeights:
    """What a file holds, in our terms."""

    method: str
    """A name of ``METHODS``."""
    config: Mapping[str, Any]
    """Fields of the method's configuration."""
    backbone: str
    image_size_px: int | None
    """Of the images that the network is for; None: of any."""
    weights: Weights
    """Under our names, without the data's colours."""


def read_published(path: Path | str, kind: PublishedKind | None = None) -> PublishedWeights:
    """Read a checkpoint of SIE's, EquiCaps' or seq-JEPA's code.

    Args:
        path: As torch saved it: the weights, or a dictionary with them under "model" or "state_dict".
        kind: What it should be; None leaves it to the file.

    Raises:
        InvalidInputError: It is a checkpoint of another kind, or of none of these.
        IntegrityError: It is damaged, or its weights do not make a whole network.
    """
    weights = _weights_of(Path(path))
    found = published_kind(weights)
    if found is None:
        raise InvalidInputError(
            f"{path} is no checkpoint of {', '.join(get_args(PublishedKind))}: it has none of the weights"
            f" {', '.join(_MARKS.values())}"
        )
    if kind is not None and found != kind:
        raise InvalidInputError(f"{path} looks like a checkpoint of {found}, not of {kind}")
    kept = {name: tensor for name, tensor in weights.items() if not _BESIDE.match(name)}
    try:
        return _READERS[found](kept)
    except KeyError as error:
        raise IntegrityError(f"{path} is a checkpoint of {found} without {error}: it is not whole") from error
    except (ArithmeticError, IndexError, RuntimeError, ValueError) as error:
        raise IntegrityError(
            f"{path} is a checkpoint of {found} whose weights have shapes of no network ({shown(str(error))})"
        ) from error


def published_kind(weights: Mapping[str, Tensor]) -> PublishedKind | None:
    """Whose code saved these weights; None where it is nobody's known."""
    return next((kind for kind, mark in _MARKS.items() if mark in weights), None)


def _weights_of(path: Path) -> Weights:
    state = read_weight_file(path)
    for name in ("model", "state_dict", "model_state_dict"):
        if isinstance(state.get(name), dict):
            state = cast("dict[Any, Any]", state[name])
    named = {name: value for name, value in state.items() if isinstance(name, str)}
    return {_unwrapped(name): value for name, value in named.items() if isinstance(value, Tensor)}


def _unwrapped(name: str) -> str:
    for wrapper in _WRAPPERS:
        name = name.removeprefix(wrapper)
    return name


def _sie(weights: Weights) -> PublishedWeights:
    generator = weights["predictor.hypernet.net.0.weight"]  # [E * E, K]
    width, (_, numbers) = weights["projector_equi.6.weight"].shape[0], generator.shape
    names = {"projector_inv.": "invariant_projector.", "projector_equi.": "equivariant_projector."}
    ours = _renamed(weights, names)
    del ours["predictor.hypernet.net.0.weight"]
    # Theirs is one row an entry of W, ours one matrix a number of the action.
    ours["predictor.layers.0.weight"] = generator.T.reshape(numbers * width, width).contiguous()
    config = {
        "equivariant_dim": weights["projector_equi.0.weight"].shape[1],
        "projector_widths": tuple(weights[f"projector_equi.{n}.weight"].shape[0] for n in (0, 3, 6)),
        "action": ROTATION_AND_COLOUR if numbers == action_dim(ROTATION_AND_COLOUR) else ROTATION,
    }
    return PublishedWeights("sie", config, "sie-resnet18", None, ours)


def _equicaps(weights: Weights) -> PublishedWeights:
    votes, routing = weights["projector.fc.W1"], weights["projector.fc.W2"]  # [I, K P, P], [I, K, P]
    senders, capsules, pose = routing.shape
    places = senders // capsules
    names = {
        "projector.conv_a.": "projector.activation_map.0.",
        "projector.bn_a.": "projector.activation_map.1.",
        "projector.conv_pose.": "projector.pose_map.0.",
        "projector.bn_pose.": "projector.pose_map.1.",
    }
    ours = _renamed(weights, names)
    for name in ("W1", "W2", "b2"):
        del ours[f"projector.fc.{name}"]
    # Theirs count places first and types second, ours types first.
    ours["projector.votes"] = (
        votes.reshape(places, capsules, capsules, pose, pose)
        .permute(1, 0, 4, 2, 3)
        .flatten(0, 1)
        .contiguous()
    )
    ours["projector.routing"] = (
        routing.reshape(places, capsules, capsules, pose).permute(1, 0, 3, 2).flatten(0, 1).contiguous()
    )
    bias = weights["projector.fc.b2"].reshape(places, capsules, capsules)
    ours["projector.routing_bias"] = bias.transpose(0, 1).flatten(0, 1).contiguous()
    config = {"capsules": capsules, "action": POSE_MATRIX if pose == 16 else ROTATION_MATRIX}
    method = "equicaps-4x4" if pose == 16 else "equicaps-3x3"
    return PublishedWeights(method, config, "sie-resnet18", 32 * round(places**0.5), ours)


def _seq_jepa(weights: Weights) -> PublishedWeights:
    told = "action_proj.0.weight" in weights
    names = {
        "encoder.": "backbone.",
        "target_encoder.": "target.module.",
        "action_proj.": "action_embedding.",
        "agg_token": "aggregate_token",
        "transformer_encoder.transformer_encoder.": "transformer.",
        "transformer_encoder.norm.": "transformer.norm.",
    }
    layers = {
        name.split(".")[3] for name in weights if name.startswith("transformer_encoder.transformer_encoder.")
    }
    first = "transformer_encoder.transformer_encoder.layers.0.linear1.weight"
    config = {
        "told_actions": told,
        "layers": len(layers),
        "feedforward_width": weights[first].shape[0],
        "predictor_width": weights["predictor.0.weight"].shape[0],
    }
    if told:
        config["action_width"] = weights["action_proj.0.weight"].shape[0]
    method = "seq-jepa" if told else "seq-jepa-no-action"
    return PublishedWeights(method, config, "resnet18", None, _renamed(weights, names))


def _renamed(weights: Weights, names: Mapping[str, str]) -> Weights:
    """With the first prefix that fits replaced; the others stay."""
    return {_rename(name, names): tensor for name, tensor in weights.items()}


def _rename(name: str, names: Mapping[str, str]) -> str:
    for before, after in names.items():
        if name.startswith(before):
            return after + name.removeprefix(before)
    return name


_READERS: Mapping[PublishedKind, Callable[[Weights], PublishedWeights]] = {
    "sie": _sie,
    "equicaps": _equicaps,
    "seq-jepa": _seq_jepa,
}
