"""Requests that schemathesis makes from the OpenAPI document: each answer is as documented."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
import time_machine
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings, strategies
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from django_xcover.models import Quote
from django_xcover.policies import renewal as renewing
from tests.api.conforming import DOCUMENT
from tests.api.conftest import ROOT, Program
from tests.examples import examples
from tests.policies.renewal.conftest import BOUGHT, ENDS, yearly
from tests.shop import Cart

pytestmark = pytest.mark.django_db

OPERATIONS = [(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods]
# Any text but "" is an order's number, so no request to these addresses is wrong.
ALWAYS_VALID = {("get", "/orders/{reference}/cover/"), ("get", "/orders/{reference}/offer/")}
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
TOKEN = "t" * 32
Values = Mapping[str, Any]


@pytest.fixture
def existing(program: Program) -> Iterator[Mapping[str, Values]]:
    """Return the values of the paths to what Ana has, by the part of the path that names it.

    Her cover ends in twenty days, one cancellation and one change are not confirmed, and her next
    cart has an offer.
    """
    with time_machine.travel(BOUGHT, tick=False) as clock:
        program.buys(yearly())
        clock.move_to(ENDS - timedelta(days=20))
        [renewal] = renewing.find_due()
        policy = {"quote_id": Quote.objects.get().quote_id, "kind": "certificate"}
        path = f"policies/{policy['quote_id']}"
        cancellation = program.posts(f"{path}/cancellations/").json()["id"]
        name = {"first_name": "Eve"}
        change = program.posts(f"{path}/modifications/", policyholder=name).json()["id"]
        program.front.cart = program.shopper.cart = Cart()
        program.shopper.sees()
        yield {
            "/cancellations/": {**policy, "id": cancellation},
            "/modifications/": {**policy, "id": change},
            "/renewals/": {**policy, "id": renewal.pk},
            "/orders/": {"reference": "ORD-1"},
            "/": policy,
        }


@pytest.fixture(autouse=True)
def open_connection(existing: Mapping[str, Values]) -> Iterator[None]:
    """Let the requests use the test's transaction: a WSGI application closes connections.

    Django's test client, which `existing` uses, connects the signals again.
    """
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield
    for signal in ends:
        signal.connect(close_old_connections)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_request_gets_a_5xx_or_an_answer_that_is_not_in_the_document(
    existing: Mapping[str, Values], method: str, path: str
) -> None:
    values = next(values for part, values in existing.items() if part in path)

    @settings(
        max_examples=examples(50),
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=_cases(method, path), exists=strategies.booleans())
    def is_answered(case: Any, exists: bool) -> None:
        if exists:
            case.path_parameters = {name: values[name] for name in case.path_parameters}
        with transaction.atomic():
            response = case.call(headers={"X-CSRFToken": TOKEN}, cookies={"csrftoken": TOKEN})
            transaction.set_rollback(True)
        case.validate_response(response, checks=CHECKS)

    is_answered()


def _cases(method: str, path: str) -> strategies.SearchStrategy[Any]:
    schema = schemathesis.openapi.from_dict({**DOCUMENT, "servers": [{"url": ROOT[:-1]}]})
    schema.app = get_wsgi_application()
    modes = [GenerationMode.POSITIVE]
    if (method, path) not in ALWAYS_VALID:
        modes.append(GenerationMode.NEGATIVE)
    return strategies.one_of([schema[path][method].as_strategy(mode) for mode in modes])
