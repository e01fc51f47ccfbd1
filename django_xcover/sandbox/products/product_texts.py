"""What a shopper reads about product cover, in English and German."""

from __future__ import annotations

from django_xcover.sandbox.products.base import Texts

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
