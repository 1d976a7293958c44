"""Requests made up from our own OpenAPI document: none is answered with a fault of ours, and every answer is as the document says."""

from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as searched
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from rayapp.serve.taken_upload import ENDINGS
from tests.serve import test_jobs

ask, settings = test_jobs.ask, test_jobs.settings

EXAMPLES = 8
AS_TOLD = [status_code_conformance, content_type_conformance, response_headers_conformance, response_schema_conformance]
PASSED_ON = ("params", "headers", "json", "content")


@schemathesis.serializer("application/zip", *sorted(ENDINGS | {"application/x-tar": ""}))
def as_it_is(_context, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_made_up_request_is_answered_as_the_document_says_and_none_with_a_fault_of_ours(ask, mode):
    schema = schemathesis.openapi.from_dict(ask("GET", "/openapi.json").json())
    faults, sent = [], 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @seed(1)
        @searched(max_examples=EXAMPLES, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy(generation_mode=mode))
        def send(case):
            nonlocal sent
            told = case.as_transport_kwargs(base_url="http://rayapp")
            words = {name: told[name] for name in PASSED_ON if told.get(name) is not None}
            if isinstance(told.get("data"), bytes | str):
                words["content"] = told["data"]
            answer = ask(told["method"], told["url"], **words)
            sent += 1
            if answer.status_code >= 500:
                faults.append((case.method, case.path, answer.status_code, answer.text))
            try:
                case.validate_response(Response.from_httpx(answer, verify=False), checks=AS_TOLD)
            except FailureGroup as group:
                faults.extend((case.method, case.path, answer.status_code, str(failure)) for failure in group.exceptions)

        with suppress(Unsatisfiable):  # where nothing can be wrong
            send()
    assert not faults
    assert sent > 10 * EXAMPLES
