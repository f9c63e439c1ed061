from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from turntable.errors import InvalidInputError
from turntable.models import METHODS, MethodConfig, MethodEntry
from turntable.training import make_demo_config, parse_overrides


@dataclass(frozen=True, slots=True)
class StrangeConfig(MethodConfig):
    """Types of settings that no method of turntable has."""

    bins: Literal[2, 4] = 2
    size: int | str = 1
    table: Path = Path()
    shape: tuple[int, float] | None = None
    on_step: Callable[[], None] | None = None
    entry: MethodEntry | None = None


@pytest.fixture
def strange(monkeypatch):
    monkeypatch.setitem(METHODS, "strange", MethodEntry(StrangeConfig, METHODS["sie"].method))


def test_settings_take_the_types_of_their_fields():
    texts = ["projector_widths=32, 16,8", "equivariant_dim=128", "predicted_variance=False", "clip_norm=0.5"]
    texts += [
        "decay_norms=false",
        "optimizer=adamw",
        "image_size=none",
        "hypernetwork_init=torch",
        "epochs=3",
    ]
    changes = parse_overrides("sie", texts)
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
    config = make_demo_config("sie", "data", **changes)
    assert (config.method_config.projector_widths, config.clip_norm) == ((32, 16, 8), 0.5)
    assert config.method_config.invariance_weight == 10  # what is not named stays the preset's


def test_names_with_commas_are_a_tuple(toys):
    assert parse_overrides("toy", ["fields=view_1,floor_hue_1"])["method_config"]["fields"] == (
        "view_1",
        "floor_hue_1",
    )
    assert parse_overrides("sie", []) == {}


def test_settings_of_a_method_of_ones_own_take_their_types_too(strange):
    texts = ["bins=4", "size=wide", "table=a/b.csv", "shape=3, 0.5", "entry=none"]
    assert parse_overrides("strange", texts)["method_config"] == {
        "bins": 4,
        "size": "wide",
        "table": Path("a/b.csv"),
        "shape": (3, 0.5),
        "entry": None,
    }
    for text, words in (
        ("bins=3", "--set bins=3: give one of 2, 4"),
        ("shape=3", "give 2 values with commas, each a whole number, or none"),
        ("on_step=print", "--set on_step=print: give .*Callable.*, or none"),
        ("entry=sie", "--set entry=sie: give .*MethodEntry.*, or none"),
    ):
        with pytest.raises(InvalidInputError, match=words):
            parse_overrides("strange", [text])


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
        ("decay_norms=2", "give true or false"),
        ("decay_norms=1", "give true or false"),
        ("decay_norms=yes", "give true or false"),
        ("epochs=2.0", "give a whole number"),
        ("projector_widths=8,8,8.0", "give 3 values with commas, each a whole number"),
        ("epochs=١٢", "give a whole number"),
        ("learning_rate=１.５", "give a number"),
        ("optimizer=lion", "give one of adam, adamw, sgd"),
        ("projector_widths=8,8", "give 3 values with commas, each a whole number"),
    ],
)
def test_what_cannot_be_meant_is_said(text, words):
    with pytest.raises(InvalidInputError, match=words):
        parse_overrides("sie", [text])


def test_a_preset_knows_the_fields_of_its_method():
    with pytest.raises(InvalidInputError, match=r"sie has no colour; it has .*equivariant_dim"):
        make_demo_config("sie", "data", method_config={"colour": 1})
