"""A short run of `python -m tests.fuzz`: nothing unhandled, nothing told, nothing unsigned kept."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from django_xcover.client import endpoints
from django_xcover.client.endpoints import Endpoint
from tests.examples import examples
from tests.fuzz import answers, deliveries
from tests.fuzz.recording import Request
from tests.fuzz.report import report_of

pytestmark = pytest.mark.django_db
HOOKS, ANSWERS = examples(2000), examples(800, least=240)

EVERY = [name for name, row in vars(endpoints).items() if isinstance(row, Endpoint)]


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[answers.Sales]:
    """Make the sales once. Each test is a savepoint in their transaction."""
    with django_db_blocker.unblock(), answers.made() as sales:
        yield sales


@pytest.fixture
def sales(made: answers.Sales, db: None) -> answers.Sales:
    """Return the sales whose answers are bent."""
    return made


@pytest.fixture(scope="module")
def asked(made: answers.Sales) -> set[Request]:
    """Return every request whose answer is bent in some step."""
    return {key for step in made.steps for key in step.answers}


def test_bent_webhooks_are_refused_or_kept_and_never_an_error() -> None:
    found = report_of(deliveries.run, HOOKS)

    assert found["examples"] == []
    assert found["cases"] == HOOKS
    assert {"200", "400", "404", "405"} <= found["outcomes"].keys()


def test_bent_answers_are_taken_or_refused_and_never_unhandled(sales: answers.Sales) -> None:
    found = report_of(lambda count, report: answers.feed(count, sales, report), ANSWERS)

    assert found["examples"] == []
    assert found["cases"] == ANSWERS
    assert {"page: 200", "page: 302", "reconcile: finished"} <= found["outcomes"].keys()


@pytest.mark.parametrize("name", EVERY)
def test_the_answer_of_every_endpoint_is_bent(name: str, asked: set[Request]) -> None:
    endpoint: Endpoint = getattr(endpoints, name)
    path = re.sub(r"\{\w+\}", "[^/?]+", f"/partners/[^/]+/{endpoint.path}")

    assert [
        one for one in asked if one[0] == endpoint.method and re.search(rf"{path}($|\?)", one[1])
    ]


def test_the_answer_to_a_fast_quote_is_bent_beside_that_to_a_quote(asked: set[Request]) -> None:
    """They share an endpoint."""
    queries = {path.partition("/quotes/")[2] for method, path in asked if method == "POST"}

    assert {"", "?fast_quote=1"} <= queries


def test_several_pages_of_the_list_are_bent(asked: set[Request]) -> None:
    assert len({path for _, path in asked if "offset=" in path}) >= 3
