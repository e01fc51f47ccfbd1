"""The factory for offers after the sale."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.utils import timezone
from factory import LazyAttribute, LazyFunction, Sequence, Trait
from factory.django import DjangoModelFactory

from django_xcover.models import AfterSaleOffer, Choice, Status
from django_xcover.testing.factories import answers
from django_xcover.testing.factories.declarations import NOW, after, new_uuid
from django_xcover.testing.factories.packages import PRICE

LINE, LABEL, TYPE = "ticket", "Harbour Lights Festival", "event_ticket_protection"


class AfterSaleOfferFactory(DjangoModelFactory[AfterSaleOffer]):
    """Cover for tickets, offered for an order without cover. Unanswered unless a trait is set."""

    class Meta:
        model = AfterSaleOffer

    class Params:
        accepted = Trait(
            choice=Choice.ACCEPTED, lines=[LINE], premium=PRICE, answered_at=NOW, revision=2
        )
        declined = Trait(choice=Choice.DECLINED, answered_at=NOW, revision=2)
        paid = Trait(accepted=True, paid_at=NOW, payment_reference="pay_1")

    order_reference = Sequence(lambda number: f"AS-{number:05}")
    account = "default"
    completed_at = after(days=-1)
    fingerprint = LazyFunction(lambda: new_uuid().replace("-", ""))
    quoted_at = NOW
    currency = "GBP"
    request = LazyAttribute(lambda row: json.dumps(_request(row.currency)))
    answer = LazyAttribute(lambda row: json.dumps(_answer(row)))


def _request(currency: str) -> dict[str, Any]:
    item = {
        "reference": LINE,
        "label": LABEL,
        "policy_type": TYPE,
        "policy_type_version": 1,
        "policy_start_date": None,
        "currency": "",
        "fields": {"event_name": LABEL, "event_country": "GB", "number_of_tickets": 2},
    }
    locale = {"customer_country": "GB", "customer_language": "en"}
    nowhere = {"customer_region": None, "customer_postcode": None}
    return {"currency": currency, **locale, **nowhere, "items": [item]}


def _answer(row: Any) -> dict[str, Any]:
    """Return XCover's answer to a fast quote."""
    package = SimpleNamespace(
        package_id=new_uuid(), currency=row.currency, quoted_at=row.quoted_at, booked_at=None
    )
    quote = SimpleNamespace(
        package=package,
        quote_id=new_uuid(),
        status=Status.RECEIVED,
        label=LABEL,
        policy_type=TYPE,
        policy_name="Missed Event Cover",
        price=PRICE,
        policy_start_date=timezone.now(),
        policy_end_date=timezone.now() + timedelta(days=30),
        is_renewable=False,
    )
    return {
        "fast_quote_id": new_uuid(),
        "currency": row.currency,
        "quotes": {"0": answers.quote(quote)},
    }
