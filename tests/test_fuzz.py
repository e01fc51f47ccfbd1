"""A short run of `python -m tests.fuzz`: nothing unhandled, nothing told, nothing unsigned kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.utils.html import escape

from django_xcover.client import endpoints
from django_xcover.client.endpoints import Endpoint
from django_xcover.policies import documents
from tests.fuzz import answers, deliveries
from tests.fuzz.mutations import HTML
from tests.fuzz.pages import wrong_with
from tests.fuzz.plants import PLANTS
from tests.fuzz.recording import Request
from tests.fuzz.report import Report
from tests.fuzz.strictness import as_strict_as_any

pytestmark = pytest.mark.django_db
HOOKS, ANSWERS = 2000, 1500

EVERY = [name for name, row in vars(endpoints).items() if isinstance(row, Endpoint)]


@pytest.fixture(scope="module")
def asked(django_db_setup: None, django_db_blocker: Any) -> set[Request]:
    """Return every request whose answer is bent in some step."""
    with django_db_blocker.unblock(), transaction.atomic():
        found = {key for step in answers.recorded() for key in step.answers}
        transaction.set_rollback(True)
    return found


def found_by(run: Callable[[int, Report], None], count: int) -> dict[str, Any]:
    """Return the report of a run with a seed of its own."""
    report = Report(seed=20261121)
    with as_strict_as_any():
        run(count, report)
    return report.as_json()


def test_bent_webhooks_are_refused_or_kept_and_never_an_error() -> None:
    found = found_by(deliveries.run, HOOKS)

    assert found["examples"] == []
    assert found["cases"] == HOOKS
    assert {"200", "400", "404", "405"} <= found["outcomes"].keys()


def test_bent_answers_are_taken_or_refused_and_never_unhandled() -> None:
    found = found_by(answers.run, ANSWERS)

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


@pytest.mark.parametrize("plant", sorted(filter(None, PLANTS)))
def test_a_run_notices_every_planted_fault(plant: str) -> None:
    with PLANTS[plant]():
        found = found_by(answers.run, 200 if plant == "anything_kept" else 1)

    assert found["faults"]


@pytest.mark.parametrize("markup", [HTML, f"<p>{HTML}</p>", '<a href="javascript:x">y</a>'])
def test_markup_of_xcovers_on_a_page_is_noticed_and_in_json_it_is_none(markup: str) -> None:
    assert wrong_with(HttpResponse(markup)) == "has markup of XCover's"
    assert wrong_with(HttpResponse(escape(markup))) == ""
    assert wrong_with(JsonResponse({"name": markup})) == ""


def test_a_run_notices_what_cannot_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(value: Any) -> str:
        raise ValueError(value)

    monkeypatch.setattr(documents, "web_address", fails)
    monkeypatch.setattr(answers, "LOOKED_AT", 1)

    found = found_by(answers.run, 60)

    assert any(what.endswith(" cannot be shown") for what in found["faults"])
