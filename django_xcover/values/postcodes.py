"""Postcodes in the usual format of their country."""

from __future__ import annotations

import re
import unicodedata

from django_xcover import values

# The two parts of a postcode, and the separator between them.
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
# Japan's postal mark is often typed before the number.
POSTAL_MARK = "\u3012"


def normalise(postcode: object, country: str = "") -> str:
    """Return `postcode` in capitals and ASCII digits, separated as usual in `country`.

    If it does not match the country's format, only spaces, digits, dashes and case are normalised.
    """
    typed = unicodedata.normalize("NFKC", values.optional_text(postcode, "postcode"))
    typed = DASHES.sub("-", values.digits(typed).replace(POSTAL_MARK, "")).upper()
    tidy = " ".join(typed.split())
    pattern, separator = WRITTEN.get(country.strip().upper(), (None, ""))
    parts = pattern.fullmatch(re.sub(r"[\s-]", "", tidy)) if pattern else None
    return separator.join(parts.groups()) if parts else tidy
