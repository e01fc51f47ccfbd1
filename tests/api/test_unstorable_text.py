"""Text that no database keeps, sent to the API: refused, and never a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.conftest import ROOT, Program, policy_path
from tests.checkout.conftest import TEMPLATES
from tests.checkout.test_unstorable_text import PLACES, encoded, unstorable
from tests.security.walking import addresses

pytestmark = [pytest.mark.django_db, pytest.mark.every_engine]
FIELDS = ("quote", "shown", "plan", "policyholder", "reason", "currency", "first_name")


@pytest.fixture(autouse=True)
def no_shop(settings: Any) -> None:
    """Let a missing page be Django's own."""
    settings.TEMPLATES = [TEMPLATES]


def sends(program: Program, path: str, body: Any, method: str = "POST", query: str = "") -> Any:
    """Return the response to `body` in ASCII, in which JSON can spell half a character."""
    text = json.dumps(body)
    kind = "application/json"
    return program.client.generic(method, path, text, content_type=kind, QUERY_STRING=query)


@unstorable
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_address_answers_500_for_a_text_in_its_path_query_or_body(
    program: Program, text: str, method: str
) -> None:
    odd = encoded(text)
    body = {**dict.fromkeys(FIELDS, text), "choice": "yes"}

    for path in addresses(dict.fromkeys((*PLACES, "reference"), odd), below="/xcover/api/"):
        response = sends(program, path, body, method, f"page={odd}&cursor={odd}")

        assert response.status_code < 500, path


@unstorable
@pytest.mark.parametrize("field", ["quote", "shown", "plan"])
def test_an_answer_with_such_a_text_is_refused(program: Program, text: str, field: str) -> None:
    (offered,) = program.shopper.sees().quotes
    body = {"quote": offered.quote_id, "choice": "yes", field: text}

    response = sends(program, f"{ROOT}choice/", body)

    assert 400 <= response.status_code < 500


@unstorable
def test_changed_details_with_such_a_text_are_no_500(insured: Program, text: str) -> None:
    path = f"{ROOT}{policy_path('modifications/')}"

    response = sends(insured, path, {"policyholder": {"first_name": text}})

    assert response.status_code < 500
