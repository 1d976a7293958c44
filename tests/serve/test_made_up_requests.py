"""Requests made up from our own OpenAPI document: none is answered with a fault of ours."""

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as searched

from rayapp.serve.taken_upload import ENDINGS
from tests.serve import test_jobs

ask, settings = test_jobs.ask, test_jobs.settings

EXAMPLES = 15
PASSED_ON = ("params", "headers", "json", "content")


@schemathesis.serializer("application/zip", *sorted(ENDINGS | {"application/x-tar": ""}))
def as_it_is(_context, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def test_no_made_up_request_is_answered_with_a_fault_of_ours(ask):
    schema = schemathesis.openapi.from_dict(ask("GET", "/openapi.json").json())
    faults, sent = [], 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @seed(1)
        @searched(max_examples=EXAMPLES, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy())
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

        send()
    assert not faults
    assert sent > 20 * EXAMPLES / 2
