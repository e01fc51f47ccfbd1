"""`comprehensive_travel_insurance`: a trip, from its booking to the return.

The request fields are those of the sibling API (Quotes API: request fields per type). Inferred:
which of them are required, and all prices and benefits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
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
from django_xcover.sandbox.tariff.pricing import COUNTRIES, EURO_AREA
from django_xcover.sandbox.validation import (
    INSURED,
    Field,
    amount,
    boolean,
    count,
    integer,
    list_of,
    moment,
    nested,
    one_of,
)

ENGLISH = Texts(
    title="Comprehensive Travel Insurance: {name}",
    description=(
        "Treatment abroad, the price of the trip if you have to cancel it, and your luggage."
    ),
    optout_msg="No cover: I pay for treatment and for a cancelled trip myself.",
    disclaimer=(
        '<p>Please read the <a href="{pds_url}">policy wording</a> before you decide: it lists '
        "what is covered, the limits, the excess and what is not covered. Illness you knew of "
        "and countries your government advises against are not covered.</p>"
        "<p>Arranged by XCover.com and underwritten by Harbour Mutual Insurance Limited. You can "
        "cancel within 14 days and get the full price back if you have neither travelled nor "
        "made a claim.</p>"
    ),
    benefits={
        "medical": "Medical treatment and transport home",
        "cancellation": "Trip cancelled or cut short by illness, injury or death",
        "baggage": "Luggage lost, stolen or damaged",
        "delay": "Departure delayed by more than four hours",
        "no_tickets": "No ticket price was named",
        "per_hour": "A fixed sum for each full hour",
        "none": "None",
    },
    wording=(
        (
            "What is covered",
            ("Treatment you need on the trip, the way home when a doctor orders it, what you paid "
            "for a trip you cannot take, and your luggage."),
        ),
        (
            "What is not covered",
            ("Illness you knew of when you bought the cover, dangerous sports, drink and drugs, "
            "and countries your government advises against."),
        ),
        ("When it applies", ("Cancellation from the start of the policy, everything else from "
         "the start to the end of the trip.")),
        (
            "How to claim",
            ("Call before you are treated, keep every receipt, and report a theft to the police "
            "within 24 hours."),
        ),
        (
            "If you change your mind",
            ("You can cancel within 14 days of buying and get the full price back. After that, "
            "until the trip begins, you get back the share for the time that is left."),
        ),
    ),
)  # fmt: skip
GERMAN = Texts(
    title="Reiseversicherung: {name}",
    description=(
        "Behandlung im Ausland, der Reisepreis bei Rücktritt oder Abbruch und Ihr Gepäck."
    ),
    optout_msg="Kein Schutz: Behandlung und Reiserücktritt zahle ich selbst.",
    disclaimer=(
        '<p>Bitte lesen Sie vor Ihrer Entscheidung die <a href="{pds_url}">Bedingungen</a>: Dort '
        "stehen Umfang, Höchstbeträge, Selbstbeteiligung und Ausschlüsse. Nicht versichert sind "
        "Ihnen bekannte Krankheiten und Länder, vor denen gewarnt wird.</p>"
        "<p>Vermittelt durch XCover.com, Risikoträger ist die Harbour Mutual Insurance Limited. "
        "Sie können innerhalb von 14 Tagen kündigen und erhalten den vollen Preis zurück, "
        "solange Sie weder gereist sind noch einen Schaden gemeldet haben.</p>"
    ),
    benefits={
        "medical": "Medizinische Behandlung und Rücktransport",
        "cancellation": "Rücktritt oder Abbruch wegen Krankheit, Unfall oder Tod",
        "baggage": "Gepäck verloren, gestohlen oder beschädigt",
        "delay": "Abreise um mehr als vier Stunden verspätet",
        "no_tickets": "Es wurde kein Reisepreis genannt",
        "per_hour": "Ein fester Betrag je voller Stunde",
        "none": "Keine",
    },
    wording=(
        (
            "Was versichert ist",
            ("Notwendige Behandlungen auf der Reise, der ärztlich angeordnete Rücktransport, der "
            "Preis einer Reise, die Sie nicht antreten können, und Ihr Gepäck."),
        ),
        (
            "Was nicht versichert ist",
            ("Beim Kauf bekannte Krankheiten, gefährliche Sportarten, Alkohol und Drogen sowie "
            "Länder, vor denen das Auswärtige Amt warnt."),
        ),
        ("Wann der Schutz gilt", ("Rücktritt ab Beginn der Police, alles andere vom Beginn bis "
         "zum Ende der Reise.")),
        (
            "Im Schadenfall",
            ("Rufen Sie vor einer Behandlung an, bewahren Sie alle Belege auf und zeigen Sie einen "
            "Diebstahl innerhalb von 24 Stunden an."),
        ),
        (
            "Widerruf",
            ("Sie können innerhalb von 14 Tagen nach dem Kauf kündigen und erhalten den vollen "
            "Preis zurück, danach bis zum Reisebeginn den Anteil für die restliche Zeit."),
        ),
    ),
)  # fmt: skip
TEXTS = {"en": ENGLISH, "de": GERMAN}


LONGEST = timedelta(days=365)
NEAR = EURO_AREA | {"BG", "CH", "CZ", "DK", "GB", "HU", "IS", "LI", "NO", "PL", "RO", "SE"}
POUNDS_A_DAY = {True: Decimal("1.10"), False: Decimal("2.40")}  # Near and far destinations.
CHILD_SHARE = Decimal("0.5")
CANCELLATION_RATE = Decimal("0.035")
MEDICAL_IN_POUNDS = Decimal(5_000_000)
BAGGAGE_IN_POUNDS = Decimal(1500)
EXCESS_IN_POUNDS = Decimal(75)


def cover(fields: Mapping[str, Any], terms: Terms) -> Cover:
    """Return the cover of a trip: cancellation from the policy's start, the rest during the trip.

    Raise Invalid for a trip that has begun, ends before it begins or lasts longer than a year.
    """
    begins, ends = fields["trip_start_date"], fields["trip_end_date"]
    start = fields.get("policy_start_date") or min(terms.now, begins)
    if not terms.now <= begins < ends <= begins + LONGEST or start > begins:
        raise no_policy()
    tickets = money.rounded(fields.get("total_tickets_price", Decimal(0)), terms.currency)
    days = -((begins - ends) // timedelta(days=1))  # each day that has begun counts
    daily = terms.pounds(_pounds_a_day(fields) * days)
    net = daily + money.rounded(tickets * CANCELLATION_RATE, terms.currency)
    medical = terms.pounds(MEDICAL_IN_POUNDS)
    return Cover(start, ends, net, medical, _benefits(medical, tickets, terms))


def _pounds_a_day(fields: Mapping[str, Any]) -> Decimal:
    """Return the price per day for all travellers: half for children, nothing for infants."""
    children = CHILD_SHARE * int(fields.get("number_of_children", 0))
    travellers = Decimal(fields["number_of_adults"]) + children
    return POUNDS_A_DAY[fields["destination_country"] in NEAR] * travellers


def _benefits(medical: Decimal, tickets: Decimal, terms: Terms) -> list[dict[str, Any]]:
    baggage = terms.pounds(BAGGAGE_IN_POUNDS)
    excess = terms.pounds(EXCESS_IN_POUNDS)
    return [
        benefit("medical", terms, limit=medical, excess=excess),
        benefit("cancellation", terms, limit=tickets or "no_tickets", excess=min(excess, tickets)),
        benefit("baggage", terms, limit=baggage, excess=excess),
        benefit("delay", terms, limit="per_hour", excess="none"),
    ]


OWN: dict[str, Field] = {
    "policy_end_date": Field(moment),
    "trip_start_date": needed(moment),
    "trip_end_date": needed(moment),
    "destination_country": needed(one_of(COUNTRIES)),
    "departure_country": Field(one_of(COUNTRIES)),
    "number_of_adults": needed(integer),
    "number_of_children": Field(count),
    "number_of_infants": Field(count),
    "total_tickets_price": Field(amount),
    "is_return": Field(boolean),
    "insured": Field(list_of(nested(INSURED))),
    **optional_texts("sales_channel"),
}

TRAVEL = Product(
    policy_type="comprehensive_travel_insurance",
    group_name="travel",
    name="Comprehensive Travel Insurance",
    code="TRAV0001",
    version_id="9a0c5d5e-7f0b-4a86-9f0d-2f1c7b8e6a03",
    name_field="destination_country",
    own=OWN,
    cover=cover,
    texts=TEXTS,
    fixed=frozenset({"departure_country", "sales_channel"}),
    cancellable_until="trip_start_date",
)
