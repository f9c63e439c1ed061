"""Encodings of what is kept besides the picture: there and back, at the ends of the range, and damaged."""

import io

import numpy as np
import pytest
from PIL import Image

from turntable.datasets import load_recipe
from turntable.datasets.labels import EXTRA_OUTPUTS, decode_output, encode_output, to_channels_first
from turntable.errors import IntegrityError, RecipeError

RANDOM = np.random.default_rng(0)
DRAWN = {
    "mask": (RANDOM.random((16, 16)) > 0.5).astype(np.uint8) * np.uint8(255),
    "depth": RANDOM.uniform(0, 7.9, (16, 16)).astype(np.float32),
    "normals": RANDOM.uniform(-1, 1, (16, 16, 3)).astype(np.float32),
    "coordinates": RANDOM.uniform(-1, 1, (16, 16, 3)).astype(np.float32),
    "parts": RANDOM.choice([0, 3, 254, 255], (16, 16)).astype(np.uint8),
    "flow": np.concatenate(
        [RANDOM.uniform(-511, 511, (16, 16, 2)), RANDOM.integers(0, 3, (16, 16, 1))], axis=-1
    ).astype(np.float32),
}
STEP = {
    "mask": 0,
    "depth": 0.5 / 8192,
    "normals": 0.5 / 127.5,
    "coordinates": 0.5 / 32767.5,
    "parts": 0,
    "flow": 0.5 / 64,
}


@pytest.mark.parametrize("name", EXTRA_OUTPUTS)
def test_there_and_back_to_half_a_step(name):
    data = encode_output(name, DRAWN[name])
    back = decode_output(name, data, 16)
    assert back.dtype == DRAWN[name].dtype
    assert back.shape == DRAWN[name].shape
    assert np.abs(back.astype(float) - DRAWN[name]).max() <= STEP[name] * 1.001
    assert encode_output(name, DRAWN[name]) == data


@pytest.mark.parametrize(
    ("name", "given", "kept"), [("depth", 9.5, 65535 / 8192), ("coordinates", -3.0, -1.0)]
)
def test_what_leaves_the_range_is_clipped(name, given, kept):
    drawn = np.full_like(DRAWN[name], given)
    assert np.allclose(decode_output(name, encode_output(name, drawn), 16), kept)


@pytest.mark.parametrize("name", EXTRA_OUTPUTS)
def test_damage_and_strangers_are_refused(name):
    data = encode_output(name, DRAWN[name])
    with pytest.raises(IntegrityError, match=name):
        decode_output(name, data[: len(data) // 2], 16)
    with pytest.raises(IntegrityError, match=name):
        decode_output(name, data, 17)
    stranger = io.BytesIO()
    Image.new("RGBA", (16, 16)).save(stranger, format="PNG")
    with pytest.raises(IntegrityError, match=name):
        decode_output(name, stranger.getvalue(), 16)


@pytest.mark.parametrize(("plane", "step"), [(2, 3), (0, 0), (1, 65535)])
def test_a_flow_that_nothing_writes_is_refused(plane, step):
    """A state of 3, and motions of 512 px and nearly."""
    planes = np.full((3 * 16, 16), 2**15, np.uint16)
    planes[32:] = 1
    planes[16 * plane + 5, 7] = step
    stream = io.BytesIO()
    Image.fromarray(planes).save(stream, format="PNG")
    with pytest.raises(IntegrityError, match="states above 2, or motions above 511 px"):
        decode_output("flow", stream.getvalue(), 16)


def test_fields_are_the_channels_of_outputs():
    flow, states = (to_channels_first(name, DRAWN["flow"]) for name in ("flow", "flow_state"))
    assert (flow.dtype, flow.shape, states.dtype, states.shape) == (
        np.float32,
        (2, 16, 16),
        np.uint8,
        (1, 16, 16),
    )
    assert (flow[1] == DRAWN["flow"][..., 1]).all()
    assert (states[0] == DRAWN["flow"][..., 2]).all()
    assert set(to_channels_first("parts", DRAWN["parts"]).ravel().tolist()) == {0, 3, 254, 255}
    assert set(to_channels_first("mask", DRAWN["mask"]).ravel().tolist()) == {0, 1}


def test_recipes_put_outputs_in_order_and_keep_old_digests():
    plain = load_recipe("3diebench")
    assert "outputs" not in plain.to_dict()
    assert plain.replace(outputs=["rgb"], points=0).digest == plain.digest
    more = plain.replace(outputs=["depth", "rgb", "mask"], points=64)
    assert more.outputs == ("rgb", "mask", "depth")
    assert more.label_digest == plain.label_digest
    assert more.digest != plain.digest
    assert type(more).from_toml(more.to_toml()) == more


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (["rgb", "rgb"], "names an output twice"),
        (["rgb", "points"], "'points' is not one of"),
        (["rgb", "flow"], r"outputs: flow is the motion to the next view .* add a table \[sequence\]"),
    ],
)
def test_recipes_refuse_other_outputs(outputs, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe("zoo").replace(outputs=outputs)
