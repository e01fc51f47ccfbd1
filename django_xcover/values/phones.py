"""Telephone numbers as XCover takes them: `+`, the country code, digits (E.164).

With the extra `django-xcover[phone]` they are read by Google's library, which knows the numbering
plan of every country. Without it a number is taken only when it begins with `+` or `00`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django_xcover import values

try:
    import phonenumbers
except ImportError:  # the extra is not installed
    phonenumbers = None  # type: ignore[assignment]

# The longest number has fifteen digits (E.164).
INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")
# What may stand around a number; XCover has no field for an extension.
AROUND = re.compile(r"(?i)^tel:|\s*(?:ext|extension|x)\.?\s*\d{1,7}$")
# People write the trunk digit that is left out abroad: +44 (0)20 7946 0000.
TRUNK_DIGIT = re.compile(r"\(\s*0\s*\)")


def normalise(number: object, country: str = "") -> str:
    """Return `number` in international form, "" where it cannot be read as one.

    `country` (ISO 3166-1 alpha-2) is whose numbers are dialled without a country code. Objects of
    phonenumbers and of django-phonenumber-field are taken, too. A phone is optional at XCover, and
    a bad one is refused with the whole booking: so leave out what comes back empty.
    """
    if phonenumbers is not None and isinstance(number, phonenumbers.PhoneNumber):
        return _format(number) or normalise(number.raw_input or "", country)
    try:
        typed = values.optional_text(number, "phone")
    except values.UnusableValue:
        return ""
    # Full-width signs and blanks first, then the digits of other scripts.
    typed = values.digits(unicodedata.normalize("NFKC", typed)).strip()
    typed = AROUND.sub("", typed)
    if any(char.isalpha() for char in typed):
        return ""  # the library would take FLOWERS for the digits on those keys
    if typed.startswith("00"):
        typed = f"+{typed[2:]}"
    if typed.startswith("+"):
        typed = TRUNK_DIGIT.sub("", typed)
    return _parsed(typed, country) if phonenumbers is not None else _plain(typed)


def _parsed(typed: str, country: str) -> str:
    try:
        number = phonenumbers.parse(typed, country.strip().upper() or None)
    except phonenumbers.NumberParseException:
        return ""
    return _format(number)


def _format(number: Any) -> str:
    """Return E.164 without an extension, "" for a number that no country could have."""
    if not number.country_code or not phonenumbers.is_possible_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _plain(typed: str) -> str:
    """Read a number by itself. Without a country code it may be anybody's."""
    compact = re.sub(r"[\s().\-/\u2010-\u2015]", "", typed)
    return compact if INTERNATIONAL.fullmatch(compact) else ""
