"""Random requests, valid and invalid by /openapi.json: no server error, and responses as described."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

from turntable.datasets import open_dataset
from turntable.service import ServiceSettings, build_catalog, create_app

schemathesis = pytest.importorskip("schemathesis")

from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    response_schema_conformance,
)

POSITIVE, NEGATIVE = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE


@pytest.fixture
def app(served_folder):
    return create_app(build_catalog([served_folder]), ServiceSettings(allow_hosts=("*",)))


@pytest.fixture
def document(app, served_folder):
    """Return a function that gives the document, with names that exist beside those that the fuzzer makes up.

    Where requests are to be wrong, only names that exist are right: others are then soon found, and what else
    is wrong is asked of what exists.
    """
    with open_dataset(served_folder).open_split("train") as train:
        key = train.keys[0]
    known = {"name": "small", "key": key, "dataset": "small", "path": "labels.parquet"}

    def load(mode):
        loaded = schemathesis.openapi.from_asgi("/openapi.json", app)
        for path in loaded.raw_schema["paths"].values():
            for parameter in (item for way in path.values() for item in way.get("parameters", ())):
                if parameter["name"] in known:
                    exists = {"type": "string", "enum": [known[parameter["name"]]]}
                    any_name = {"anyOf": [exists, parameter["schema"]]}
                    parameter["schema"] = any_name if mode is POSITIVE else exists
        for name in ("Query", "Render"):
            properties = loaded.raw_schema["components"]["schemas"][name]["properties"]
            properties["dataset"] = {"type": "string", "enum": ["small", "other"]}
        return loaded

    return load


@pytest.mark.parametrize("mode", [POSITIVE, NEGATIVE])
def test_every_response_is_as_described(document, mode):
    """Requests that the document allows, and others that it does not."""
    asked = 0
    for result in document(mode).get_all_operations():
        operation = result.ok()

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=20, suppress_health_check=list(HealthCheck))
        def ask(case):
            nonlocal asked
            answer = case.call()
            asked += 1
            assert answer.status_code < 500 or answer.status_code == 501, (
                case.as_curl_command(),
                answer.text,
            )
            described = case.operation.definition.raw["responses"]
            assert str(answer.status_code) in {*described, "405"}, (case.as_curl_command(), answer.text)
            if mode is POSITIVE:
                case.validate_response(answer, checks=[response_schema_conformance, content_type_conformance])

        try:
            ask()
        except Unsatisfiable:
            assert mode is NEGATIVE  # nothing of this request can be wrong
    assert asked > 100
