"""The contract of the OpenGL backend, run by pytest on the device; every warning and OpenGL error counts."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

from steps import Row, Rows, Setting

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests" / "renderer" / "test_gl_backend.py"
DEVICE_VARIABLE = "TURNTABLE_TEST_DEVICE"
"""Read by the tests: the device that they open, as ``turntable render --device`` takes it."""


class ContractError(Exception):
    """Raised where the backend does not do what its contract says; the rows name the tests."""


def run(setting: Setting) -> Rows:
    """Run the tests, and yield how many passed and each that did not."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            *(sys.executable, "-m", "pytest", str(TESTS), "-q", "-W", "error"),
            *("-p", "no:cacheprovider", "-p", "no:randomly", "-o", "addopts=", f"--junitxml={report}"),
        ]
        environment = {**os.environ, DEVICE_VARIABLE: setting.draws_on}
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=sys.stderr, check=False)
        if not report.exists():
            raise ContractError(f"pytest ended with {done.returncode} before any test")
        cases = list(ET.parse(report).iter("testcase"))
    wrong = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None]
    yield Row("tests that passed", float(len(cases) - len(wrong) - len(skipped)))
    yield Row("skipped", float(len(skipped)))
    for case in wrong:
        yield Row(f"failed: {case.get('name')}", _message(case))
    if wrong:
        raise ContractError(f"{len(wrong)} of {len(cases)} tests failed")
    if done.returncode:
        raise ContractError(f"pytest ended with {done.returncode}")


def _message(case: ET.Element) -> str:
    fault = case.find("failure")
    fault = case.find("error") if fault is None else fault
    said = "" if fault is None else fault.get("message", "")
    return said.strip().split("\n")[0][:200]
