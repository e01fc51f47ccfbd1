"""Telephone numbers in the format that XCover accepts: `+`, country code, digits (E.164).

With the extra `django-xcover[phone]` they are parsed by Google's library, which knows the numbering
plan of every country. Without it only numbers that begin with `+` or `00` are accepted.
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
# A prefix or an extension around a number. XCover has no field for extensions.
AROUND = re.compile(r"(?i)^tel:|\s*(?:ext|extension|x)\.?\s*\d{1,7}$")
# The trunk digit that is omitted from abroad but often written: +44 (0)20 7946 0000.
TRUNK_DIGIT = re.compile(r"\(\s*0\s*\)")


def normalise(number: object, country: str = "") -> str:
    """Return `number` in international format, or "" if it cannot be read.

    Numbers without a country code are read as numbers of `country` (ISO 3166-1 alpha-2). Objects of
    phonenumbers and of django-phonenumber-field are accepted, too. Leave out an empty result: at
    XCover the phone is optional, and a bad one makes it refuse the whole booking.
    """
    if phonenumbers is not None and isinstance(number, phonenumbers.PhoneNumber):
        return _format(number) or normalise(number.raw_input or "", country)
    try:
        typed = values.optional_text(number, "phone")
    except values.UnusableValue:
        return ""
    # First full-width signs and spaces, then the digits of other scripts.
    typed = values.digits(unicodedata.normalize("NFKC", typed)).strip()
    typed = AROUND.sub("", typed)
    if any(char.isalpha() for char in typed):
        return ""  # the library would convert FLOWERS to the digits on those keys
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
    """Return the number in E.164, without an extension, or "" if no country could have it."""
    if not number.country_code or not phonenumbers.is_possible_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _plain(typed: str) -> str:
    """Return a number that has a country code, else "", because its country is then unknown."""
    compact = re.sub(r"[\s().\-/\u2010-\u2015]", "", typed)
    return compact if INTERNATIONAL.fullmatch(compact) else ""
