"""Published checkpoints, in the layouts of their code, become weights of our methods."""

import argparse

import pytest
import torch
from torch import nn

from turntable.errors import IntegrityError, InvalidInputError
from turntable.models import DataInfo, build_backbone, build_method, make_method_config
from turntable.models.weights import read_published_weights

DATA = DataInfo(num_categories=3, mean=(0.5, 0.4, 0.3), std=(0.1, 0.2, 0.3), image_size_px=64)


def made(name, backbone, **config):
    torch.manual_seed(1)
    method = build_method(name, make_method_config(name, config), build_backbone(backbone, 64), DATA)
    for parameter in method.parameters():
        nn.init.normal_(parameter, std=0.05)
    return method.eval()


def under(weights, *names):
    """Weights under other names: pairs of prefixes, ours and theirs."""
    renamed = {}
    for name, tensor in weights.items():
        if name.startswith("normalize"):
            continue
        for ours, theirs in names:
            if name.startswith(ours):
                name = theirs + name.removeprefix(ours)
                break
        renamed[name] = tensor
    return renamed


def sie():
    method = made("sie", "sie-resnet18", projector_widths=[32, 32, 24])
    theirs = under(
        method.state_dict(),
        ("invariant_projector.", "projector_inv."),
        ("equivariant_projector.", "projector_equi."),
    )
    matrices = theirs.pop("predictor.layers.0.weight").view(4, 24, 24)  # M_k
    theirs["predictor.hypernet.net.0.weight"] = matrices.permute(1, 2, 0).reshape(24 * 24, 4)
    theirs["evaluator.classifier_repr.weight"] = torch.zeros(55, 512)
    return method, {f"module.{name}": tensor for name, tensor in theirs.items()}


def equicaps(action="relative_rotation"):
    name = "equicaps-3x3" if action == "relative_rotation" else "equicaps-4x4"
    method = made(name, "sie-resnet18", num_capsules=4)
    theirs = under(
        method.state_dict(),
        ("projector.activation_map.0.", "projector.conv_a."),
        ("projector.activation_map.1.", "projector.bn_a."),
        ("projector.pose_map.0.", "projector.conv_pose."),
        ("projector.pose_map.1.", "projector.bn_pose."),
    )
    pose = 9 if action == "relative_rotation" else 16

    def by_place(tensor):
        """Senders by place, then by type; ours are by type, then by place."""
        return tensor.unflatten(0, (4, 4)).transpose(0, 1).flatten(0, 1)

    votes = by_place(theirs.pop("projector.votes"))  # [I, P, K, P']
    theirs["projector.fc.W1"] = votes.permute(0, 2, 3, 1).reshape(16, 4 * pose, pose)
    theirs["projector.fc.W2"] = by_place(theirs.pop("projector.routing")).transpose(1, 2)
    theirs["projector.fc.b2"] = by_place(theirs.pop("projector.routing_bias"))[None, None]
    return method, theirs


def seq_jepa():
    method = made("seq-jepa", "resnet18", num_layers=2, feedforward_width=64, predictor_width=32)
    theirs = under(
        method.state_dict(),
        ("backbone.", "encoder."),
        ("target.module.", "target_encoder."),
        ("action_embedding.", "action_proj."),
        ("aggregate_token", "agg_token"),
        ("transformer.norm.", "transformer_encoder.norm."),
        ("transformer.", "transformer_encoder.transformer_encoder."),
    )
    theirs["agg_classifier.weight"] = torch.zeros(55, 640)
    return method, theirs


CASES = {"sie": sie, "equicaps": equicaps, "seq-jepa": seq_jepa}


