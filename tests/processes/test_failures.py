import pickle
import signal

import pytest

from turntable.errors import MeshError
from turntable.processes import describe_exit, make_picklable


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (None, "hangs and cannot be killed"),
        (3, "ended with exit code 3"),
        (-signal.SIGTERM, "ended by SIGTERM"),
        (-signal.SIGSEGV, "ended by SIGSEGV (a crash in native code, usually in the graphics driver)"),
        (-(signal.NSIG + 35), f"ended by signal {signal.NSIG + 35}"),
    ],
)
def test_an_ending_has_words(code, words):
    assert describe_exit(code) == words


def raised(error):
    with pytest.raises(type(error)) as caught:
        raise error
    return make_picklable(caught.value)


def test_an_error_tells_where_it_happened():
    error = pickle.loads(pickle.dumps(raised(MeshError("chair: broken", reason="broken"))))
    assert (type(error), str(error), error.reason) == (MeshError, "chair: broken", "broken")
    assert "in raised" in error.__notes__[0]


def test_one_that_cannot_be_sent_becomes_its_text():
    class HereAloneError(Exception):
        pass

    error = raised(HereAloneError("of no other process"))
    assert type(error) is RuntimeError
    assert "HereAloneError: of no other process" in str(error)
