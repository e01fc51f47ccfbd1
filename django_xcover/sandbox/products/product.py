"""`product_insurance`: accidental damage, theft and breakdown of a product.

All inferred: the contract only names the fields category, price, name and description.
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
    Version,
    benefit,
    needed,
    no_policy,
    optional_texts,
)
from django_xcover.sandbox.validation import Field, amount, integer, moment, text

ENGLISH = Texts(
    title="Product Protection for {name}",
    description=(
        "Repair or replacement if it is dropped, gets wet or is stolen, and for faults after the "
        "manufacturer's guarantee has ended."
    ),
    optout_msg="No cover: I pay for repairs or a replacement myself.",
    disclaimer=(
        '<p>Please read the <a href="{pds_url}">policy wording</a> before you decide: it lists '
        "what is covered, the excess on each claim and what is not covered. Wear, scratches and "
        "loss are not covered. Your legal rights against the seller are not affected.</p>"
        "<p>Arranged by XCover.com and underwritten by Harbour Mutual Insurance Limited. You can "
        "cancel within 28 days and get the full price back if you have not made a claim.</p>"
    ),
    benefits={
        "damage": "Accidental damage, including liquid",
        "theft": "Theft by force, threat or break-in",
        "breakdown": "Breakdown after the manufacturer's guarantee",
        "repairs": "Number of claims",
        "no_number": "No fixed number, up to the cover amount in total",
        "per_claim": "The excess is due on every claim",
        "none": "None",
    },
    wording=(
        (
            "What is covered",
            ("Repair of the insured product, or a replacement of like kind and age if it cannot be "
            "repaired, after accidental damage, theft by force or a breakdown."),
        ),
        (
            "What is not covered",
            ("Wear, scratches that do not affect use, loss, damage done on purpose, and "
            "anything the manufacturer's guarantee pays for."),
        ),
        ("When it applies", ("From the start to the end of the policy, in your own country and "
         "for up to 60 days a year abroad.")),
        (
            "How to claim",
            ("Tell us within 28 days. After a theft, report it to the police first and give us the "
            "reference number."),
        ),
        (
            "If you change your mind",
            ("You can cancel within 28 days of buying and get the full price back, unless "
            "you have claimed. After that you get back the share for the time that is left."),
        ),
    ),
)  # fmt: skip
GERMAN = Texts(
    title="Produktschutz für {name}",
    description=(
        "Reparatur oder Ersatz nach Sturz, Flüssigkeit oder Diebstahl und bei Defekten nach Ablauf "
        "der Herstellergarantie."
    ),
    optout_msg="Kein Schutz: Reparatur oder Ersatz zahle ich selbst.",
    disclaimer=(
        '<p>Bitte lesen Sie vor Ihrer Entscheidung die <a href="{pds_url}">Bedingungen</a>: Dort '
        "stehen Umfang, Selbstbeteiligung und Ausschlüsse. Verschleiß, Kratzer und Verlust sind "
        "nicht versichert. Ihre gesetzlichen Rechte gegenüber dem Verkäufer bleiben unberührt.</p>"
        "<p>Vermittelt durch XCover.com, Risikoträger ist die Harbour Mutual Insurance Limited. "
        "Sie können innerhalb von 28 Tagen kündigen und erhalten den vollen Preis "
        "zurück, solange kein "
        "Schaden gemeldet ist.</p>"
    ),
    benefits={
        "damage": "Unfallschäden, auch durch Flüssigkeit",
        "theft": "Diebstahl durch Gewalt, Drohung oder Einbruch",
        "breakdown": "Defekt nach Ablauf der Herstellergarantie",
        "repairs": "Anzahl der Schäden",
        "no_number": "Nicht begrenzt, insgesamt bis zur Versicherungssumme",
        "per_claim": "Die Selbstbeteiligung gilt je Schaden",
        "none": "Keine",
    },
    wording=(
        (
            "Was versichert ist",
            ("Die Reparatur des versicherten Produkts oder ein Ersatz gleicher Art und gleichen "
            "Alters nach Unfallschaden, Diebstahl durch Gewalt oder Defekt."),
        ),
        (
            "Was nicht versichert ist",
            ("Verschleiß, Kratzer ohne Einfluss auf den Gebrauch, Verlust, Vorsatz und alles, "
            "was die Herstellergarantie trägt."),
        ),
        ("Wann der Schutz gilt", ("Vom Beginn bis zum Ende der Police, im Inland und bis zu 60 "
         "Tage im Jahr im Ausland.")),
        (
            "Im Schadenfall",
            ("Melden Sie sich innerhalb von 28 Tagen. Zeigen Sie einen Diebstahl zuerst bei der "
            "Polizei an und nennen Sie uns das Aktenzeichen."),
        ),
        (
            "Widerruf",
            ("Sie können innerhalb von 28 Tagen nach dem Kauf kündigen und erhalten den vollen "
            "Preis zurück, sofern kein Schaden gemeldet ist, danach den Anteil für die "
            "restliche Zeit."),
        ),
    ),
)  # fmt: skip
TEXTS = {"en": ENGLISH, "de": GERMAN}


DEFAULT_MONTHS = 24
# Net premium for 24 months as a share of the price.
RATES = {"phone": Decimal("0.085"), "jewellery": Decimal("0.045"), "furniture": Decimal("0.05")}
DEFAULT_RATE = Decimal("0.068")
HIGHEST_PRICE_IN_POUNDS = Decimal(15000)


def cover(fields: Mapping[str, Any], terms: Terms) -> Cover:
    """Return cover for `quantity` pieces over `term` months, by default 24.

    Raise Invalid for a piece that costs more than £15,000, so that shops can test failed quotes.
    """
    if fields["price"] > terms.pounds(HIGHEST_PRICE_IN_POUNDS):
        raise no_policy()
    start = terms.start(fields, "purchase_date")
    months = fields.get("term", DEFAULT_MONTHS)
    value = money.rounded(fields["price"] * fields.get("quantity", 1), terms.currency)
    rate = RATES.get(fields["category"].lower(), DEFAULT_RATE)
    net = money.rounded(value * rate * months / DEFAULT_MONTHS, terms.currency)
    end = datetimes.add_months(start, months)
    return Cover(start, end, net, value, _benefits(fields["price"], value, terms))


def _benefits(piece: Decimal, value: Decimal, terms: Terms) -> list[dict[str, Any]]:
    small = money.rounded(piece * Decimal("0.05"), terms.currency)
    large = money.rounded(piece * Decimal("0.10"), terms.currency)
    return [
        benefit("damage", terms, limit=value, excess=small),
        benefit("theft", terms, limit=value, excess=large),
        benefit("breakdown", terms, limit=value, excess="none"),
        benefit("repairs", terms, limit="no_number", excess="per_claim"),
    ]


OWN: dict[str, Field] = {
    "category": needed(text),
    "price": needed(amount),
    "name": needed(text),
    "description": needed(text),
    "quantity": Field(integer),
    "purchase_date": Field(moment),
    "term": Field(partial(integer, highest=60)),
    **optional_texts("sku", "brand", "model", "variant", "condition", "serial_number"),
}

PRODUCT = Product(
    policy_type="product_insurance",
    group_name="retail",
    name="Product Protection",
    code="PROD0001",
    version_id="4e0a1f6b-8b7d-4a35-8c56-7d2f3e9b1c02",
    name_field="name",
    own=OWN,
    cover=cover,
    texts=TEXTS,
    fixed=frozenset({"category", "purchase_date", "term"}),
    instalments=True,
    renewable=True,
    # The ten retail policies of 2026 have no end and are in euros. Inferred: the version's number.
    versions={"1": Version(), "2": Version(currency="EUR", open_ended=True)},
)
