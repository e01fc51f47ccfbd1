"""Offers for the gallery, from rows that aren't saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django_xcover.mirror.presentation import Offer, build_offer
from django_xcover.models import Choice, Quote
from django_xcover.testing.factories import QuoteFactory, QuotePackageFactory, answers


@dataclass(frozen=True, slots=True)
class Item:
    """What is insured, under the name of its policy, and the price of its cover in pounds."""

    policy_type: str
    policy_name: str
    label: str
    price: str


ITEMS = (
    Item("event_ticket_protection", "Missed Event Cover", "Harbour Lights Festival", "5.25"),
    Item("comprehensive_travel_insurance", "Travel Cover", "Flight to Lisbon", "18.40"),
    Item("parcel_insurance", "Parcel Cover", "Parcel label", "3.10"),
    Item("renters_insurance", "Contents Cover", "Flat in Orchard Lane", "96.00"),
    Item("product_insurance", "Device Cover", "Lumen 14", "139.90"),
)
TICKET, FLIGHT = ITEMS[:2]
LONG = Item(
    "event_ticket_protection",
    "Missed Event and Travel Disruption Cover with Accompanying Persons Extension",
    "two seats in the front row at the opening night of the Harbour Lights Festival with the "
    "Donaudampfschifffahrtselektrizitätenorchester",
    "12345.67",
)

YES, NO = Choice.ACCEPTED.value, Choice.DECLINED.value
# XCover's texts, about as long as those it was recorded with.
DESCRIPTION = (
    "Get the price of your tickets back if you cannot go because of illness, injury, a family "
    "emergency, a breakdown on the way or a change at work."
)
UP_TO_PRICE = "Up to the ticket price"
BENEFITS = (
    ("Ticket price and booking fees if you cannot attend", "£120.00", "None"),
    ("Illness, injury or death of a ticket holder or close relative", UP_TO_PRICE, "None"),
    ("Jury service, redundancy or called in to work", UP_TO_PRICE, "None"),
    ("Extra travel cost after a breakdown on the day", "£30.00", "£5.00"),
)
DOCUMENTS = [
    {"name": "Insurance product information document", "url": f"{answers.SITE}/files/ipid.pdf"},
    {"name": "Key facts about Harbour Mutual", "url": f"{answers.SITE}/files/key-facts.pdf"},
]
# What the shopper accepted before: XCover leaves one out, and the cart has lost the other.
LOST = [
    {"line": "a", "label": "Opera Night", "amount": "4.10", "currency": "GBP", "is_asked": True},
    {"line": "b", "label": "Book Fair", "amount": "2.30", "currency": "GBP", "is_asked": False},
]


def offer(
    *items: Item,
    choices: Sequence[str] = (),
    plans: bool = False,
    lost: bool = False,
    fields: Mapping[str, Any] | None = None,
    **columns: Any,
) -> Offer:
    """Return an offer of `items`, answered with `choices` in their order.

    `fields` replaces fields of XCover's answer to each quote, and `columns` columns of its row.
    """
    package = QuotePackageFactory.build(labels=(), lost_cover=LOST if lost else [])
    answered = list(choices) or [""] * len(items)
    own = {**_fields(plans=plans), **(fields or {})}
    return build_offer(
        [
            _quote(item, own, package=package, position=n, choice=answered[n], **columns)
            for n, item in enumerate(items)
        ]
    )


def empty(*, lost: bool = False) -> Offer:
    """Return an offer without quotes; if `lost`, with the cover that isn't offered any more."""
    left = offer(TICKET, lost=lost).lost
    return Offer(package_id="", currency="GBP", quotes=(), lost=left)


def bare() -> Offer:
    """Return an offer for which XCover sends only what it must."""
    nothing: dict[str, Any] = {
        "cover_amount": None,
        "cover_amount_formatted": None,
        "pds_url": None,
    }
    fields = {"policy": {}, "benefits": [], **nothing}
    return offer(TICKET, fields=fields, label="", policy_start_date=None, policy_end_date=None)


def long() -> Offer:
    """Return an offer with texts that are longer than any page expects."""
    words = f"{DESCRIPTION} " * 4
    benefits = [(words, "Up to the price that was paid for the whole journey and stay", words)] * 3
    content = {"description": words, "disclaimer": f"<p>{words}</p>"}
    insurer = {
        "name": "Harbour Mutual Insurance and Reassurance Company (Europe) SE, Branch Office"
    }
    fields = {
        "benefits": _benefits(benefits),
        "files": [{**DOCUMENTS[0], "name": "Information_document_2026_with_a_file_name.pdf" * 2}],
        "policy": {"content": content, "underwriter": insurer},
    }
    return offer(LONG, fields=fields)


def _quote(item: Item, fields: Mapping[str, Any], **columns: Any) -> Quote:
    named = {"label": item.label, "policy_name": item.policy_name, "policy_type": item.policy_type}
    quote: Quote = QuoteFactory.build(**{**named, "price": Decimal(item.price), **columns})
    quote.payload = {**quote.payload, **fields}
    return quote


def _fields(*, plans: bool) -> dict[str, Any]:
    """Return fields of XCover's answer that replace those of the factory."""
    policy = {
        "content": {
            "description": DESCRIPTION,
            "disclaimer": f'<p>Read the <a href="{answers.SITE}/pds">policy wording</a> first.</p>',
        },
        "underwriter": {"name": "Harbour Mutual Insurance Limited"},
    }
    without: dict[str, Any] = {} if plans else {"instalment_plans": []}
    return {"policy": policy, "benefits": _benefits(BENEFITS), **without}


def _benefits(rows: Sequence[tuple[str, str, str]]) -> list[dict[str, str]]:
    names = ("description", "limit_description", "excess_description")
    return [dict(zip(names, row, strict=True)) for row in rows]
