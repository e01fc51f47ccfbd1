"""The labels on documents, in the languages of the products."""

from __future__ import annotations

GERMAN = {
    "Policy wording": "Bedingungen",
    "Certificate of insurance": "Versicherungsschein",
    "Benefit": "Leistung",
    "Limit": "Höchstbetrag",
    "Excess": "Selbstbeteiligung",
    "Certificate number": "Nummer",
    "Status": "Status",
    "Policyholder": "Versicherungsnehmer/in",
    "Total price": "Gesamtpreis",
    "Policy": "Versicherung",
    "Insured": "Versichert",
    "Period": "Zeitraum",
    "Cover amount": "Versicherungssumme",
    "Price": "Preis",
    "Underwriter": "Risikoträger",
    "Confirmed": "Bestätigt",
    "Not in force: payment is awaited": "Noch kein Schutz: Zahlung steht aus",
    "Cancelled: no cover": "Gekündigt: kein Schutz",
    "Renewed: a later period follows": "Verlängert: Es folgt ein neuer Zeitraum",
    "Make a claim": "Schaden melden",
    "Cancel your cover": "Versicherung kündigen",
    "Booking": "Buchung",
    "The local XCover: a claim would be made here. It decides on none, and nothing is sent.": (
        "Das lokale XCover: Hier würde ein Schaden gemeldet. Es entscheidet über keinen, und "
        "nichts wird gesendet."
    ),
    (
        "The local XCover: a customer would cancel here, without the shop. Nothing is cancelled "
        "from this page."
    ): (
        "Das lokale XCover: Hier würde ohne den Shop gekündigt. Von dieser Seite aus wird nichts "
        "gekündigt."
    ),
    "This document comes from a sandbox. It is not an insurance contract.": (
        "Dieses Dokument stammt aus einer Testumgebung und ist kein Versicherungsvertrag."
    ),
}


def document_language(language: str) -> str:
    """Return the language of documents for a customer's `language`: `de` or `en`."""
    return "de" if language[:2].lower() == "de" else "en"


def label(text: str, language: str) -> str:
    """Return the translation of the text, or the text itself without one."""
    return GERMAN.get(text, text) if language == "de" else text
