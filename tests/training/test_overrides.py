import pytest

from turntable.errors import InvalidInputError
from turntable.training import demo_config, overrides


def test_settings_take_the_types_of_their_fields():
    texts = ["projector_widths=32, 16,8", "equivariant_dim=128", "predicted_variance=False", "clip_norm=0.5"]
    texts += [
        "decay_norms=false",
        "optimizer=adamw",
        "image_size=none",
        "hypernetwork_init=torch",
        "epochs=3",
    ]
    changes = overrides("sie", texts)
    assert changes == {
        "clip_norm": 0.5,
        "decay_norms": False,
        "optimizer": "adamw",
        "image_size": None,
        "epochs": 3,
        "method_config": {
            "projector_widths": (32, 16, 8),
            "equivariant_dim": 128,
            "predicted_variance": False,
            "hypernetwork_init": "torch",
        },
    }
    config = demo_config("sie", "data", **changes)
    assert (config.method_config.projector_widths, config.clip_norm) == ((32, 16, 8), 0.5)
    assert config.method_config.invariance_weight == 10  # what is not named stays the preset's


def test_names_with_commas_are_a_tuple(toys):
    assert overrides("toy", ["fields=view_1,floor_hue_1"])["method_config"]["fields"] == (
        "view_1",
        "floor_hue_1",
    )
    assert overrides("sie", []) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour=3", "there is no such setting; sie has .*equivariant_dim.*; a run has backbone, epochs"),
        ("method=3", "there is no such setting"),
        ("epochs", "give NAME=VALUE"),
        ("epochs=many", "--set epochs=many: give a whole number"),
        ("epochs=1.5", "give a whole number"),
        ("learning_rate=fast", "give a number"),
        ("clip_norm=long", "give a number, or none"),
        ("decay_norms=maybe", "give true or false"),
        ("optimizer=lion", "give one of adam, adamw, sgd"),
        ("projector_widths=8,8", "give 3 values with commas, each a whole number"),
    ],
)
def test_what_cannot_be_meant_is_said(text, words):
    with pytest.raises(InvalidInputError, match=words):
        overrides("sie", [text])


def test_a_preset_knows_the_fields_of_its_method():
    with pytest.raises(InvalidInputError, match=r"sie has no colour; it has .*equivariant_dim"):
        demo_config("sie", "data", method_config={"colour": 1})
