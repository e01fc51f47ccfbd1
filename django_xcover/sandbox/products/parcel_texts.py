"""What a shopper reads about parcel cover, in English and German."""

from __future__ import annotations

from django_xcover.sandbox.products.base import Texts

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
