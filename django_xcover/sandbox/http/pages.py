"""The HTML template of the sandbox's pages, and its labels in the languages of the products."""

from __future__ import annotations

from markupsafe import Markup

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
    "Your card, by XPay": "Ihre Karte, über XPay",
    "Name on card": "Name auf der Karte",
    "Card number": "Kartennummer",
    "Expires (MM/YY)": "Gültig bis (MM/JJ)",
    "Security code": "Prüfziffer",
    "Use this card": "Diese Karte verwenden",
    "Please wait …": "Bitte warten …",
    "XPay could not be reached. Please try again.": (
        "XPay ist nicht erreichbar. Bitte versuchen Sie es noch einmal."
    ),
    "This isn't a valid card number.": "Das ist keine gültige Kartennummer.",
    "The bank declined this card. Nothing was charged.": (
        "Die Bank hat diese Karte abgelehnt. Es wurde nichts abgebucht."
    ),
    "The card has expired, or this isn't a date.": (
        "Die Karte ist abgelaufen, oder dies ist kein Datum."
    ),
    "Enter the 3 or 4 digits on the card.": "Geben Sie die 3 oder 4 Ziffern auf der Karte ein.",
    "This field may not be blank.": "Bitte ausfüllen.",
    (
        "The local XPay: use test cards only. 4242 4242 4242 4242 works, and "
        "4000 0000 0000 0002 is refused at once."
    ): (
        "Das lokale XPay: Verwenden Sie nur Testkarten. 4242 4242 4242 4242 funktioniert, und "
        "4000 0000 0000 0002 wird sofort abgelehnt."
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


NOTICE = "This document comes from a sandbox. It is not an insurance contract."
STYLE = Markup("""
:root { color-scheme: light dark; --ink: #1d2430; --paper: #fff; --quiet: #5a6475; --line: #d9dee7;
  --wash: #f4f6f9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf2; --paper: #14181f; --quiet: #a0a9b8;
  --line: #333b48; --wash: #1c222b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", sans-serif; overflow-wrap: anywhere; }
main, header, footer { max-width: 44rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2rem; color: var(--quiet); }
h1 { font-size: 1.75rem; line-height: 1.2; margin: .25rem 0 1.5rem; }
h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: 0 0 .75rem; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; margin: 1rem 0; font-size: .95rem; }
th, td { text-align: left; vertical-align: top; padding: .6rem .75rem .6rem 0;
  border-bottom: 1px solid var(--line); font-weight: 400; overflow-wrap: normal; }
thead th { color: var(--quiet); font-size: .85rem; }
dl { display: grid; grid-template-columns: minmax(8rem, 12rem) 1fr; gap: .5rem 1rem;
  margin: 0 0 1rem; background: var(--wash);
  border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; }
dt { color: var(--quiet); } dd { margin: 0; }
@media (max-width: 30rem) {
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .6rem; }
  thead { display: none; } tr { display: block; padding: .6rem 0;
    border-bottom: 1px solid var(--line); }
  th, td { display: block; border: 0; padding: 0; }
  td::before { content: attr(data-is) ": "; color: var(--quiet); } }
footer { color: var(--quiet); font-size: .85rem; padding-top: 2rem; padding-bottom: 2rem; }
""")
FRAME = Markup("""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title} · XCover sandbox</title>
<style>{style}</style>
</head>
<body>
<header>XCover sandbox</header>
<main><h1>{title}</h1>{body}</main>
<footer>{notice}</footer>
</body>
</html>
""")


def page(title: str, body: Markup, language: str) -> str:
    """Return a complete HTML page that works on a phone, and in light and dark mode."""
    notice = label(NOTICE, language)
    return str(FRAME.format(title=title, body=body, language=language, style=STYLE, notice=notice))
