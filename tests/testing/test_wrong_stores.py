"""The contract tests of stores fail for a wrong store, and name the rule that it breaks."""

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
    def _get_path(self, name):
        return self.folder / name


class WithoutDigest(LocalStore):
    def upload(self, name, path, sha256):
        self.write(name, path.read_bytes())


class Greedy(LocalStore):
    def read(self, name, max_bytes):
        return super().read(name, 1 << 40)


def make_test_class(store_class):
    class Tested(StoreContract):
        @pytest.fixture
        def store(self, tmp_path):
            return store_class(tmp_path / "set")

    return Tested


TestShort = make_test_class(Short)
TestUnordered = make_test_class(Unordered)
TestOpen = make_test_class(Open)
TestWithoutDigest = make_test_class(WithoutDigest)
TestGreedy = make_test_class(Greedy)
"""


def test_a_wrong_store_fails_by_name(fail_by_name):
    wanted = {
        "TestShort.test_ranges": "read_range returns 10 bytes from offset 0",
        "TestUnordered.test_lists_are_of_folders_and_sorted": "list returns the names of all files, sorted",
        "TestOpen.test_a_name_never_leaves_the_store[../x]": "refuses the name '../x'",
        "TestWithoutDigest.test_upload_of_something_else_leaves_what_was_there": "raises IntegrityError",
        "TestGreedy.test_no_more_is_read_than_is_allowed": "longer than max_bytes raises RejectedResponse",
    }
    fail_by_name(CODE, "TestUnordered.test_ranges", wanted)
