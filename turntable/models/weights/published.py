"""Reading of published checkpoints: weights of SIE, EquiCaps and seq-JEPA, under turntable's names.

The configuration of the network (widths, capsules, action) is inferred from the weights in the file. All
weights that the method needs must be in the file, and no others may be left over, except those of evaluators
and probes that the published code trains beside the network. No weight is ever filled with random values.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from torch import Tensor

from turntable.choices import PublishedKind
from turntable.errors import IntegrityError, InvalidInputError, format_text
from turntable.home import expand_home
from turntable.models.actions import (
    POSE_MATRIX,
    ROTATION,
    ROTATION_AND_COLOR,
    ROTATION_MATRIX,
    get_action_dim,
)
from turntable.models.weights.files import read_weight_file

Weights = dict[str, Tensor]

_WRAPPERS = ("module.", "_orig_mod.")
_MARKER_WEIGHTS: Mapping[PublishedKind, str] = {
    "sie": "projector_equi.0.weight",
    "equicaps": "projector.fc.W1",
    "seq-jepa": "agg_token",
}
"""Name of a weight that only files of a kind have, by the kind."""
_UNUSED_WEIGHTS = re.compile(
    r"(evaluator|agg_classifier|res_classifier|(\w+_)?regressor|(\w+_)?classifier)\.|backbone\.fc\.|encoder\.fc\."
)
"""Names of evaluators and probes, which the published code trains beside the network and no method needs."""


@dataclass(frozen=True, slots=True)
class PublishedWeights:
    """The content of a published checkpoint, as a method of turntable."""

    method: str
    """Name of the method in ``METHODS``."""
    config: Mapping[str, Any]
    """Values of the method's configuration, by field name."""
    backbone: str
    """Name of the backbone."""
    image_size_px: int | None
    """Side in pixels of the images that the network takes; None for any."""
    weights: Weights
    """Weights under turntable's names, without the mean and standard deviation of the data's colors."""


def read_published_weights(path: Path | str, kind: PublishedKind | None = None) -> PublishedWeights:
    """Read a checkpoint of SIE's, EquiCaps' or seq-JEPA's code.

    Args:
        path: Path of a file that torch saved: the weights, or a dictionary with the weights under "model",
            "state_dict" or "model_state_dict".
        kind: Expected kind of the checkpoint; None to infer it from the file.

    Raises:
        InvalidInputError: It is a checkpoint of another kind, or of none of these.
        IntegrityError: It is damaged, or its weights do not form a complete network.
    """
    weights = _read_weights(expand_home(path))
    file_kind = find_published_kind(weights)
    if file_kind is None:
        raise InvalidInputError(
            f"{path} is no checkpoint of {', '.join(get_args(PublishedKind))}: it has none of the weights"
            f" {', '.join(_MARKER_WEIGHTS.values())}"
        )
    if kind is not None and file_kind != kind:
        raise InvalidInputError(f"{path} looks like a checkpoint of {file_kind}, not of {kind}")
    kept = {name: tensor for name, tensor in weights.items() if not _UNUSED_WEIGHTS.match(name)}
    try:
        return _CONVERTERS[file_kind](kept)
    except KeyError as error:
        raise IntegrityError(
            f"{path} is an incomplete checkpoint of {file_kind}: it lacks {error}"
        ) from error
    except (ArithmeticError, IndexError, RuntimeError, ValueError) as error:
        raise IntegrityError(
            f"{path} is a checkpoint of {file_kind}, but the shapes of its weights do not form a network"
            f" ({format_text(str(error))})"
        ) from error


def find_published_kind(weights: Mapping[str, Tensor]) -> PublishedKind | None:
    """Return the kind of a published checkpoint, inferred from the names of its weights; None if unknown."""
    return next((kind for kind, marker in _MARKER_WEIGHTS.items() if marker in weights), None)


def _read_weights(path: Path) -> Weights:
    state = read_weight_file(path)
    for name in ("model", "state_dict", "model_state_dict"):
        if isinstance(state.get(name), dict):
            state = cast("dict[Any, Any]", state[name])
    named = {name: value for name, value in state.items() if isinstance(name, str)}
    return {_unwrap_name(name): value for name, value in named.items() if isinstance(value, Tensor)}


