"""What a shopper reads about ticket cover, in English and German."""

from __future__ import annotations

from django_xcover.sandbox.products.base import Texts

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