@pytest.mark.parametrize("kind", CASES)
def test_a_checkpoint_becomes_the_method_that_saved_it(kind, tmp_path):
    method, theirs = CASES[kind]()
    path = tmp_path / "checkpoint.pth"
    torch.save({"epoch": 3, "model": theirs, "args": argparse.Namespace(lr=1)}, path)
    found = read_published_weights(path, kind)
    other = build_method(
        found.method,
        make_method_config(found.method, found.config),
        build_backbone(found.backbone, 64),
        DATA,
    ).eval()
    own = {name: value for name, value in other.state_dict().items() if name.startswith("normalize")}
    other.load_state_dict({**own, **found.weights})  # strictly
    images = torch.randint(256, (3, 3, 64, 64), dtype=torch.uint8)
    one, two = method.embed(images), other.embed(images)
    for part in ("representation", "invariant", "equivariant", "target"):
        torch.testing.assert_close(getattr(two, part), getattr(one, part), rtol=1e-5, atol=1e-6)
    action = torch.randn(3, 9 if kind == "equicaps" else 4)
    torch.testing.assert_close(other.predict(two.source, action), method.predict(one.source, action))


def test_what_a_file_tells_of_its_network(tmp_path):
    path = tmp_path / "checkpoint.pth"
    torch.save(equicaps("relative_pose")[1], path)
    found = read_published_weights(path)
    assert (found.method, found.backbone, found.image_size_px) == ("equicaps-4x4", "sie-resnet18", 64)
    assert found.config == {"num_capsules": 4, "action": ("relative_pose",)}
    torch.save(sie()[1], path)
    assert read_published_weights(path).config == {
        "equivariant_dim": 256,
        "projector_widths": (32, 32, 24),
        "action": ("relative_quaternion",),
    }


def test_the_votes_are_those_of_the_published_formula():
    """W1_i u_i as the published layer computes it, place by place, against our projector."""
    method, theirs = equicaps()
    maps = torch.randn(2, 512, 2, 2)
    projector = method.projector
    activation, pose = projector.activation_map(maps), projector.pose_map(maps)
    a = torch.sigmoid(activation).flatten(2).transpose(1, 2).flatten(1)  # [B, places x types]
    u = pose.unflatten(1, (4, 9)).flatten(3).permute(0, 3, 1, 2).flatten(1, 2)  # [B, places x types, P]
    votes = torch.einsum("iqp,bip->biq", theirs["projector.fc.W1"], u).unflatten(2, (4, 9))
    logits = torch.einsum("ikp,bip->bik", theirs["projector.fc.W2"], u) + theirs["projector.fc.b2"][0]
    shares = a[..., None] * logits.softmax(dim=2)
    poses = (shares[..., None] * votes).sum(1) / shares.sum(1)[..., None]
    found = projector(maps)
    torch.testing.assert_close(found[1], poses, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(found[0], shares.sum(1) / a.sum(1, keepdim=True))


@pytest.mark.parametrize("kind", CASES)
def test_another_kind_is_told(kind, tmp_path):
    path = tmp_path / "checkpoint.pth"
    torch.save(CASES[kind]()[1], path)
    wanted = next(other for other in CASES if other != kind)
    with pytest.raises(InvalidInputError, match=f"looks like a checkpoint of {kind}, not of {wanted}"):
        read_published_weights(path, wanted)


def test_what_is_no_checkpoint_is_refused(tmp_path):
    path = tmp_path / "checkpoint.pth"
    with pytest.raises(InvalidInputError, match="there is no such file"):
        read_published_weights(path)
    path.write_bytes(b"nonsense")
    with pytest.raises(IntegrityError, match="is damaged or holds more than weights"):
        read_published_weights(path)
    torch.save({"fc.weight": torch.zeros(2)}, path)
    with pytest.raises(InvalidInputError, match="no checkpoint of sie, equicaps, seq-jepa"):
        read_published_weights(path)
    torch.save([1, 2], path)
    with pytest.raises(IntegrityError, match="no dictionary of weights"):
        read_published_weights(path)
    weights = sie()[1]
    del weights["module.predictor.hypernet.net.0.weight"]
    torch.save(weights, path)
    with pytest.raises(IntegrityError, match=r"lacks 'predictor\.hypernet\.net\.0\.weight'"):
        read_published_weights(path)
