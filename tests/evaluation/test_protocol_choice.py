"""Which protocol an evaluation follows: the run's preset carries over, and a line says so."""

import pytest

from turntable.errors import InvalidInputError
from turntable.evaluation import find_protocol_options, get_protocol, list_protocol_names, select_protocol


@pytest.mark.parametrize(
    ("run", "given", "name", "words"),
    [
        ("demo", None, "turntable-demo", "--preset demo, as the run was trained with it"),
        ("paper", None, "turntable", "--preset paper, as the run was trained with it"),
        (None, None, "turntable", "the run does not say"),
        ("demo", "paper", "turntable", None),
        ("paper", "demo", "turntable-demo", None),
    ],
)
def test_the_run_decides_unless_the_user_does(run, given, name, words):
    protocol, reason = select_protocol(run, "turntable", given)
    assert protocol == get_protocol(name)
    assert reason is None if words is None else words in reason


def test_other_protocols_have_one_length():
    assert select_protocol("demo", "sie") == (get_protocol("sie"), None)
    with pytest.raises(InvalidInputError, match="sie has one length: leave --preset out"):
        select_protocol("demo", "sie", "demo")


def test_a_protocol_in_results_has_the_options_that_choose_it():
    for name in list_protocol_names():
        options = dict(zip(*[iter(find_protocol_options(get_protocol(name).name).split())] * 2, strict=True))
        chosen, _ = select_protocol(None, options["--protocol"], options.get("--preset"))
        assert chosen == get_protocol(name)
    assert find_protocol_options("mine") is None
