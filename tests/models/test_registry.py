"""Every method has one entry, of which its row in the docs and its options are made."""

from pathlib import Path

import pytest

from turntable.errors import InvalidInputError
from turntable.models import BACKBONES, METHODS, DataInfo, build_backbone, build_method, format_methods_table
from turntable.training import make_demo_config, make_paper_config

DOCS = Path(__file__).parents[2] / "docs" / "methods.md"


def test_the_docs_have_the_registrys_table():
    text = DOCS.read_text("utf-8")
    assert format_methods_table() in text, (
        "run: python -c 'from turntable.models import format_methods_table as m; print(m())'"
    )
    assert [name for name in BACKBONES if f"`{name}`" not in text] == []


@pytest.mark.parametrize("name", METHODS)
def test_every_entry_says_what_it_is(name):
    entry = METHODS[name]
    assert entry.description
    assert entry.reference
    assert entry.reads
    assert entry.abilities


def test_entries_are_told_apart_by_their_kind():
    sie, pointnet = METHODS["sie"], METHODS["pointnet"]
    assert (sie.has_backbone, pointnet.has_backbone) == (True, False)
    assert sie.abilities == ("Embeds", "Predicts")
    assert pointnet.abilities == ("Embeds", "Classifies")
    assert sie.reads == ("view_1", "view_2", "relative_quaternion")
    assert pointnet.reads == ("points", "category")


def test_a_backbone_is_given_where_there_is_one_and_nowhere_else():
    data = DataInfo(3, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2), 32)
    with pytest.raises(InvalidInputError, match=r"SIE needs a backbone; give build_backbone"):
        build_method("sie", METHODS["sie"].make_config(), None, data)
    with pytest.raises(InvalidInputError, match=r"PointNet takes no backbone; give None"):
        build_method("pointnet", METHODS["pointnet"].make_config(), build_backbone("small"), data)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_the_papers_settings_and_the_demos(name):
    paper, demo = make_paper_config(name, "set"), make_demo_config(name, "set")
    assert type(paper.method_config) is type(demo.method_config) is METHODS[name].config
    assert paper.epochs >= 250
    assert demo.epochs < 50
    for field, value in METHODS[name].variant.items():
        assert getattr(paper.method_config, field) == value


def test_the_papers_recipes_are_theirs():
    sie, jepa, caps = (make_paper_config(name, "set") for name in ("sie", "seq-jepa", "equicaps-3x3"))
    assert (sie.batch_size, sie.learning_rate, sie.weight_decay, sie.epochs) == (1024, 1e-3, 1e-6, 2000)
    assert (jepa.optimizer, jepa.weight_decay, jepa.warmup_epochs) == ("adamw", 1e-3, 20)
    assert (jepa.image_size, jepa.learning_rate) == (128, 4e-4)
    assert (caps.backbone, caps.batch_size) == ("sie-resnet18", 256)


def test_every_method_file_opens_with_its_reference_and_its_loss():
    import inspect

    for entry in METHODS.values():
        text = inspect.getmodule(entry.config).__doc__ or ""
        assert "loss = " in text, entry.config
        assert "20" in text or "this project's" in text, entry.config  # the year of the paper, or no paper
