"""What a shopper reads about travel cover, in English and German."""

from __future__ import annotations

from django_xcover.sandbox.products.base import Texts

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
