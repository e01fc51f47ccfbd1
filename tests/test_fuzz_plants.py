"""A fuzzer that finds nothing must be one that could: it notices every fault planted for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse, JsonResponse
from django.utils.html import escape
from pytest_django import DjangoDbBlocker

from django_xcover.policies import documents
from tests.fuzz import answers
from tests.fuzz.mutations import HTML
from tests.fuzz.pages import wrong_with
from tests.fuzz.plants import PLANTS
from tests.fuzz.report import Report
from tests.fuzz.strictness import as_strict_as_any

pytestmark = pytest.mark.django_db


class Noticed(BaseException):
    """A fault was seen. Nothing catches it on the way, so that a run ends there."""


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[answers.Sales]:
    """Make the sales once. Each test is a savepoint in their transaction."""
    with django_db_blocker.unblock(), answers.made() as sales:
        yield sales


@pytest.fixture
def sales(made: answers.Sales, db: None) -> answers.Sales:
    """Return the sales whose answers are bent."""
    return made


def first_fault(sales: answers.Sales, count: int) -> str:
    """Return the first fault that a run of `count` bent answers notices."""

    def stop(example: dict[str, Any]) -> None:
        raise Noticed

    report = Report(seed=20261121, alarm=stop)
    with pytest.raises(Noticed), as_strict_as_any():
        answers.feed(count, sales, report)
    (fault,) = report.faults
    return fault


@pytest.mark.parametrize("plant", sorted(filter(None, PLANTS)))
def test_a_run_notices_every_planted_fault(sales: answers.Sales, plant: str) -> None:
    with PLANTS[plant]():
        assert first_fault(sales, 200 if plant == "anything_kept" else 1)


@pytest.mark.parametrize("markup", [HTML, f"<p>{HTML}</p>", '<a href="javascript:x">y</a>'])
def test_markup_of_xcovers_on_a_page_is_noticed_and_in_json_it_is_none(markup: str) -> None:
    assert wrong_with(HttpResponse(markup)) == "has markup of XCover's"
    assert wrong_with(HttpResponse(escape(markup))) == ""
    assert wrong_with(JsonResponse({"name": markup})) == ""


def test_a_run_notices_what_cannot_be_shown(
    sales: answers.Sales, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(value: Any) -> str:
        raise ValueError(value)

    monkeypatch.setattr(documents, "web_address", fails)
    monkeypatch.setattr(answers, "LOOKED_AT", 1)

    assert first_fault(sales, 60).endswith(" cannot be shown")
