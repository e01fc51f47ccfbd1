"""`renters_insurance`: the contents of a rented home, renewable.

In the renewal page's sample the period is a month. Inferred: all request fields, prices and
benefits.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from django_xcover.sandbox import datetimes, money
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
from django_xcover.sandbox.validation import Field, amount, integer, text

ENGLISH = Texts(
    title="Renters Insurance for {name}",
    description="What you own in your rented home, and what you might owe to others.",
    optout_msg="No cover: I replace my things and pay for damage to others myself.",
    disclaimer=(
        '<p>Please read the <a href="{pds_url}">policy wording</a> before you decide: it lists '
        "what is covered, the limits, the excess and what is not covered. The building itself, "
        "wear and damage done on purpose are not covered.</p>"
        "<p>Arranged by XCover.com and underwritten by Harbour Mutual Insurance Limited. You can "
        "cancel within 14 days and get the full price back if you have not made a claim.</p>"
    ),
    benefits={
        "contents": "Your things after fire, water or storm",
        "theft": "Your things after a break-in",
        "liability": "Damage you do to others or to the rented home",
        "away": "Your things away from home",
        "none": "None",
    },
    wording=(
        ("What is covered", ("What you own and keep in the rented home, at its price as new, and "
         "claims of others for damage you did by accident.")),
        ("What is not covered", ("The building, vehicles, animals, wear, and anything done on "
         "purpose or left in a home that stood empty for 60 days.")),
        ("When it applies", ("From the start to the end of the policy. Before it ends you are "
         "told what the next period costs.")),
        ("How to claim", ("Tell us within 14 days with photographs and receipts. After a "
         "break-in, report it to the police first.")),
        ("If you change your mind", ("You can cancel within 14 days of buying or renewing and get "
         "the full price back, unless you have claimed. After that you get back the share for "
         "the time that is left.")),
    ),
)  # fmt: skip
GERMAN = Texts(
    title="Mieterversicherung für {name}",
    description="Ihr Hausrat in der gemieteten Wohnung und Ihre Haftung gegenüber anderen.",
    optout_msg="Kein Schutz: Hausrat und Schäden an anderen zahle ich selbst.",
    disclaimer=(
        '<p>Bitte lesen Sie vor Ihrer Entscheidung die <a href="{pds_url}">Bedingungen</a>: Dort '
        "stehen Umfang, Höchstbeträge, Selbstbeteiligung und Ausschlüsse. Nicht versichert sind "
        "das Gebäude, Verschleiß und Vorsatz.</p>"
        "<p>Vermittelt durch XCover.com, Risikoträger ist die Harbour Mutual Insurance Limited. "
        "Sie können innerhalb von 14 Tagen kündigen und erhalten den vollen Preis zurück, "
        "solange kein Schaden gemeldet ist.</p>"
    ),
    benefits={
        "contents": "Hausrat nach Feuer, Wasser oder Sturm",
        "theft": "Hausrat nach einem Einbruch",
        "liability": "Schäden an anderen oder an der Mietwohnung",
        "away": "Hausrat unterwegs",
        "none": "Keine",
    },
    wording=(
        ("Was versichert ist", ("Ihr Eigentum in der gemieteten Wohnung zum Neupreis und "
         "Ansprüche anderer wegen versehentlicher Schäden.")),
        ("Was nicht versichert ist", ("Das Gebäude, Fahrzeuge, Tiere, Verschleiß, Vorsatz und "
         "Wohnungen, die 60 Tage leer standen.")),
        ("Wann der Schutz gilt", ("Vom Beginn bis zum Ende der Police. Vorher erfahren Sie, was "
         "der nächste Zeitraum kostet.")),
        ("Im Schadenfall", ("Melden Sie sich innerhalb von 14 Tagen mit Fotos und Belegen. Zeigen "
         "Sie einen Einbruch zuerst bei der Polizei an.")),
        ("Widerruf", ("Sie können innerhalb von 14 Tagen nach Kauf oder Verlängerung kündigen und "
         "erhalten den vollen Preis zurück, sofern kein Schaden gemeldet ist, danach den Anteil "
         "für die restliche Zeit.")),
    ),
)  # fmt: skip
TEXTS = {"en": ENGLISH, "de": GERMAN}


DEFAULT_MONTHS = 12
BASE_IN_POUNDS = Decimal(36)  # Per year, without any contents.
NET_RATE = Decimal("0.0035")
HIGHEST_VALUE_IN_POUNDS = Decimal(150_000)
LIABILITY_IN_POUNDS = Decimal(100_000)
EXCESS_IN_POUNDS = Decimal(100)


def cover(fields: Mapping[str, Any], terms: Terms) -> Cover:
    """Return cover for the contents over `term` months, by default 12.

    Raise Invalid for contents worth more than £150,000.
    """
    value = money.rounded(fields["contents_value"], terms.currency)
    if value > terms.pounds(HIGHEST_VALUE_IN_POUNDS):
        raise no_policy()
    start = terms.start(fields)
    months = fields.get("term", DEFAULT_MONTHS)
    base = terms.pounds(BASE_IN_POUNDS)
    net = money.rounded((base + value * NET_RATE) * months / DEFAULT_MONTHS, terms.currency)
    return Cover(start, datetimes.add_months(start, months), net, value, _benefits(value, terms))


def _benefits(value: Decimal, terms: Terms) -> list[dict[str, Any]]:
    excess = terms.pounds(EXCESS_IN_POUNDS)
    liability = terms.pounds(LIABILITY_IN_POUNDS)
    away = money.rounded(value * Decimal("0.1"), terms.currency)
    return [
        benefit("contents", terms, limit=value, excess=excess),
        benefit("theft", terms, limit=value, excess=excess),
        benefit("liability", terms, limit=liability, excess="none"),
        benefit("away", terms, limit=away, excess=min(excess, away)),
    ]


OWN: dict[str, Field] = {
    "address1": needed(text),
    "contents_value": needed(amount),
    "number_of_residents": Field(integer),
    "number_of_bedrooms": Field(integer),
    "term": Field(partial(integer, highest=12)),
    **optional_texts("address2", "city", "postcode", "region", "property_type"),
}

RENTERS = Product(
    policy_type="renters_insurance",
    group_name="property",
    name="Renters Insurance",
    code="RENT0001",
    version_id="e7f1b2c6-3a94-4d2b-9c61-0d8e4f5b7a05",
    name_field="address1",
    own=OWN,
    cover=cover,
    texts=TEXTS,
    # "Name, address and any rating factor must be captured so that the premium stays right."
    fixed=frozenset({"term"}),
    instalments=True,
    renewable=True,
    renewal_rate=Decimal("1.03"),
)
