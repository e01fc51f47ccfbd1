"""What a shopper reads about renters' cover, in English and German."""

from __future__ import annotations

from django_xcover.sandbox.products.base import Texts

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
