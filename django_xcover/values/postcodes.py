"""Postcodes as they are written in their country, whatever way they were typed."""

from __future__ import annotations

import re
import unicodedata

from django_xcover import values

# Where the parts of a postcode are, and what stands between them.
WRITTEN = {
    "CA": (re.compile(r"([A-Z]\d[A-Z])(\d[A-Z]\d)"), " "),
    "GB": (re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})"), " "),
    "GR": (re.compile(r"(\d{3})(\d{2})"), " "),
    "IE": (re.compile(r"([A-Z]\d[\dW])([A-Z\d]{4})"), " "),
    "JP": (re.compile(r"(\d{3})(\d{4})"), "-"),
    "NL": (re.compile(r"(\d{4})([A-Z]{2})"), " "),
    "PL": (re.compile(r"(\d{2})(\d{3})"), "-"),
    "PT": (re.compile(r"(\d{4})(\d{3})"), "-"),
    "SE": (re.compile(r"(\d{3})(\d{2})"), " "),
}
DASHES = re.compile(r"[\u2010-\u2015\u2212\u30fc]")
# Japan's sign for "postcode" is often typed along.
POSTAL_MARK = "\u3012"


def normalise(postcode: object, country: str = "") -> str:
    """Return `postcode` with plain digits, in capitals, spaced as `country` writes it.

    What does not look like one of that country's stays as it was typed, blanks and digits apart.
    """
    typed = unicodedata.normalize("NFKC", values.optional_text(postcode, "postcode"))
    typed = DASHES.sub("-", values.digits(typed).replace(POSTAL_MARK, "")).upper()
    tidy = " ".join(typed.split())
    pattern, between = WRITTEN.get(country.strip().upper(), (None, ""))
    parts = pattern.fullmatch(re.sub(r"[\s-]", "", tidy)) if pattern else None
    return between.join(parts.groups()) if parts else tidy
