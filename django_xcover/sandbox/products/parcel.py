"""`parcel_insurance`: a parcel in transit.

The request fields are those of the oldest SDK's test; thirty days are recorded. Inferred: which
fields are required, and all prices and benefits.
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
from django_xcover.sandbox.tariff.pricing import COUNTRIES
from django_xcover.sandbox.validation import (
    Field,
    amount,
    any_text,
    list_of,
    moment,
    nested,
    one_of,
)

ENGLISH = Texts(
    title="Parcel Insurance: {name}",
    description="The value of your parcel if it is lost, stolen or damaged on its way.",
    optout_msg="No cover: I carry the loss myself, beyond what the carrier pays.",
    disclaimer=(
        '<p>Please read the <a href="{pds_url}">policy wording</a> before you decide: it lists '
        "what is covered, the limits and what is not covered. Cash, plants, animals and parcels "
        "that are badly packed are not covered.</p>"
        "<p>Arranged by XCover.com and underwritten by Harbour Mutual Insurance Limited. You can "
        "cancel until the parcel is shipped and get the full price back.</p>"
    ),
    benefits={
        "loss": "Parcel lost on its way",
        "damage": "Contents damaged on their way",
        "theft": "Parcel stolen before it is handed over",
        "postage": "Postage of a parcel that never arrives",
        "not_named": "No postage was named",
        "none": "None",
    },
    wording=(
        ("What is covered", ("The value of what is in the parcel, and the postage, when it is "
         "lost, stolen or damaged before it is handed over.")),
        ("What is not covered", ("Cash, jewellery without its papers, plants, animals, and damage "
         "that comes from poor packing or from delay alone.")),
        ("When it applies", "From the day of shipping until it is handed over, 30 days at most."),
        ("How to claim", ("Tell us within 14 days of the expected delivery, with the tracking "
         "number and a receipt; keep the packaging of a damaged parcel.")),
        ("If you change your mind", ("You can cancel until the parcel is shipped, for example "
         "when you void its label, and get the full price back.")),
    ),
)  # fmt: skip
GERMAN = Texts(
    title="Paketversicherung: {name}",
    description="Der Wert Ihres Pakets bei Verlust, Diebstahl oder Schaden auf dem Weg.",
    optout_msg="Kein Schutz: Was der Paketdienst nicht ersetzt, trage ich selbst.",
    disclaimer=(
        '<p>Bitte lesen Sie vor Ihrer Entscheidung die <a href="{pds_url}">Bedingungen</a>: Dort '
        "stehen Umfang, Höchstbeträge und Ausschlüsse. Nicht versichert sind Bargeld, Pflanzen, "
        "Tiere und schlecht verpackte Pakete.</p>"
        "<p>Vermittelt durch XCover.com, Risikoträger ist die Harbour Mutual Insurance Limited. "
        "Sie können bis zum Versand kündigen und erhalten den vollen Preis zurück.</p>"
    ),
    benefits={
        "loss": "Verlust des Pakets auf dem Weg",
        "damage": "Beschädigung des Inhalts auf dem Weg",
        "theft": "Diebstahl vor der Übergabe",
        "postage": "Porto eines Pakets, das nie ankommt",
        "not_named": "Es wurde kein Porto genannt",
        "none": "Keine",
    },
    wording=(
        ("Was versichert ist", ("Der Wert des Inhalts und das Porto, wenn das Paket vor der "
         "Übergabe verloren geht, gestohlen oder beschädigt wird.")),
        ("Was nicht versichert ist", ("Bargeld, Schmuck ohne Nachweis, Pflanzen, Tiere sowie "
         "Schäden allein durch schlechte Verpackung oder Verspätung.")),
        ("Wann der Schutz gilt", "Vom Tag des Versands bis zur Übergabe, höchstens 30 Tage."),
        ("Im Schadenfall", ("Melden Sie sich innerhalb von 14 Tagen nach dem erwarteten "
         "Liefertag mit Sendungsnummer und Beleg; heben Sie die Verpackung auf.")),
        ("Widerruf", ("Sie können bis zum Versand kündigen, zum Beispiel wenn Sie das Etikett "
         "stornieren, und erhalten den vollen Preis zurück.")),
    ),
)  # fmt: skip
TEXTS = {"en": ENGLISH, "de": GERMAN}


DURATION = timedelta(days=30)
RATES = {True: Decimal("0.012"), False: Decimal("0.02")}  # Domestic and international.
LOWEST_IN_POUNDS = Decimal("0.80")
HIGHEST_VALUE_IN_POUNDS = Decimal(5000)


def cover(fields: Mapping[str, Any], terms: Terms) -> Cover:
    """Return thirty days of cover for the value of the parcel.

    Raise Invalid for a parcel without a value, or worth more than £5,000.
    """
    value = money.rounded(_value(fields), terms.currency)
    if not 0 < value <= terms.pounds(HIGHEST_VALUE_IN_POUNDS):
        raise no_policy()
    start = terms.start(fields, "ship_date")
    rate = RATES[fields["from_country"] == fields["to_country"]]
    lowest = terms.pounds(LOWEST_IN_POUNDS)
    net = max(money.rounded(value * rate, terms.currency), lowest)
    return Cover(start, start + DURATION, net, value, _benefits(fields, value, terms))


def _value(fields: Mapping[str, Any]) -> Decimal:
    if "cover_amount" in fields:
        return Decimal(fields["cover_amount"])
    products = fields.get("parcel_products", [])
    return sum((product["value"] for product in products), Decimal(0))


def _benefits(fields: Mapping[str, Any], value: Decimal, terms: Terms) -> list[dict[str, Any]]:
    postage = money.rounded(fields.get("ship_cost", Decimal(0)), terms.currency)
    return [
        benefit("loss", terms, limit=value, excess="none"),
        benefit("damage", terms, limit=value, excess="none"),
        benefit("theft", terms, limit=value, excess="none"),
        benefit("postage", terms, limit=postage or "not_named", excess="none"),
    ]


PRODUCT_IN_PARCEL: dict[str, Field] = {"sku": needed(any_text), "value": needed(amount)}
OWN: dict[str, Field] = {
    "from_country": needed(one_of(COUNTRIES)),
    "to_country": needed(one_of(COUNTRIES)),
    "ship_cost": Field(amount),
    "ship_date": Field(moment),
    "cover_amount": Field(amount),
    "parcel_products": Field(list_of(nested(PRODUCT_IN_PARCEL))),
    **optional_texts("from_zipcode", "from_company_name", "to_zipcode"),
}

PARCEL = Product(
    policy_type="parcel_insurance",
    group_name="logistics",
    name="Parcel Insurance",
    code="PARC0001",
    version_id="c3d8e0a4-1b56-4c0f-8e2a-5b9f3d7a1e04",
    name_field="to_country",
    own=OWN,
    priced={"parcel_products": "value"},
    cover=cover,
    texts=TEXTS,
    fixed=frozenset({"from_country", "to_country"}),
    # The documented use case is a cancellation "when a label is voided in time".
    cancellable_until="ship_date",
)
