import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.support import ROOT

Failures = dict[str, str]
"""Messages of the failed tests by CLASS.TEST."""
Run = Callable[..., Failures]


@pytest.fixture
def failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run tests of a file (CLASS or CLASS.TEST) in a new process in an empty folder, as their author does."""

    def run(code: str, *tests: str) -> Failures:
        (tmp_path / "test_mine.py").write_text(code)
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        report = tmp_path / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
        named = [f"test_mine.py::{test.replace('.', '::', 1)}" for test in tests]
        done = subprocess.run([*command, *named], cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        return {
            f"{case.get('classname', '').rpartition('.')[2]}.{case.get('name')}": failure.get("message", "")
            for case in ET.parse(report).iter("testcase")
            for failure in case.iter("failure")
        }

    return run


@pytest.fixture
def fail_by_name(failures: Run) -> Callable[[str, str, Mapping[str, str]], None]:
    """Check that one class or test of a file passes, and that others fail with certain messages."""

    def check(code: str, right: str, messages: Mapping[str, str]) -> None:
        found = failures(code, right, *messages)
        for test, message in messages.items():
            assert message in found[test], test
        assert not [name for name in found if f"{name}.".startswith(f"{right}.")]

    return check
