"""A fuzzer that finds nothing must be one that could: it notices every fault planted for it."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse, JsonResponse
from django.utils.html import escape

from django_xcover.policies import documents
from tests.fuzz import answers
from tests.fuzz.mutations import HTML
from tests.fuzz.pages import wrong_with
from tests.fuzz.plants import PLANTS
from tests.fuzz.report import report_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("plant", sorted(filter(None, PLANTS)))
def test_a_run_notices_every_planted_fault(plant: str) -> None:
    with PLANTS[plant]():
        found = report_of(answers.run, 200 if plant == "anything_kept" else 1)

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

    found = report_of(answers.run, 60)

    assert any(what.endswith(" cannot be shown") for what in found["faults"])
