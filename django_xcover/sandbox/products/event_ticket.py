"""`event_ticket_protection`: the money back when one cannot go."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django_xcover.sandbox import money
from django_xcover.sandbox.products.base import (
    Cover,
    Product,
    Terms,
    benefit,
    needed,
    no_policy,
    optional_texts,
)
from django_xcover.sandbox.products.event_ticket_texts import TEXTS
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

# With the fee and the tax: 7.8 % of a £30 ticket, 7.0 % of a £60 one, 6.6 % of £120.
NET_RATE = Decimal("0.055")
TRAVEL_SHARE = Decimal("0.25")


def cover(fields: Mapping[str, Any], terms: Terms) -> Cover:
    """Return the cover for the tickets listed.

    The cover follows `tickets[].price`, each entry once whatever `number_of_tickets` says, and
    ends with the event (recorded). Inferred: prices are in the quote's currency; staging of 2021
    took them as A$, its own policy currency.
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


# Inferred: which fields must be there. The recordings always send all of them; the 2019 key
# `total_ticket_price` is still accepted in place of `tickets`.
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
    # that only what costs nothing can. Inferred: what cannot be changed.
    fixed=frozenset({"event_country", "resale_ticket"}),
    # Recorded: the partner of November 2021 was offered instalments for tickets, and only their
    # whole price. `first_instalment_amount` is documented, for plans of other policy types.
    instalments=True,
    first_instalment_named=False,
)
