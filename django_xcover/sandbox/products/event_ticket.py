"""`event_ticket_protection`: a refund if the customer cannot attend the event."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django_xcover.sandbox import money
from django_xcover.sandbox.products.base import (
    Cover,
    Product,
    Terms,
    Texts,
    benefit,
    needed,
    no_policy,
    optional_texts,
)
from django_xcover.sandbox.validation import (
    Field,
    amount,
    boolean,
    integer,
    list_of,
    moment,
    nested,
    text,
)

ENGLISH = Texts(
    title="Missed Event Cover for {name}",
    description=(
        "Get the price of your tickets back if you cannot go because of illness, injury, "
        "a family emergency, a breakdown on the way or a change at work."
    ),
    optout_msg="No cover: I carry the cost of the tickets myself if I cannot go.",
    disclaimer=(
        '<p>Please read the <a href="{pds_url}">policy wording</a> before you decide: it lists '
        "what is covered, the limits and what is not covered. Changing your mind, and events "
        "called off by the organiser, are not covered.</p>"
        "<p>Arranged by XCover.com and underwritten by Harbour Mutual Insurance Limited. You can "
        "cancel within 14 days and get the full price back if you have not made a claim.</p>"
    ),
    benefits={
        "ticket": "Ticket price and booking fees if you cannot attend",
        "illness": "Illness, injury or death of a ticket holder or close relative",
        "work": "Jury service, redundancy or called in to work",
        "travel": "Extra travel cost after a breakdown or cancelled train on the day",
        "up_to_ticket": "Up to the ticket price",
        "none": "None",
    },
    wording=(
        (
            "What is covered",
            (
                "The price you paid for the tickets, including booking fees, when you or someone "
                "you bought a ticket for cannot go for a reason listed under benefits."
            ),
        ),
        (
            "What is not covered",
            (
                "Changing your mind, events that are cancelled or moved by the organiser, "
                "tickets bought for resale, and illness you knew of when you bought the cover."
            ),
        ),
        ("When it applies", "From the start of the policy until the event begins."),
        (
            "How to claim",
            (
                "Tell us within 30 days of the event with your ticket and a document that shows "
                "the "
                "reason, such as a medical certificate."
            ),
        ),
        (
            "If you change your mind",
            (
                "You can cancel within 14 days of buying and get the full price back, unless "
                "you have claimed or the event has taken place."
            ),
        ),
    ),
)
GERMAN = Texts(
    title="Ticketschutz für {name}",
    description=(
        "Sie erhalten den Preis Ihrer Tickets zurück, wenn Sie wegen Krankheit, Unfall, eines "
        "Notfalls in der Familie, einer Panne auf dem Weg oder beruflich nicht kommen können."
    ),
    optout_msg="Kein Schutz: Ich trage den Ticketpreis selbst, wenn ich nicht kommen kann.",
    disclaimer=(
        '<p>Bitte lesen Sie vor Ihrer Entscheidung die <a href="{pds_url}">Bedingungen</a>: Dort '
        "steht, was versichert ist, bis zu welcher Höhe und was nicht. Nicht versichert sind eine "
        "geänderte Meinung und Absagen durch den Veranstalter.</p>"
        "<p>Vermittelt durch XCover.com, Risikoträger ist die Harbour Mutual Insurance Limited. "
        "Sie können innerhalb von 14 Tagen kündigen und erhalten den vollen Preis "
        "zurück, solange kein "
        "Schaden gemeldet ist.</p>"
    ),
    benefits={
        "ticket": "Ticketpreis und Gebühren, wenn Sie nicht teilnehmen können",
        "illness": "Krankheit, Unfall oder Tod einer Ticketinhaberin, eines Ticketinhabers oder "
        "naher Angehöriger",
        "work": "Schöffendienst, Verlust des Arbeitsplatzes oder Einbestellung zur Arbeit",
        "travel": "Mehrkosten der Anreise nach Panne oder Zugausfall am Tag der Veranstaltung",
        "up_to_ticket": "Bis zum Ticketpreis",
        "none": "Keine",
    },
    wording=(
        (
            "Was versichert ist",
            (
                "Der gezahlte Ticketpreis samt Gebühren, wenn Sie oder jemand, für den Sie ein "
                "Ticket gekauft haben, aus einem der genannten Gründe nicht teilnehmen kann."
            ),
        ),
        (
            "Was nicht versichert ist",
            (
                "Eine geänderte Meinung, vom Veranstalter abgesagte oder verlegte "
                "Veranstaltungen, zum "
                "Wiederverkauf gekaufte Tickets und Krankheiten, die Sie beim Kauf kannten."
            ),
        ),
        ("Wann der Schutz gilt", "Vom Beginn der Police bis zum Beginn der Veranstaltung."),
        (
            "Im Schadenfall",
            (
                "Melden Sie sich innerhalb von 30 Tagen nach der Veranstaltung mit Ihrem Ticket "
                "und "
                "einem Nachweis, zum Beispiel einem ärztlichen Attest."
            ),
        ),
        (
            "Widerruf",
            (
                "Sie können innerhalb von 14 Tagen nach dem Kauf kündigen und erhalten den vollen "
                "Preis zurück, sofern kein Schaden gemeldet ist und die Veranstaltung noch "
                "aussteht."
            ),
        ),
    ),
)
TEXTS = {"en": ENGLISH, "de": GERMAN}


# Including fee and tax: 7.8 % of a £30 ticket, 7.0 % of £60, 6.6 % of £120.
NET_RATE = Decimal("0.055")
TRAVEL_SHARE = Decimal("0.25")


def cover(fields: Mapping[str, Any], terms: Terms) -> Cover:
    """Return the cover for the listed tickets.

    The cover depends on `tickets[].price`, counting each entry once regardless of
    `number_of_tickets`, and ends with the event (recorded). Inferred: prices are in the quote's
    currency; in 2021 staging read them as A$, its own policy currency.
    """
    start = terms.start(fields)
    if fields["event_datetime"] < start:
        raise no_policy()
    value = money.rounded(_value(fields), terms.currency)
    net = money.rounded(value * NET_RATE, terms.currency)
    return Cover(start, fields["event_datetime"], net, value, _benefits(value, terms))


def _value(fields: Mapping[str, Any]) -> Decimal:
    if fields.get("tickets"):
        return sum((ticket["price"] for ticket in fields["tickets"]), Decimal(0))
    if "total_ticket_price" in fields:
        return Decimal(fields["total_ticket_price"])
    raise no_policy()


def _benefits(value: Decimal, terms: Terms) -> list[dict[str, Any]]:
    travel = money.rounded(value * TRAVEL_SHARE, terms.currency)
    excess = terms.pounds(Decimal(5))
    return [
        benefit("ticket", terms, limit=value, excess="none"),
        benefit("illness", terms, limit="up_to_ticket", excess="none"),
        benefit("work", terms, limit="up_to_ticket", excess="none"),
        benefit("travel", terms, limit=travel, excess=min(excess, travel)),
    ]


# Inferred: which fields are required. All recorded requests have all of them; the 2019 key
# `total_ticket_price` is still accepted instead of `tickets`.
OWN: dict[str, Field] = {
    "event_datetime": needed(moment),
    "event_name": needed(text),
    "number_of_tickets": needed(integer),
    "tickets": Field(list_of(nested({"price": needed(amount)}))),
    "total_ticket_price": Field(amount),
    "total_event_cost": Field(amount),
    "resale_ticket": Field(boolean),
    **optional_texts(
        "event_location",
        "event_country",
        "event_city",
        "event_address",
        "event_postcode",
    ),
}

EVENT_TICKET = Product(
    policy_type="event_ticket_protection",
    group_name="event",
    name="Missed Event Cover",
    code="MECG0001",
    version_id="b1c7a0de-51c2-4f0e-9d55-0f1a6ce3b801",
    name_field="event_name",
    own=OWN,
    priced={"tickets": "price"},
    cover=cover,
    texts=TEXTS,
    # Recorded: prices and number of tickets can be changed, although the page about events says
    # that only changes without a cost are possible. Inferred: which fields cannot be changed.
    fixed=frozenset({"event_country", "resale_ticket"}),
    # Recorded: in November 2021 the partner was offered instalments for tickets with only the total
    # price. `first_instalment_amount` is documented for plans of other policy types.
    instalments=True,
    first_instalment_named=False,
)
