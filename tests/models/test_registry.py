"""Every method has a name, a page that says what it is, and an option of the command line."""

from pathlib import Path
from typing import get_args

import pytest

from turntable.cli.base import MethodName
from turntable.models import BACKBONES, METHODS
from turntable.training import demo_config, paper_config

DOCS = Path(__file__).parents[2] / "docs" / "methods.md"


def test_the_command_line_and_the_docs_know_all_methods():
    assert set(get_args(MethodName)) == set(METHODS)
    text = DOCS.read_text("utf-8")
    assert [name for name in (*METHODS, *BACKBONES) if f"`{name}`" not in text] == []


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_the_papers_settings_and_the_demos(name):
    paper, demo = paper_config(name, "set"), demo_config(name, "set")
    assert type(paper.method_config) is type(demo.method_config) is METHODS[name].config
    assert paper.epochs >= 1000
    assert demo.epochs < 50
    for field, value in METHODS[name].variant.items():
        assert getattr(paper.method_config, field) == value


def test_the_papers_recipes_are_theirs():
    sie, jepa, caps = (paper_config(name, "set") for name in ("sie", "seq-jepa", "equicaps-3x3"))
    assert (sie.batch_size, sie.learning_rate, sie.weight_decay, sie.epochs) == (1024, 1e-3, 1e-6, 2000)
    assert (jepa.optimizer, jepa.weight_decay, jepa.warmup_epochs) == ("adamw", 1e-3, 20)
    assert (jepa.image_size, jepa.learning_rate) == (128, 4e-4)
    assert (caps.backbone, caps.batch_size) == ("sie-resnet18", 256)


def test_every_method_file_opens_with_its_reference_and_its_loss():
    import inspect

    for entry in METHODS.values():
        text = inspect.getmodule(entry.config).__doc__ or ""
        assert "loss = " in text, entry.config
        assert "20" in text or "is ours" in text.replace("\n", " "), entry.config  # a year, or nobody's