def _unwrap_name(name: str) -> str:
    for wrapper in _WRAPPERS:
        name = name.removeprefix(wrapper)
    return name


def _convert_sie(weights: Weights) -> PublishedWeights:
    generator = weights["predictor.hypernet.net.0.weight"]  # [E * E, K]
    width, (_, action_dim) = weights["projector_equi.6.weight"].shape[0], generator.shape
    names = {"projector_inv.": "invariant_projector.", "projector_equi.": "equivariant_projector."}
    ours = _rename_weights(weights, names)
    del ours["predictor.hypernet.net.0.weight"]
    # The published weight has one row per entry of W, turntable's one matrix per value of the action.
    ours["predictor.layers.0.weight"] = generator.T.reshape(action_dim * width, width).contiguous()
    config = {
        "equivariant_dim": weights["projector_equi.0.weight"].shape[1],
        "projector_widths": tuple(weights[f"projector_equi.{n}.weight"].shape[0] for n in (0, 3, 6)),
        "action": ROTATION_AND_COLOR if action_dim == get_action_dim(ROTATION_AND_COLOR) else ROTATION,
    }
    return PublishedWeights("sie", config, "sie-resnet18", None, ours)


def _convert_equicaps(weights: Weights) -> PublishedWeights:
    votes, routing = weights["projector.fc.W1"], weights["projector.fc.W2"]  # [I, K P, P], [I, K, P]
    num_inputs, capsules, pose = routing.shape
    positions = num_inputs // capsules
    names = {
        "projector.conv_a.": "projector.activation_map.0.",
        "projector.bn_a.": "projector.activation_map.1.",
        "projector.conv_pose.": "projector.pose_map.0.",
        "projector.bn_pose.": "projector.pose_map.1.",
    }
    ours = _rename_weights(weights, names)
    for name in ("W1", "W2", "b2"):
        del ours[f"projector.fc.{name}"]
    # The published weights order input capsules by position and then by type, turntable's by type first.
    ours["projector.votes"] = (
        votes.reshape(positions, capsules, capsules, pose, pose)
        .permute(1, 0, 4, 2, 3)
        .flatten(0, 1)
        .contiguous()
    )
    ours["projector.routing"] = (
        routing.reshape(positions, capsules, capsules, pose).permute(1, 0, 3, 2).flatten(0, 1).contiguous()
    )
    bias = weights["projector.fc.b2"].reshape(positions, capsules, capsules)
    ours["projector.routing_bias"] = bias.transpose(0, 1).flatten(0, 1).contiguous()
    config = {"num_capsules": capsules, "action": POSE_MATRIX if pose == 16 else ROTATION_MATRIX}
    method = "equicaps-4x4" if pose == 16 else "equicaps-3x3"
    image_size_px = 32 * round(positions**0.5)  # the backbone's maps have a 32nd of the image's side
    return PublishedWeights(method, config, "sie-resnet18", image_size_px, ours)


def _convert_seq_jepa(weights: Weights) -> PublishedWeights:
    has_actions = "action_proj.0.weight" in weights
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
        "use_actions": has_actions,
        "num_layers": len(layers),
        "feedforward_width": weights[first].shape[0],
        "predictor_width": weights["predictor.0.weight"].shape[0],
    }
    if has_actions:
        config["action_width"] = weights["action_proj.0.weight"].shape[0]
    method = "seq-jepa" if has_actions else "seq-jepa-no-action"
    return PublishedWeights(method, config, "resnet18", None, _rename_weights(weights, names))


def _rename_weights(weights: Weights, names: Mapping[str, str]) -> Weights:
    """Return the weights with the prefixes of their names replaced; other names stay."""
    return {_rename_weight(name, names): tensor for name, tensor in weights.items()}


def _rename_weight(name: str, names: Mapping[str, str]) -> str:
    for before, after in names.items():
        if name.startswith(before):
            return after + name.removeprefix(before)
    return name


_CONVERTERS: Mapping[PublishedKind, Callable[[Weights], PublishedWeights]] = {
    "sie": _convert_sie,
    "equicaps": _convert_equicaps,
    "seq-jepa": _convert_seq_jepa,
}
