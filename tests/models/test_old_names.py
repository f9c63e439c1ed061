"""Former names of methods and settings: read from old files, and refused everywhere else."""

from dataclasses import fields

import pytest

from turntable.errors import InvalidInputError
from turntable.models import METHODS, make_method_config, resolve_method
from turntable.models.old_names import (
    METHOD_NAMES,
    SETTING_NAMES,
    rename_method,
    rename_settings,
    rename_terms,
)


def test_every_old_name_has_a_present_one():
    assert set(METHOD_NAMES.values()) <= METHODS.keys()
    assert not set(METHOD_NAMES) & METHODS.keys()
    for method, names in SETTING_NAMES.items():
        present = {item.name for item in fields(METHODS[method].config)}
        assert set(names.values()) <= present, method
        assert not set(names) & present, method


def test_methods_that_share_a_configuration_share_its_old_names():
    by_config = {}
    for method, entry in METHODS.items():
        by_config.setdefault(entry.config, []).append(dict(SETTING_NAMES.get(method, {})))
    assert all(names == [names[0]] * len(names) for names in by_config.values())


def test_names_in_old_files_become_the_present_ones():
    assert rename_method("supervised-colour") == "supervised-color"
    assert rename_method("simclr") == "simclr"
    assert rename_settings("supervised-colour", {"colour_weight": 2.0, "width": 8}) == {
        "color_weight": 2.0,
        "width": 8,
    }
    assert rename_settings("seq-jepa", {"layers": 1, "dropout": 0.5}) == {"num_layers": 1, "dropout": 0.5}
    assert rename_terms("supervised-colour", {"loss": 1.0, "colour": 2.0}) == {"loss": 1.0, "color": 2.0}


def test_methods_of_users_keep_their_own_names():
    own = {"layers": 3, "colour_weight": 1.0}
    assert rename_settings("mine.py:mine", own) == own
    assert rename_settings("mine.py:mine", own, ["layers", "colour_weight"]) == own
    assert rename_terms("mine.py:mine", {"colour": 1.0}) == {"colour": 1.0}


def test_settings_that_a_users_method_inherits_become_the_present_ones():
    inherited = [item.name for item in fields(METHODS["sie"].config)]
    assert rename_settings("mine.py:mine", {"both_signs": "random"}, inherited) == {
        "quaternion_signs": "random"
    }


@pytest.mark.parametrize("old", METHOD_NAMES)
def test_an_old_name_of_a_method_is_refused_with_the_present_one(old):
    with pytest.raises(InvalidInputError, match=f"unknown method '{old}'; it is now called"):
        resolve_method(old)


def test_an_old_name_of_a_setting_is_refused_with_the_present_one():
    with pytest.raises(InvalidInputError, match="sie: both_signs is now called quaternion_signs"):
        make_method_config("sie", {"both_signs": "random"})
    with pytest.raises(InvalidInputError, match="simclr has no layers; it has temperature"):
        make_method_config("simclr", {"layers": 1})
