"""The contract of stores finds what is wrong with one, and says what it wants."""

CODE = """
import pytest

from turntable.datasets.stores import LocalStore
from turntable.testing.stores import StoreContract


class Short(LocalStore):
    def read_range(self, name, offset, size):
        return super().read_range(name, offset, max(0, size - 1))


class Unordered(LocalStore):
    def list(self, folder=""):
        return super().list(folder)[::-1]


class Open(LocalStore):
    def _path(self, name):
        return self.folder / name


class Believing(LocalStore):
    def upload(self, name, path, sha256):
        self.write(name, path.read_bytes())


class Greedy(LocalStore):
    def read(self, name, most_bytes):
        return super().read(name, 1 << 40)


def tested(kind):
    class Tested(StoreContract):
        @pytest.fixture
        def store(self, tmp_path):
            return kind(tmp_path / "set")

    return Tested


TestShort, TestUnordered, TestOpen = tested(Short), tested(Unordered), tested(Open)
TestBelieving, TestGreedy = tested(Believing), tested(Greedy)
"""


def test_a_wrong_store_fails_by_name(fail_by_name):
    wanted = {
        "TestShort.test_ranges": "read_range gives 10 bytes from 0 on, fewer where the file ends before",
        "TestUnordered.test_lists_are_of_folders_and_sorted": "list gives the names of all files, sorted",
        "TestOpen.test_a_name_never_leaves_the_store[../x]": "refuses the name '../x'",
        "TestBelieving.test_upload_of_something_else_leaves_what_was_there": "raises IntegrityError",
        "TestGreedy.test_no_more_is_read_than_is_allowed": "longer than most_bytes raises GivenUpError",
    }
    fail_by_name(CODE, "TestUnordered.test_ranges", wanted)
